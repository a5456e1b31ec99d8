/** Sets of unsigned integers. */

/** Both ends belong to the range. */
export type Range = readonly [from: bigint, to: bigint];

/**
 * `ranges`: the union of the ranges, sorted and disjoint. `masked`: every v with v & mask = value;
 * it is a kind of its own because a mask with holes can stand for very many ranges.
 */
export type ValueSet =
  | { readonly kind: 'ranges'; readonly ranges: readonly Range[] }
  | { readonly kind: 'masked'; readonly value: bigint; readonly mask: bigint };

/** The union of ranges, sorted, with those that overlap or touch merged. */
export function rangeSet(ranges: readonly Range[]): ValueSet {
  if (ranges.length < 2) return { kind: 'ranges', ranges };
  const merged: Range[] = [];
  for (const [from, to] of ranges.toSorted((a, b) => (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0))) {
    const last = merged.at(-1);
    if (!last || from > last[1] + 1n) merged.push([from, to]);
    else if (to > last[1]) merged[merged.length - 1] = [last[0], to];
  }
  return { kind: 'ranges', ranges: merged };
}

export function valueSet(...values: readonly (bigint | number)[]): ValueSet {
  return rangeSet(values.map((value) => [BigInt(value), BigInt(value)]));
}

export function contains(set: ValueSet, value: bigint): boolean {
  if (set.kind === 'masked') return (value & set.mask) === set.value;
  return set.ranges.some(([from, to]) => from <= value && value <= to);
}
