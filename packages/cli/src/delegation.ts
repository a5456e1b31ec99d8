/** Control groups whose processes others than root may move: who can leave a group shows in their owners. */
import { existsSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Group } from '@sockfilter/table';

export interface WritableAncestor {
  /** Of the control group, below the cgroup2 mount. */
  readonly path: string;
  /** Who owns its `cgroup.procs`. */
  readonly uid: number;
}

/** What lies above a path, up to the top. */
function ancestors(path: string): readonly string[] {
  const above = dirname(path);
  return above === path ? [] : [above, ...ancestors(above)];
}

const WRITABLE_BY_OTHERS = 0o022;

/**
 * Control groups above the root and above each group whose `cgroup.procs` not only root may write: to move a
 * process takes write access to that of what lies above both places. A group's own, delegated, is none.
 */
export function writableAncestors(
  directoryOf: (path: string) => string,
  root: string,
  groups: readonly Group[],
): readonly WritableAncestor[] {
  const paths = [root, ...groups.flatMap(({ path }) => path ?? [])];
  return [...new Set(paths.flatMap(ancestors))].sort().flatMap((path) => {
    const file = join(directoryOf(path), 'cgroup.procs');
    if (!existsSync(file)) return [];
    const { uid, mode } = statSync(file);
    return uid === 0 && (mode & WRITABLE_BY_OTHERS) === 0 ? [] : [{ path, uid }];
  });
}
