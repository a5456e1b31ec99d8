/** What ranges leave out. */
import type { Range } from '@sockfilter/table';

/** What the ranges leave out of `all`, or undefined if there is nothing left out. */
export function complement(ranges: readonly Range[], all: Range): readonly Range[] {
  const gaps: Range[] = [];
  let next = all[0];
  for (const [from, to] of ranges) {
    if (from > next) gaps.push([next, from - 1n]);
    next = to + 1n;
  }
  if (next <= all[1]) gaps.push([next, all[1]]);
  return gaps;
}
