/** Groups by where they are: what lies below a path stands together once paths are sorted. */
import { isBelow, patternOf } from './grouppath.js';
import type { Group } from './table.js';

interface Placed {
  readonly path: string;
  readonly group: Group;
}

/** By the list that they are of, which may grow. */
const SORTED = new WeakMap<
  readonly Group[],
  { readonly length: number; readonly placed: readonly Placed[] }
>();

function sortedByPath(groups: readonly Group[]): readonly Placed[] {
  const known = SORTED.get(groups);
  if (known?.length === groups.length) return known.placed;
  const placed = groups
    .flatMap((group) => (group.path === undefined ? [] : [{ path: group.path, group }]))
    .sort((a, b) => (a.path < b.path ? -1 : 1));
  SORTED.set(groups, { length: groups.length, placed });
  return placed;
}

/** Those whose paths begin so. */
function beginningWith(placed: readonly Placed[], start: string): readonly Placed[] {
  let [from, to] = [0, placed.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    if ((placed[middle]?.path ?? '') < start) from = middle + 1;
    else to = middle;
  }
  let end = from;
  while (placed[end]?.path.startsWith(start)) end++;
  return placed.slice(from, end);
}

/** The groups whose control group is the one at the path or lies below it, by their paths. */
export function groupsBelow(groups: readonly Group[], path: string): readonly Group[] {
  const folder = patternOf(path)?.folder ?? path;
  return beginningWith(sortedByPath(groups), folder)
    .filter((each) => isBelow(each.path, path))
    .map(({ group }) => group);
}
