// A pin is a name in a bpffs that keeps a map, program or link alive without a process. The kernel
// refuses names with a dot (EPERM); a rename within the file system replaces as in any other.

import { readFileSync, statfsSync } from 'node:fs';
import { Attribute, bpf, tryBpf } from './attribute.js';
import { BpfError } from './error.js';
import { parseMounts } from './mounts.js';
import { cString, type Fd, linux, mount, type Syscalls } from './syscall.js';

const ENOENT = 2;

/** BPF_FS_MAGIC of linux/magic.h. */
const BPF_FS_MAGIC = 0xcafe4a11;

/** Where bpffs is mounted by convention. */
export const DEFAULT_BPFFS = '/sys/fs/bpf';

/** Gives an object a name in a bpffs. Throws `BpfError`: EEXIST, EPERM for a name with a dot. */
export function pin(fd: Fd, path: string, sys: Syscalls = linux): void {
  bpf('BPF_OBJ_PIN', path, new Attribute(16).pointer(0, cString(path)).u32(8, fd), sys);
}

/** Opens a pinned object; undefined if there is no such path. Throws `BpfError`. */
export function openPinned(path: string, sys: Syscalls = linux): Fd | undefined {
  const result = tryBpf('BPF_OBJ_GET', new Attribute(16).pointer(0, cString(path)), sys);
  if (result === -ENOENT) return undefined;
  if (result < 0) throw new BpfError(`BPF_OBJ_GET of ${path}`, -result);
  return result;
}

/**
 * The bpffs to use, by the text of /proc/self/mounts: /sys/fs/bpf if one is mounted there, else the
 * first; undefined if there is none.
 */
export function findBpffs(mounts: string): string | undefined {
  const targets = parseMounts(mounts)
    .filter(({ type }) => type === 'bpf')
    .map(({ target }) => target);
  return targets.includes(DEFAULT_BPFFS) ? DEFAULT_BPFFS : targets[0];
}

/** Whether a path lies in a bpffs. */
export function isBpffs(path: string): boolean {
  return statfsSync(path).type === BPF_FS_MAGIC;
}

/**
 * The path of a bpffs: one that is mounted, else `target` after mounting one there with mode 0700.
 *
 * The mount spreads as the mount namespace says, as one that init makes at boot does. Throws
 * `BpfError`: EPERM without CAP_SYS_ADMIN, ENODEV if the kernel has no bpffs.
 */
export function mountBpffs(target: string = DEFAULT_BPFFS, sys: Syscalls = linux): string {
  const mounted = findBpffs(readFileSync('/proc/self/mounts', 'utf8'));
  if (mounted !== undefined) return mounted;
  mount('bpf', target, 'mode=0700', sys);
  return target;
}
