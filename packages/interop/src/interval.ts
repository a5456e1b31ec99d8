/** Whether two regions can have a call in common: by intervals of their values. */
import { addressBits, readCallAddress, readCallNetwork } from '@sockfilter/table';
import type { Region } from './testregion.js';

type Interval = readonly [from: bigint, to: bigint];

/** A field's values: those of the intervals, or all others. */
interface Values {
  readonly intervals: readonly Interval[];
  readonly negated: boolean;
}

/** Addresses of IPv6 behind all of IPv4. */
const IPV6 = 1n << 32n;

function addressInterval(text: string): Interval | undefined {
  const [first = '', last] = text.split('-');
  const from = last === undefined ? readCallNetwork(first) : undefined;
  if (from) {
    const base = from.family === 6 ? IPV6 : 0n;
    const start = from.value & from.mask;
    const size = ((1n << BigInt(addressBits(from.family))) - 1n) ^ from.mask;
    // A mask with holes is a network of several pieces.
    return (size & (size + 1n)) === 0n ? [base + start, base + start + size] : undefined;
  }
  const [low, high] = [readCallAddress(first), readCallAddress(last ?? '')];
  if (!low || !high) return undefined;
  const base = low.family === 6 ? IPV6 : 0n;
  return [base + low.value, base + high.value];
}

function numberInterval(text: string): Interval | undefined {
  const [, from, to = from] = /^(\d+)(?:-(\d+))?$/.exec(text) ?? [];
  return from === undefined || to === undefined ? undefined : [BigInt(from), BigInt(to)];
}

/** undefined where the values are no intervals. */
function valuesOf(key: string, texts: readonly string[]): Values | undefined {
  const negated = texts[0]?.startsWith('!') ?? false;
  const read = key === 'src' || key === 'dst' ? addressInterval : numberInterval;
  const intervals = texts.map((each) => read(each.replace(/^!/, '')));
  const known = intervals.filter((each) => each !== undefined);
  return known.length === intervals.length ? { intervals: known, negated } : undefined;
}

const meet = ([a, b]: Interval, [c, d]: Interval) => a <= d && c <= b;

function areApart(a: Values, b: Values): boolean {
  if (a.negated && b.negated) return false;
  if (a.negated) return areApart(b, a);
  if (!b.negated)
    return !a.intervals.some((each) => b.intervals.some((other) => meet(each, other)));
  // All that the one takes the other leaves out.
  return a.intervals.every(([from, to]) =>
    b.intervals.some(([low, high]) => low <= from && to <= high),
  );
}

/** Whether no call is in both; false where it is not known. */
export function areDisjoint(a: Region, b: Region): boolean {
  return Object.entries(a).some(([key, texts]) => {
    const others = b[key];
    if (others === undefined) return false;
    if (key === 'proto' || key === 'family') {
      const plain = [...texts, ...others].every((each) => !each.startsWith('!'));
      return plain && !texts.some((each) => others.includes(each));
    }
    const [own, their] = [valuesOf(key, texts), valuesOf(key, others)];
    return own !== undefined && their !== undefined && areApart(own, their);
  });
}
