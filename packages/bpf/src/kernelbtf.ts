/** The running kernel's own BTF. */
import { readFileSync, statSync } from 'node:fs';
import { Attribute, fillInfo, objectIds, openById, readName } from './attribute.js';
import { type Btf, parseBtf } from './btf.js';
import { BpfError } from './error.js';
import { largePages } from './memory.js';
import { close, type Fd, linux, type Syscalls } from './syscall.js';

const FILE = '/sys/kernel/btf/vmlinux';
const NAME = 'vmlinux';

/**
 * `struct bpf_btf_info`: where the data go and how many bytes there are u64, u32, id u32, where the name goes and how long it may be
 * u64, u32, whether it is the kernel's u32. The data are written as far as there is room.
 */
function btfInfo(fd: Fd, data: Uint8Array | undefined, sys: Syscalls) {
  const name = new Uint8Array(16);
  const info = new Attribute(32)
    .pointer(0, data)
    .u32(8, data?.length ?? 0)
    .pointer(16, name)
    .u32(24, name.length);
  fillInfo(fd, info, sys);
  return {
    size: info.readU32(8),
    isKernels: info.readU32(28) === 1 && readName(name, 0) === NAME,
  };
}

/** The kernel's BTF of a descriptor, if that is it and has this size. */
function copyOf(fd: Fd, wanted: number, sys: Syscalls): Uint8Array | undefined {
  const { isKernels, size } = btfInfo(fd, undefined, sys);
  if (!isKernels || size !== wanted) return undefined;
  const data = largePages(size, sys);
  btfInfo(fd, data, sys);
  return data;
}

/**
 * The file's bytes as the kernel itself has them, in one call: a read of the file gives 4 KiB at most, of 5 MB. Undefined where they are not
 * of this size, or the kernel does not give them: it does from Linux 5.11 on, to who has CAP_SYS_ADMIN.
 *
 * @internal
 */
export function kernelsCopy(size: number, sys: Syscalls = linux): Uint8Array | undefined {
  try {
    for (const id of objectIds('BPF_BTF_GET_NEXT_ID', sys)) {
      const fd = openById('BPF_BTF_GET_FD_BY_ID', id, sys);
      if (fd === undefined) continue;
      try {
        const copy = copyOf(fd, size, sys);
        if (copy) return copy;
      } finally {
        close(fd, sys);
      }
    }
    return undefined;
  } catch (error) {
    if (error instanceof BpfError) return undefined;
    throw error;
  }
}

let vmlinux: Btf | undefined;

/** The running kernel's types, those of /sys/kernel/btf/vmlinux; read once. Linux 5.4, if built with BTF. */
export function kernelBtf(): Btf {
  vmlinux ??= parseBtf(kernelsCopy(statSync(FILE).size) ?? readFileSync(FILE));
  return vmlinux;
}
