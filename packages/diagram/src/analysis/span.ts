/** What the fields of boxes are made of: ranges, and cubes where a mask with holes would take very many. */
import { type Range, rangeSet, type Test } from '@sockfilter/table';

/** Every v with v & mask = value. */
export interface Cube {
  readonly value: bigint;
  readonly mask: bigint;
}

export type Span = Range | Cube;

export function isCube(span: Span): span is Cube {
  return 'mask' in span;
}

export function rangesOf(spans: readonly Span[]): readonly Range[] {
  return spans.flatMap((span) => (isCube(span) ? [] : [span]));
}

/** The fewest cubes that make up the range, in order, of a field of so many bits. */
export function cubesOfRange([from, to]: Range, bits: number): readonly Cube[] {
  const full = (1n << BigInt(bits)) - 1n;
  const cubes: Cube[] = [];
  for (let at = from; at <= to; ) {
    let size = 1n;
    while ((at & size) === 0n && at + 2n * size - 1n <= to) size *= 2n;
    cubes.push({ value: at, mask: full ^ (size - 1n) });
    at += size;
  }
  return cubes;
}

function bitsOf(mask: bigint): readonly bigint[] {
  const bits: bigint[] = [];
  for (let bit = 1n; bit <= mask; bit <<= 1n) if (mask & bit) bits.push(bit);
  return bits;
}

/** Of cubes that share no value, those that differ in one bit put together, bit by bit. */
export function mergeCubes(cubes: readonly Cube[]): readonly Cube[] {
  if (cubes.length < 2) return cubes;
  const asked = cubes.reduce((all, { mask }) => all | mask, 0n);
  const width = BigInt(asked.toString(2).length);
  let merged = cubes;
  for (const bit of bitsOf(asked)) {
    const joined: Cube[] = [];
    const places = new Map<bigint, number>();
    for (const cube of merged) {
      const { value, mask } = cube;
      const without = value & ~bit;
      const key = (mask << width) | without;
      const place = mask & bit ? places.get(key) : undefined;
      if (place !== undefined) joined[place] = { value: without, mask: mask ^ bit };
      else {
        if (mask & bit) places.set(key, joined.length);
        joined.push(cube);
      }
    }
    merged = joined;
  }
  return merged;
}

/** Past so many cubes nobody reads the list. */
export const READABLE = 1024;

/** The spans in the order and form that the same set of values mostly has: ranges first, then cubes. */
export function normalSpans(spans: readonly Span[]): readonly Span[] {
  const set = rangeSet(rangesOf(spans));
  const ranges = set.kind === 'ranges' ? set.ranges : [];
  const cubes = spans.filter(isCube);
  if (cubes.length === 0) return ranges;
  const byValue = (a: Cube, b: Cube) => (a.value < b.value ? -1 : a.value > b.value ? 1 : 0);
  return [...ranges, ...(cubes.length > READABLE ? cubes : mergeCubes(cubes)).toSorted(byValue)];
}

/** A text that is the same for the same spans. */
export function spanKey(span: Span): string {
  return isCube(span) ? `${span.value}/${span.mask}` : `${span[0]},${span[1]}`;
}

/** Tests of which one must hold for the field to lie in the spans. */
export function spanTests<F extends Test['field']>(
  field: F,
  spans: readonly Span[],
): readonly Test[] {
  const ranges = rangesOf(spans);
  const masked = spans.filter(isCube).map((cube) => ({ kind: 'masked', ...cube }) as const);
  const sets = ranges.length > 0 || masked.length === 0 ? [rangeSet(ranges), ...masked] : masked;
  return sets.map((set) => ({ field, set, negated: false }));
}

/** The values of the first cube that the second has not. */
function without(from: Cube, other: Cube): readonly Cube[] {
  if ((from.value ^ other.value) & from.mask & other.mask) return [from];
  const parts: Cube[] = [];
  let { value, mask } = from;
  for (const bit of bitsOf(other.mask & ~from.mask)) {
    mask |= bit;
    parts.push({ value: value | (~other.value & bit), mask });
    value |= other.value & bit;
  }
  return parts;
}

/** As many parts as a complement may have on the way. */
const MAX_PARTS = 1024;

/** What the spans leave out of a field of so many bits, as cubes; undefined where those are too many. */
export function complementOf(spans: readonly Span[], bits: number): readonly Cube[] | undefined {
  const taken = spans.flatMap((span) => (isCube(span) ? [span] : cubesOfRange(span, bits)));
  const widest = taken.toSorted((a, b) => bitsOf(a.mask).length - bitsOf(b.mask).length);
  let rest: readonly Cube[] = [{ value: 0n, mask: 0n }];
  for (const cube of widest) {
    rest = rest.flatMap((each) => without(each, cube));
    if (rest.length > MAX_PARTS) return undefined;
  }
  return mergeCubes(rest);
}
