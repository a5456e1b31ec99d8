import { Attribute, tryBpf } from './attribute.js';
import { BpfError } from './error.js';
import type { Entry } from './map.js';
import { type Fd, linux, type Syscalls } from './syscall.js';

const ENOENT = 2;
const ENOSPC = 28;

const batch = (fd: Fd, keys: Uint8Array, values: Uint8Array, count: number): Attribute =>
  new Attribute(56).pointer(16, keys).pointer(24, values).u32(32, count).u32(36, fd);

/**
 * All entries of a hash or array map, many in one system call. Linux 5.6.
 *
 * Throws `BpfError`: ENOTSUPP for map types without batches.
 */
export function* lookupBatch(
  fd: Fd,
  sizes: { readonly keySize: number; readonly valueSize: number },
  chunk = 4096,
  sys: Syscalls = linux,
): Generator<Entry> {
  const { keySize, valueSize } = sizes;
  let size = chunk;
  // The position is the kernel's own: at most a key, and at least the 4 bytes of a bucket number.
  let position: Uint8Array | undefined;
  for (;;) {
    const keys = new Uint8Array(size * keySize);
    const values = new Uint8Array(size * valueSize);
    const next = new Uint8Array(Math.max(keySize, 4));
    const attribute = batch(fd, keys, values, size).pointer(0, position).pointer(8, next);
    const result = tryBpf('BPF_MAP_LOOKUP_BATCH', attribute, sys);
    if (result === -ENOSPC) {
      // One hash bucket holds more than a chunk.
      size *= 2;
      continue;
    }
    if (result < 0 && result !== -ENOENT) {
      throw new BpfError(`BPF_MAP_LOOKUP_BATCH in ${fd}`, -result);
    }
    const count = attribute.readU32(32);
    for (let index = 0; index < count; index += 1) {
      yield {
        key: keys.subarray(index * keySize, (index + 1) * keySize),
        value: values.subarray(index * valueSize, (index + 1) * valueSize),
      };
    }
    if (result === -ENOENT) return;
    position = next;
  }
}

/**
 * Writes `count` entries, keys and values each packed in one buffer, in one system call. Linux 5.6.
 *
 * Not atomic: on an error the entries before it are written.
 */
export function updateBatch(
  fd: Fd,
  keys: Uint8Array,
  values: Uint8Array,
  count: number,
  sys: Syscalls = linux,
): void {
  if (count === 0) return;
  const result = tryBpf('BPF_MAP_UPDATE_BATCH', batch(fd, keys, values, count), sys);
  if (result < 0) throw new BpfError(`BPF_MAP_UPDATE_BATCH in ${fd}`, -result);
}

/** The keys of an array map from one on, packed. */
function indices(first: number, count: number): Uint8Array {
  return new Uint8Array(Uint32Array.from({ length: count }, (_, n) => first + n).buffer);
}

/**
 * Reads values of an array map that follow each other, the first at an index, as many as fill the bytes; in one system
 * call. Gives how many there are. Linux 5.6.
 */
export function lookupRun(
  fd: Fd,
  first: number,
  values: Uint8Array,
  valueSize: number,
  sys: Syscalls = linux,
): number {
  const count = values.length / valueSize;
  const before = first === 0 ? undefined : indices(first - 1, 1);
  const attribute = batch(fd, indices(0, count), values, count)
    .pointer(0, before)
    .pointer(8, indices(0, 1));
  const result = tryBpf('BPF_MAP_LOOKUP_BATCH', attribute, sys);
  if (result < 0 && result !== -ENOENT)
    throw new BpfError(`BPF_MAP_LOOKUP_BATCH in ${fd}`, -result);
  return attribute.readU32(32);
}

/** Writes such values. Throws `BpfError`: E2BIG where the map has not so many. */
export function updateRun(
  fd: Fd,
  first: number,
  values: Uint8Array,
  valueSize: number,
  sys: Syscalls = linux,
): void {
  const count = values.length / valueSize;
  updateBatch(fd, indices(first, count), values, count, sys);
}
