/**
 * How much of a call a rule names, and how rules are told apart by that.
 *
 * Two rules cross where each names more than the other of something: one of sources alone and one of destinations
 * alone. `n` of the one and `n` of the other make up to `n^2` pairs in one diagram. Rules of which each names as much
 * as the next, or more, of everything make none: they lie beside or inside each other.
 */
import {
  elementAt,
  type Field,
  type Rule,
  ruleCondition,
  type Scope,
  type ValueSet,
} from '@sockfilter/table';

/** What crosses: ports where nothing else does, since they have few values that rules name. */
const NAMED = [
  'group',
  'source',
  'destination',
  'sourcePort',
  'destinationPort',
] as const satisfies readonly Field[];
const PORTS_FROM = NAMED.indexOf('sourcePort');

/** How many of 32 bits are named of each field: of IPv6, a quarter of its bits, and of ports 16 more if any. */
export type Extent = readonly number[];

const BITS = 32;
const WIDE_BITS = 128;

function bitsOf(value: bigint): number {
  let bits = 0;
  for (let rest = value; rest > 0n; rest &= rest - 1n) bits++;
  return bits;
}

function namedBits(set: ValueSet): number {
  if (set.kind === 'masked') {
    const bits = bitsOf(set.mask);
    return set.mask >> BigInt(BITS) === 0n ? bits : bits / (WIDE_BITS / BITS);
  }
  const values = set.ranges.reduce((sum, [from, to]) => sum + to - from + 1n, 0n);
  const last = set.ranges.at(-1)?.[1] ?? 0n;
  const isWide = last >> BigInt(BITS) !== 0n;
  const open = values.toString(2).length - 1;
  return isWide ? (WIDE_BITS - open) / (WIDE_BITS / BITS) : Math.max(BITS - open, 0);
}

export function extentOf(rule: Rule, scope: Scope): Extent {
  const condition = ruleCondition(rule, scope);
  return NAMED.map((field) =>
    condition.reduce((most, [test, ...others]) => {
      if (!test || others.length > 0 || test.field !== field || test.negated) return most;
      return Math.max(most, Math.floor(namedBits(test.set)));
    }, 0),
  );
}

/** What both name together. */
export function narrower(a: Extent, b: Extent): Extent {
  return a.map((bits, n) => Math.max(bits, elementAt(b, n)));
}

function cross(a: Extent, b: Extent): boolean {
  const more = (x: Extent, y: Extent) => x.some((bits, n) => bits > elementAt(y, n));
  return more(a, b) && more(b, a);
}

/** A cut in two: those that name at least so many bits of a field, by its place in an extent, and the others. */
export interface Cut {
  readonly field: number;
  readonly bits: number;
}

export function isAbove({ field, bits }: Cut, extent: Extent): boolean {
  return elementAt(extent, field) >= bits;
}

/** The cut that leaves the fewest pairs together that cross, by ports if none else does; undefined if none parts any. */
export function bestCut(extents: readonly Extent[]): Cut | undefined {
  const addresses = extents.map((extent) => extent.slice(0, PORTS_FROM));
  return bestOf(addresses, PORTS_FROM) ?? bestOf(extents, NAMED.length);
}

/** @param fields how many each extent is of */
function bestOf(extents: readonly Extent[], fields: number): Cut | undefined {
  const counts = new Map<string, { readonly extent: Extent; count: number }>();
  for (const extent of extents) {
    const known = counts.get(extent.join());
    if (known) known.count++;
    else counts.set(extent.join(), { extent, count: 1 });
  }
  const kinds = [...counts.values()];
  const crossing = kinds.flatMap((a, n) =>
    kinds
      .slice(n + 1)
      .filter((b) => cross(a.extent, b.extent))
      .map((b) => ({ a: a.extent, b: b.extent, pairs: a.count * b.count })),
  );
  const cuts = NAMED.slice(0, fields).flatMap((_, field) => {
    const named = new Set(kinds.map(({ extent }) => elementAt(extent, field)));
    return [...named].sort((a, b) => a - b).map((bits): Cut => ({ field, bits }));
  });
  let best: Cut | undefined;
  let most = 0;
  for (const cut of cuts) {
    const parted = crossing.reduce(
      (sum, { a, b, pairs }) => sum + (isAbove(cut, a) === isAbove(cut, b) ? 0 : pairs),
      0,
    );
    if (parted > most) {
      most = parted;
      best = cut;
    }
  }
  return best;
}
