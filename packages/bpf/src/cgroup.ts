import { constants, openSync, statSync } from 'node:fs';
import { parseMounts } from './mounts.js';
import type { Fd } from './syscall.js';

/** Where cgroup v2 is mounted, by the text of /proc/self/mounts; undefined if it is not. */
export function findCgroup2(mounts: string): string | undefined {
  return parseMounts(mounts).find(({ type }) => type === 'cgroup2')?.target;
}

/** Opens a directory, such as a cgroup, for calls that take its descriptor. */
export function openDirectory(path: string): Fd {
  return openSync(path, constants.O_RDONLY | constants.O_DIRECTORY);
}

/** A cgroup's id as programs see it (`bpf_get_current_cgroup_id`): its directory's inode number. */
export function cgroupId(path: string): bigint {
  return statSync(path, { bigint: true }).ino;
}
