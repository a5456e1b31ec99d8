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
import { EXIT } from '@sockfilter/language';
import { escapePath, isBelow } from '@sockfilter/table';
import { errnoOf } from './errno.js';
import { CommandError } from './failure.js';
import { note } from './output.js';

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
    if (['EBUSY', 'ENOTEMPTY', 'ENAMETOOLONG'].includes(code ?? ''))
      return 'it has processes or control groups in it';
    throw error;
  }
}

function subdirectories(directory: string): readonly string[] {
  return readdirSync(directory, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name);
}

/**
 * Removes the tool's own control groups that are empty; returns the paths of those that stay. Whoever
 * one was delegated to may have made any depth below it.
 */
export function removeOwnCgroups(tree: CgroupTree, root: string): readonly string[] {
  const stay: string[] = [];
  const found = [ownFolder(root)];
  for (let at = 0; at < found.length; at++) {
    const path = found[at] ?? '';
    try {
      const names = subdirectories(tree.cgroupDirectory(path));
      for (const name of names) found.push(`${path}/${escapePath(name)}`);
    } catch (error) {
      // What lies deeper than a path can be long stays, and so does all above it.
      if (!['ENOENT', 'ENAMETOOLONG'].includes(errnoOf(error) ?? '')) throw error;
    }
  }
  for (const path of found.toReversed())
    if (removeCgroup(tree.cgroupDirectory(path)) !== undefined) stay.push(path);
  return stay;
}

/** The path of the process's control group as the kernel has it; undefined if there is no such process. */
function cgroupOf(pid: string): string | undefined {
  try {
    return /^0::(.*)$/m.exec(readFileSync(`/proc/${pid}/cgroup`, 'utf8'))?.[1];
  } catch (error) {
    if (['ENOENT', 'ESRCH'].includes(errnoOf(error) ?? '')) return undefined;
    throw error;
  }
}

/** Moves all of the processes, or none: those that have moved go back where one can't. */
export function moveProcesses(tree: CgroupTree, directory: string, pids: readonly string[]): void {
  const homes = pids.map((pid) => {
    const home = cgroupOf(pid);
    if (home === undefined) throw new CommandError(`there is no process ${pid}`, EXIT.unfit);
    return { pid, home: tree.cgroupDirectory(escapePath(home)) };
  });
  const moved: { readonly pid: string; readonly home: string }[] = [];
  try {
    for (const each of homes) {
      moveProcess(directory, each.pid);
      moved.push(each);
    }
  } catch (error) {
    for (const { pid, home } of moved.toReversed()) {
      try {
        moveProcess(home, pid);
      } catch {
        note(`process ${pid} stays in ${directory}: it can't go back to ${home}`);
      }
    }
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
