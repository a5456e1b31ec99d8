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

/** Whether what is mounted at `target` is a bpffs, by the text of /proc/self/mounts: the last mount there is the one that is seen. */
export function hasBpffs(mounts: string, target: string = DEFAULT_BPFFS): boolean {
  return parseMounts(mounts).findLast((each) => each.target === target)?.type === 'bpf';
}

/** Whether a path lies in a bpffs. */
export function isBpffs(path: string): boolean {
  return statfsSync(path).type === BPF_FS_MAGIC;
}

/**
 * Mounts a bpffs at `target`, with mode 0700, unless one is there; returns `target`. One that is mounted elsewhere is not taken:
 * whoever mounted it takes it away again, and with it what is pinned there.
 *
 * The mount spreads as the mount namespace says, as one that init makes at boot does. Throws
 * `BpfError`: EPERM without CAP_SYS_ADMIN, ENODEV if the kernel has no bpffs.
 */
export function mountBpffs(target: string = DEFAULT_BPFFS, sys: Syscalls = linux): string {
  if (hasBpffs(readFileSync('/proc/self/mounts', 'utf8'), target)) return target;
  mount('bpf', target, 'mode=0700', sys);
  return target;
}
