/** The values of a detail in words that regions have: those that are meant, or with `!` those that are not. */
import { type Detail, describeDetail, type Range } from '@sockfilter/table';
import { complement } from './complement.js';

export function detailTexts(detail: Detail, ranges: readonly Range[]): readonly string[] {
  const { bits, print } = describeDetail(detail);
  const gaps = complement(ranges, [0n, (1n << BigInt(bits)) - 1n]);
  const [first] = ranges;
  // A call without the detail is among them: all are meant but some.
  return first?.[0] === 0n && gaps.length > 0
    ? gaps.map((range) => `!${print(range)}`)
    : ranges.map(print);
}
