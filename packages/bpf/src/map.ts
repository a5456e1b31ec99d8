import { Attribute, bpf, objectIds, objectInfo, openById, readName, tryBpf } from './attribute.js';
import { BpfError } from './error.js';
import { lockedTypes, type MapTypes, storageTypes } from './functiontypes.js';
import { close, type Fd, linux, type Syscalls } from './syscall.js';

/** Map types, `enum bpf_map_type` in linux/bpf.h. */
export const MAP_TYPES = Object.freeze({
  hash: 1,
  array: 2,
  prog_array: 3,
  perf_event_array: 4,
  percpu_hash: 5,
  percpu_array: 6,
  lru_hash: 9,
  lpm_trie: 11,
  array_of_maps: 12,
  hash_of_maps: 13,
  sk_storage: 24,
  ringbuf: 27,
});

export type MapType = keyof typeof MAP_TYPES;

/** A hash map allocates entries as they come. */
export const BPF_F_NO_PREALLOC = 1 << 0;
/** Programs, not system calls, may only read. */
export const BPF_F_RDONLY_PROG = 1 << 7;
/** An array map may be mapped into memory. */
export const BPF_F_MMAPABLE = 1 << 10;
/** An array map may stand in a map-in-map beside arrays of another max_entries. Linux 5.10. */
export const BPF_F_INNER_MAP = 1 << 12;

/** How an update treats an existing entry: either way, only a new one (EEXIST), only an old (ENOENT). */
export const BPF_ANY = 0;
export const BPF_NOEXIST = 1;
export const BPF_EXIST = 2;

export interface MapSpec {
  readonly type: MapType;
  /** At most 15 characters from `[A-Za-z0-9_.]`. */
  readonly name: string;
  /** Bytes; 4 for arrays, whose keys are host-order indices; 0 for ringbuf. */
  readonly keySize: number;
  /** Bytes; 4 for maps of maps, whose values are written as descriptors and read as ids. */
  readonly valueSize: number;
  /** Entries; for ringbuf its bytes, a power of two and a multiple of the page. */
  readonly maxEntries: number;
  readonly flags?: number;
  /** Maps of maps: a map that shows what inner maps look like. */
  readonly innerMapFd?: Fd;
  /** The types of key and value, which some maps must have. */
  readonly types?: { readonly fd: Fd; readonly key: number; readonly value: number };
}

const ENOENT = 2;

/** Creates a map; returns its descriptor. Throws `BpfError`. */
export function createMap(spec: MapSpec, sys: Syscalls = linux): Fd {
  const attribute = new Attribute(60)
    .u32(0, MAP_TYPES[spec.type])
    .u32(4, spec.keySize)
    .u32(8, spec.valueSize)
    .u32(12, spec.maxEntries)
    .u32(16, spec.flags ?? 0)
    .u32(20, spec.innerMapFd ?? 0)
    .u32(48, spec.types?.fd ?? 0)
    .u32(52, spec.types?.key ?? 0)
    .u32(56, spec.types?.value ?? 0)
    .objectName(28, spec.name);
  return bpf('BPF_MAP_CREATE', spec.name, attribute, sys);
}

/** A map that keeps so many bytes, a multiple of 4, in a socket, as long as that is there. Linux 5.2. Throws `BpfError`. */
export function createSocketStorage(name: string, valueSize: number, sys: Syscalls = linux): Fd {
  return createTyped(
    { type: 'sk_storage', name, keySize: 4, valueSize, maxEntries: 0, flags: BPF_F_NO_PREALLOC },
    storageTypes(valueSize),
    sys,
  );
}

function createTyped(spec: MapSpec, { btf, key, value }: MapTypes, sys: Syscalls): Fd {
  const attribute = new Attribute(28).pointer(0, btf).u32(16, btf.length);
  const fd = bpf('BPF_BTF_LOAD', spec.name, attribute, sys);
  try {
    return createMap({ ...spec, types: { fd, key, value } }, sys);
  } finally {
    close(fd, sys);
  }
}

/**
 * A map whose values begin with a lock, of 4 bytes, that `spin_lock` takes; sizes are multiples of 4. Linux 5.1.
 * Throws `BpfError`.
 */
export function createLockedMap(spec: Omit<MapSpec, 'types'>, sys: Syscalls = linux): Fd {
  return createTyped(spec, lockedTypes(spec.keySize, spec.valueSize), sys);
}

const element = (fd: Fd, key: Uint8Array | undefined, value: Uint8Array | undefined): Attribute =>
  new Attribute(32).u32(0, fd).pointer(8, key).pointer(16, value);

/**
 * The value at a key, or undefined if there is none.
 *
 * `valueSize` must be the map's; in a per-CPU map it is 8-rounded value size times possible CPUs.
 */
export function lookup(
  fd: Fd,
  key: Uint8Array,
  valueSize: number,
  sys: Syscalls = linux,
): Uint8Array | undefined {
  const value = new Uint8Array(valueSize);
  return lookupInto(fd, key, value, sys) ? value : undefined;
}

/** As lookup(), into bytes that are there, as many as a value has; false if there is none. */
export function lookupInto(
  fd: Fd,
  key: Uint8Array,
  value: Uint8Array,
  sys: Syscalls = linux,
): boolean {
  const result = tryBpf('BPF_MAP_LOOKUP_ELEM', element(fd, key, value), sys);
  if (result === -ENOENT) return false;
  if (result < 0) throw new BpfError(`BPF_MAP_LOOKUP_ELEM in ${fd}`, -result);
  return true;
}

/** Writes an entry. Throws `BpfError`: EEXIST, ENOENT as the flags say, E2BIG if the map is full. */
export function update(
  fd: Fd,
  key: Uint8Array,
  value: Uint8Array,
  flags: number = BPF_ANY,
  sys: Syscalls = linux,
): void {
  bpf('BPF_MAP_UPDATE_ELEM', `${fd}`, element(fd, key, value).u64(24, BigInt(flags)), sys);
}

/** Removes an entry; returns false if there was none. Arrays refuse: EINVAL. */
export function remove(fd: Fd, key: Uint8Array, sys: Syscalls = linux): boolean {
  const result = tryBpf('BPF_MAP_DELETE_ELEM', element(fd, key, undefined), sys);
  if (result === -ENOENT) return false;
  if (result < 0) throw new BpfError(`BPF_MAP_DELETE_ELEM in ${fd}`, -result);
  return true;
}

/**
 * The key after `key`, the first without one, undefined after the last.
 *
 * A key that is gone from a hash map leads back to the first.
 */
export function nextKey(
  fd: Fd,
  key: Uint8Array | undefined,
  keySize: number,
  sys: Syscalls = linux,
): Uint8Array | undefined {
  const next = new Uint8Array(keySize);
  const result = tryBpf('BPF_MAP_GET_NEXT_KEY', element(fd, key, next), sys);
  if (result === -ENOENT) return undefined;
  if (result < 0) throw new BpfError(`BPF_MAP_GET_NEXT_KEY in ${fd}`, -result);
  return next;
}

export interface Entry {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

/** All keys, of which the reader may remove the one it gets. */
export function* entryKeys(fd: Fd, keySize: number, sys: Syscalls = linux): Generator<Uint8Array> {
  for (let key = nextKey(fd, undefined, keySize, sys); key !== undefined; ) {
    // The successor first: the reader may remove the entry.
    const following = nextKey(fd, key, keySize, sys);
    yield key;
    key = following;
  }
}

/**
 * All entries, one system call or two each. Entries that come or go meanwhile may be missed, and ones
 * that stay are seen again if the key just read is removed.
 */
export function* entries(
  fd: Fd,
  sizes: { readonly keySize: number; readonly valueSize: number },
  sys: Syscalls = linux,
): Generator<Entry> {
  for (const key of entryKeys(fd, sizes.keySize, sys)) {
    const value = lookup(fd, key, sizes.valueSize, sys);
    if (value !== undefined) yield { key, value };
  }
}

/** Makes a map read-only for system calls, for good: BPF_MAP_FREEZE. */
export function freeze(fd: Fd, sys: Syscalls = linux): void {
  bpf('BPF_MAP_FREEZE', `${fd}`, new Attribute(4).u32(0, fd), sys);
}

/** What the kernel says about a map; `type` is a number of `MAP_TYPES`. */
export interface MapInfo {
  readonly type: number;
  readonly id: number;
  readonly keySize: number;
  readonly valueSize: number;
  readonly maxEntries: number;
  readonly flags: number;
  readonly name: string;
}

/** Describes a map: BPF_OBJ_GET_INFO_BY_FD. */
export function mapInfo(fd: Fd, sys: Syscalls = linux): MapInfo {
  const view = objectInfo(fd, 88, [], sys);
  return {
    type: view.getUint32(0, true),
    id: view.getUint32(4, true),
    keySize: view.getUint32(8, true),
    valueSize: view.getUint32(12, true),
    maxEntries: view.getUint32(16, true),
    flags: view.getUint32(20, true),
    name: readName(new Uint8Array(view.buffer), 24),
  };
}

/** Opens a map by its id, as a map of maps gives it; undefined if it is gone. */
export const mapById = (id: number, sys: Syscalls = linux): Fd | undefined =>
  openById('BPF_MAP_GET_FD_BY_ID', id, sys);

/** The ids of all maps on the machine. */
export const mapIds = (sys: Syscalls = linux): Generator<number> =>
  objectIds('BPF_MAP_GET_NEXT_ID', sys);
