// A link holds a program to its hook. It lives as long as a descriptor or a pin of it does: a process
// that dies without pinning leaves nothing attached.

import { Attribute, bpf, objectIds, objectInfo, openById, tryBpf } from './attribute.js';
import { BpfError } from './error.js';
import { ATTACH_TYPES, type AttachType } from './program.js';
import { cString, type Fd, linux, type Syscalls } from './syscall.js';

/** Link types, `enum bpf_link_type` in linux/bpf.h. */
export const LINK_TYPES = Object.freeze({ raw_tracepoint: 1, tracing: 2, cgroup: 3 });

/**
 * Attaches a program to a cgroup, beside others (multi); returns the link's descriptor. Linux 5.7.
 *
 * The hook holds for the cgroup and everything below it. Throws `BpfError`: EPERM if an ancestor was
 * given a program that shuts others out (attached without multi or override).
 */
export function attachCgroup(
  programFd: Fd,
  cgroupFd: Fd,
  attachType: AttachType,
  sys: Syscalls = linux,
): Fd {
  const attribute = new Attribute(16)
    .u32(0, programFd)
    .u32(4, cgroupFd)
    .u32(8, ATTACH_TYPES[attachType]);
  return bpf('BPF_LINK_CREATE', attachType, attribute, sys);
}

/** Attaches a program to a tracepoint by name (`cgroup_mkdir`); returns the link's descriptor. */
export function attachRawTracepoint(programFd: Fd, name: string, sys: Syscalls = linux): Fd {
  const attribute = new Attribute(16).pointer(0, cString(name)).u32(8, programFd);
  return bpf('BPF_RAW_TRACEPOINT_OPEN', name, attribute, sys);
}

/** Puts another program of the same type in a cgroup link, at once: no call sees neither. Linux 5.7. */
export function updateLink(linkFd: Fd, programFd: Fd, sys: Syscalls = linux): void {
  bpf('BPF_LINK_UPDATE', `${linkFd}`, new Attribute(16).u32(0, linkFd).u32(4, programFd), sys);
}

/** Detaches a cgroup link; the link itself stays, defunct. Others refuse: EOPNOTSUPP. Linux 5.9. */
export function detachLink(linkFd: Fd, sys: Syscalls = linux): void {
  bpf('BPF_LINK_DETACH', `${linkFd}`, new Attribute(4).u32(0, linkFd), sys);
}

/** What the kernel says about a link; `type` is a number of `LINK_TYPES`. */
export interface LinkInfo {
  readonly type: number;
  readonly id: number;
  readonly programId: number;
  /** Links to cgroups only; the id is 0n once detached, and soon after the cgroup is removed. */
  readonly cgroup?: { readonly id: bigint; readonly attachType: number };
}

/** Describes a link: BPF_OBJ_GET_INFO_BY_FD. */
export function linkInfo(fd: Fd, sys: Syscalls = linux): LinkInfo {
  const view = objectInfo(fd, 32, [], sys);
  const common = {
    type: view.getUint32(0, true),
    id: view.getUint32(4, true),
    programId: view.getUint32(8, true),
  };
  if (common.type !== LINK_TYPES.cgroup) return common;
  return {
    ...common,
    cgroup: { id: view.getBigUint64(16, true), attachType: view.getUint32(24, true) },
  };
}

/** Opens a link by its id; undefined if it is gone. */
export const linkById = (id: number, sys: Syscalls = linux): Fd | undefined =>
  openById('BPF_LINK_GET_FD_BY_ID', id, sys);

/** The ids of all links on the machine. */
export const linkIds = (sys: Syscalls = linux): Generator<number> =>
  objectIds('BPF_LINK_GET_NEXT_ID', sys);

export const BPF_F_QUERY_EFFECTIVE = 1 << 0;

const ENOSPC = 28;

/**
 * The ids of the programs attached at a cgroup itself, in the order they run: BPF_PROG_QUERY.
 *
 * With BPF_F_QUERY_EFFECTIVE, those of its ancestors as well.
 */
export function queryCgroup(
  cgroupFd: Fd,
  attachType: AttachType,
  flags = 0,
  sys: Syscalls = linux,
): number[] {
  for (let room = 64; ; room *= 2) {
    const ids = new Uint8Array(4 * room);
    const attribute = new Attribute(32)
      .u32(0, cgroupFd)
      .u32(4, ATTACH_TYPES[attachType])
      .u32(8, flags)
      .pointer(16, ids)
      .u32(24, room);
    const result = tryBpf('BPF_PROG_QUERY', attribute, sys);
    if (result === -ENOSPC) continue;
    if (result < 0) throw new BpfError(`BPF_PROG_QUERY of ${attachType}`, -result);
    const view = new DataView(ids.buffer);
    const count = attribute.readU32(24);
    return Array.from({ length: count }, (_, index) => view.getUint32(4 * index, true));
  }
}
