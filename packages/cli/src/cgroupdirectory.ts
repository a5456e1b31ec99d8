/** Directories of control groups: processes in them, and those that the tool makes itself. */
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { type Group, isBelow } from '@sockfilter/table';
import { EXIT } from './exitcode.js';
import { CommandError, errnoOf } from './failure.js';

/** What turns a path of a control group into a directory. */
export interface CgroupTree {
  readonly cgroupDirectory: (path: string) => string;
}

/** Below the root that is policed, the control group that the tool makes its own in. */
export function ownFolder(root: string): string {
  return root === '/' ? '/sockfilter' : `${root}/sockfilter`;
}

export function defaultPath(root: string, name: string): string {
  return `${ownFolder(root)}/${name}`;
}

export function isOwn(root: string, path: string): boolean {
  return path !== ownFolder(root) && isBelow(path, ownFolder(root));
}

/** Makes the directory and returns true; false if it is there. */
export function makeCgroup(directory: string): boolean {
  if (existsSync(directory)) return false;
  mkdirSync(directory, { recursive: true });
  return true;
}

/** Removes the directory; says why not if it can't be, and nothing if it is not there. */
export function removeCgroup(directory: string): string | undefined {
  try {
    rmdirSync(directory);
    return undefined;
  } catch (error) {
    const code = errnoOf(error);
    if (code === 'ENOENT') return undefined;
    if (code === 'EBUSY' || code === 'ENOTEMPTY') return 'it has processes or control groups in it';
    throw error;
  }
}

function subdirectories(directory: string): readonly string[] {
  return readdirSync(directory, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name);
}

/** Removes the tool's own control groups that are empty; returns the paths of those that stay. */
export function removeOwnCgroups(tree: CgroupTree, root: string): readonly string[] {
  const stay: string[] = [];
  const remove = (path: string) => {
    const directory = tree.cgroupDirectory(path);
    if (!existsSync(directory)) return;
    for (const name of subdirectories(directory)) remove(`${path}/${name}`);
    if (removeCgroup(directory) !== undefined) stay.push(path);
  };
  remove(ownFolder(root));
  return stay;
}

function readProcesses(directory: string): readonly string[] {
  return readFileSync(join(directory, 'cgroup.procs'), 'utf8')
    .split('\n')
    .filter((line) => line !== '');
}

/** The processes that belong to the group: at its path and below, except in other groups' paths. */
export function countProcesses(
  tree: CgroupTree,
  path: string,
  groups: readonly Group[],
): number | undefined {
  const directory = tree.cgroupDirectory(path);
  try {
    const below = subdirectories(directory)
      .map((name) => (path === '/' ? `/${name}` : `${path}/${name}`))
      .filter((child) => !groups.some((group) => group.path === child))
      .map((child) => countProcesses(tree, child, groups) ?? 0);
    return below.reduce((sum, count) => sum + count, readProcesses(directory).length);
  } catch (error) {
    if (['ENOENT', 'ENODEV', 'EOPNOTSUPP'].includes(errnoOf(error) ?? '')) return undefined;
    throw error;
  }
}

/** Moves a process with all its threads. */
export function moveProcess(directory: string, pid: string | number): void {
  try {
    writeFileSync(join(directory, 'cgroup.procs'), String(pid));
  } catch (error) {
    const code = errnoOf(error);
    if (code === 'ESRCH') throw new CommandError(`there is no process ${pid}`, EXIT.unfit);
    if (code === undefined) throw error;
    const message = `process ${pid} can't be moved to ${directory} (${code})`;
    throw new CommandError(message, EXIT.resource);
  }
}
