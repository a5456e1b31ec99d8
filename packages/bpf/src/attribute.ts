// `union bpf_attr`: what bpf(2) takes. Each command has its own layout (linux/bpf.h); fields are named
// here by their byte offset, beside the command that uses them. A command passes only as many bytes as
// it needs: the kernel takes the rest as zero, so old kernels accept what new ones do.

import { BpfError } from './error.js';
import { holding, linux, type Syscalls } from './syscall.js';

/** Commands of bpf(2), `enum bpf_cmd`. */
const COMMANDS = {
  BPF_MAP_CREATE: 0,
  BPF_MAP_LOOKUP_ELEM: 1,
  BPF_MAP_UPDATE_ELEM: 2,
  BPF_MAP_DELETE_ELEM: 3,
  BPF_MAP_GET_NEXT_KEY: 4,
  BPF_PROG_LOAD: 5,
  BPF_OBJ_PIN: 6,
  BPF_OBJ_GET: 7,
  BPF_PROG_TEST_RUN: 10,
  BPF_PROG_GET_NEXT_ID: 11,
  BPF_MAP_GET_NEXT_ID: 12,
  BPF_PROG_GET_FD_BY_ID: 13,
  BPF_MAP_GET_FD_BY_ID: 14,
  BPF_OBJ_GET_INFO_BY_FD: 15,
  BPF_PROG_QUERY: 16,
  BPF_RAW_TRACEPOINT_OPEN: 17,
  BPF_BTF_LOAD: 18,
  BPF_BTF_GET_FD_BY_ID: 19,
  BPF_MAP_FREEZE: 22,
  BPF_BTF_GET_NEXT_ID: 23,
  BPF_MAP_LOOKUP_BATCH: 24,
  BPF_MAP_UPDATE_BATCH: 26,
  BPF_LINK_CREATE: 28,
  BPF_LINK_UPDATE: 29,
  BPF_LINK_GET_FD_BY_ID: 30,
  BPF_LINK_GET_NEXT_ID: 31,
  BPF_LINK_DETACH: 34,
} as const;

export type Command = keyof typeof COMMANDS;

/** The kernel's BPF_OBJ_NAME_LEN, which counts the closing NUL. */
const NAME_LENGTH = 16;

/** A `union bpf_attr` under construction; offsets and sizes are in bytes. */
export class Attribute {
  readonly bytes: Uint8Array;
  readonly #view: DataView;
  /** Kept here so that they live as long as the attribute that points to them. */
  readonly #pointers: { readonly offset: number; readonly target: Uint8Array }[] = [];

  constructor(size: number) {
    const buffer = new ArrayBuffer(size);
    this.bytes = new Uint8Array(buffer);
    this.#view = new DataView(buffer);
  }

  u32(offset: number, value: number): this {
    this.#view.setUint32(offset, value, true);
    return this;
  }

  u64(offset: number, value: bigint): this {
    this.#view.setBigUint64(offset, value, true);
    return this;
  }

  /** A pointer to a buffer, or NULL. */
  pointer(offset: number, target: Uint8Array | undefined): this {
    if (target !== undefined) this.#pointers.push({ offset, target });
    return this;
  }

  /** A name of at most 15 characters from `[A-Za-z0-9_.]`, else RangeError. */
  objectName(offset: number, name: string): this {
    if (name.length >= NAME_LENGTH || !/^[A-Za-z0-9_.]*$/.test(name)) {
      throw new RangeError(
        `\`${name}\` cannot be the name of a BPF object: at most 15 of A-Z a-z 0-9 _ .`,
      );
    }
    this.bytes.set(Buffer.from(name, 'latin1'), offset);
    return this;
  }

  readU32(offset: number): number {
    return this.#view.getUint32(offset, true);
  }

  /** Writes the addresses in: they hold while the attribute is held. */
  resolve(sys: Syscalls): void {
    for (const { offset, target } of this.#pointers) this.u64(offset, sys.address(target));
  }
}

/** Calls bpf(2) and returns its result or the negated error number. */
export function tryBpf(command: Command, attribute: Attribute, sys: Syscalls = linux): number {
  return holding(attribute, () => {
    attribute.resolve(sys);
    return sys.call('bpf', COMMANDS[command], attribute.bytes, attribute.bytes.length);
  });
}

/** Calls bpf(2); throws `BpfError` that names the command and `subject`. */
export function bpf(
  command: Command,
  subject: string,
  attribute: Attribute,
  sys: Syscalls = linux,
): number {
  const result = tryBpf(command, attribute, sys);
  if (result < 0) throw new BpfError(`${command} of ${subject}`, -result);
  return result;
}

/** The NUL-terminated name in a field of 16 bytes. */
export function readName(bytes: Uint8Array, offset: number): string {
  const field = bytes.subarray(offset, offset + NAME_LENGTH);
  const end = field.indexOf(0);
  return Buffer.from(end < 0 ? field : field.subarray(0, end)).toString('latin1');
}

/**
 * What the kernel says about an object, BPF_OBJ_GET_INFO_BY_FD: at most `size` bytes of
 * `struct bpf_prog_info`, `bpf_map_info` or `bpf_link_info`. Fields that the kernel does not know are 0.
 */
export function objectInfo(
  fd: number,
  size: number,
  pointers: readonly {
    readonly offset: number;
    readonly count: number;
    readonly target: Uint8Array;
  }[] = [],
  sys: Syscalls = linux,
): DataView {
  const info = new Attribute(size);
  for (const { offset, count, target } of pointers) {
    info.pointer(offset, target).u32(count, target.length / 4);
  }
  fillInfo(fd, info, sys);
  return new DataView(info.bytes.buffer);
}

/** Has the kernel fill in what it says about an object. */
export function fillInfo(fd: number, info: Attribute, sys: Syscalls = linux): void {
  const attribute = new Attribute(16).u32(0, fd).u32(4, info.bytes.length).pointer(8, info.bytes);
  holding(info, () => {
    info.resolve(sys);
    bpf('BPF_OBJ_GET_INFO_BY_FD', `${fd}`, attribute, sys);
  });
}

/** Opens an object by its id. Undefined if it is gone; needs CAP_SYS_ADMIN. */
export function openById(
  command: `BPF_${'PROG' | 'MAP' | 'BTF' | 'LINK'}_GET_FD_BY_ID`,
  id: number,
  sys: Syscalls = linux,
): number | undefined {
  const result = tryBpf(command, new Attribute(12).u32(0, id), sys);
  if (result === -2) return undefined;
  if (result < 0) throw new BpfError(`${command} of ${id}`, -result);
  return result;
}

/** The ids of all objects of a kind, in ascending order; needs CAP_SYS_ADMIN. */
export function* objectIds(
  command: `BPF_${'PROG' | 'MAP' | 'BTF' | 'LINK'}_GET_NEXT_ID`,
  sys: Syscalls = linux,
): Generator<number> {
  for (let id = 0; ; ) {
    const attribute = new Attribute(12).u32(0, id);
    const result = tryBpf(command, attribute, sys);
    if (result === -2) return;
    if (result < 0) throw new BpfError(command, -result);
    id = attribute.readU32(4);
    yield id;
  }
}
