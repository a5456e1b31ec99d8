import { constants, openSync, statSync } from 'node:fs';
import { BpfError } from './error.js';
import { parseMounts } from './mounts.js';
import { type Fd, linux, type Syscalls } from './syscall.js';

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

const ESTALE = 116;
/** The type of kernfs's handles, which are a node's id (include/linux/exportfs.h). */
const FILEID_KERNFS = 0xfe;

/**
 * Opens a cgroup's directory by its id, however deep it lies; undefined once it is removed. `mount` is a
 * directory in the same cgroup2 mount. Throws `BpfError`: EPERM without CAP_DAC_READ_SEARCH.
 */
export function openCgroup(mount: Fd, id: bigint, sys: Syscalls = linux): Fd | undefined {
  const handle = new DataView(new ArrayBuffer(16));
  handle.setUint32(0, 8, true);
  handle.setUint32(4, FILEID_KERNFS, true);
  handle.setBigUint64(8, id, true);
  const flags = constants.O_RDONLY | constants.O_DIRECTORY | O_CLOEXEC;
  const result = sys.call('open_by_handle_at', mount, new Uint8Array(handle.buffer), flags);
  if (result === -ESTALE) return undefined;
  if (result < 0) throw new BpfError(`open_by_handle_at of control group ${id}`, -result);
  return result;
}

const O_CLOEXEC = 0o2000000;
