/**
 * Named sets in the kernel: each is a map of its own in a slot of the pin `sets`, or `nets` if its elements are
 * networks. A generation says which slot each of its sets has, so that sets change at once with rules; and an
 * element that is added to a set in force is one update of its map.
 *
 * The keys of both kinds differ in their beginning alone, see SET_KEY. Addresses are in network order, those of
 * IPv4 in the last four bytes.
 */
import {
  BPF_ANY,
  BPF_F_NO_PREALLOC,
  BPF_NOEXIST,
  BpfError,
  close,
  createMap,
  entries,
  type Fd,
  lookup,
  lookupBatch,
  type MapSpec,
  mapById,
  remove,
  update,
  updateBatch,
} from '@sockfilter/bpf';
import {
  addressBits,
  elementAt,
  fullSet,
  hasAddresses,
  hasPart,
  type NamedSet,
  type SetElement,
  TableError,
} from '@sockfilter/table';
import { bootTime } from './bootclock.js';
import { DamageError } from './damage.js';
import { SET_KEY, SET_SLOTS, SET_VALUE } from './layout.js';
import { using } from './pins.js';

/** A full hash, and a full trie. */
const FULL = [7, 28];
const EEXIST = [17];
const NS_PER_SECOND = 1_000_000_000n;

/** The two kinds of maps that sets have, by the pin that holds them. */
const KINDS = {
  sets: { type: 'hash', keySize: SET_KEY.bytes - SET_KEY.port },
  nets: { type: 'lpm_trie', keySize: SET_KEY.bytes },
} as const;

export type SetKind = keyof typeof KINDS;

/** The maps of maps by kind. */
export type SetMaps = Readonly<Record<SetKind, Fd>>;

function kindOf({ type }: NamedSet): SetKind {
  return hasPart(type, 'network') ? 'nets' : 'sets';
}

function specOf(kind: SetKind, maxEntries: number): MapSpec {
  return {
    ...KINDS[kind],
    name: `sf_${kind}`,
    valueSize: SET_VALUE.bytes,
    maxEntries,
    flags: BPF_F_NO_PREALLOC,
  };
}

/** The map of all sets of a kind. */
export function createSetMaps(kind: SetKind): Fd {
  return using(createMap(specOf(kind, 1)), (innerMapFd) =>
    createMap({
      type: 'array_of_maps',
      name: `sf_all_${kind}`,
      keySize: 4,
      valueSize: 4,
      maxEntries: SET_SLOTS,
      innerMapFd,
    }),
  );
}

/** The slot of each set of a table. */
export type SetSlots = readonly number[];

/** Which set of the table before each set goes on, with what that holds; undefined: it begins anew. */
export type SetOrigins = readonly (number | undefined)[];

function slotKey(slot: number): Uint8Array {
  const key = new Uint8Array(4);
  new DataView(key.buffer).setUint32(0, slot, true);
  return key;
}

/** How many bits of the key are before those of the set's addresses. */
function bitsBefore({ type, family }: NamedSet): number {
  return 8 * (SET_KEY.bytes - SET_KEY.port) - (hasAddresses(type) ? addressBits(family) : 0);
}

/** Where the keys of the set's map begin among the bytes of SET_KEY. */
function keyStart(set: NamedSet): number {
  return SET_KEY.bytes - KINDS[kindOf(set)].keySize;
}

const LOW = 0xffff_ffff_ffff_ffffn;

/** Writes the key so that its SET_KEY begins at the offset, which is below 0 where the map's keys begin later. */
function writeKey(view: DataView, at: number, set: NamedSet, element: SetElement): void {
  const { address, prefix, protocol, port } = element;
  if (keyStart(set) === 0) view.setUint32(at + SET_KEY.prefix, bitsBefore(set) + prefix, true);
  view.setUint16(at + SET_KEY.port, port, true);
  view.setUint8(at + SET_KEY.protocol, protocol);
  if (set.family === 6) view.setBigUint64(at + SET_KEY.address, address >> 64n, false);
  view.setBigUint64(at + SET_KEY.address + 8, address & LOW, false);
}

function encodeKey(set: NamedSet, element: SetElement): Uint8Array {
  const start = keyStart(set);
  const key = new Uint8Array(SET_KEY.bytes - start);
  writeKey(new DataView(key.buffer), -start, set, element);
  return key;
}

/** `now` in nanoseconds since boot. */
function writeValue(
  view: DataView,
  at: number,
  set: NamedSet,
  { timeout, prefix }: SetElement,
  now: bigint,
): void {
  if (timeout !== undefined)
    view.setBigUint64(at + SET_VALUE.expires, now + BigInt(timeout) * NS_PER_SECOND, true);
  view.setUint32(at + SET_VALUE.prefix, bitsBefore(set) + prefix, true);
}

function encodeValue(set: NamedSet, element: SetElement, now: bigint): Uint8Array {
  const value = new Uint8Array(SET_VALUE.bytes);
  writeValue(new DataView(value.buffer), 0, set, element, now);
  return value;
}

/** The element; undefined for one whose time is over. */
function decode(
  set: NamedSet,
  entry: { readonly key: Uint8Array; readonly value: Uint8Array },
  now: bigint,
): SetElement | undefined {
  const value = new DataView(entry.value.buffer, entry.value.byteOffset);
  const expires = value.getBigUint64(SET_VALUE.expires, true);
  if (expires !== 0n && expires <= now) return undefined;
  const start = keyStart(set);
  const key = new DataView(entry.key.buffer, entry.key.byteOffset);
  return {
    address:
      (key.getBigUint64(SET_KEY.address - start, false) << 64n) |
      key.getBigUint64(SET_KEY.address + 8 - start, false),
    prefix: value.getUint32(SET_VALUE.prefix, true) - bitsBefore(set),
    protocol: key.getUint8(SET_KEY.protocol - start),
    port: key.getUint16(SET_KEY.port - start, true),
    timeout:
      expires === 0n ? undefined : Number((expires - now + NS_PER_SECOND - 1n) / NS_PER_SECOND),
  };
}

function* entriesOf(fd: Fd, kind: SetKind) {
  const sizes = { keySize: KINDS[kind].keySize, valueSize: SET_VALUE.bytes };
  yield* kind === 'nets' ? entries(fd, sizes) : lookupBatch(fd, sizes);
}

const order = (a: SetElement, b: SetElement) =>
  (a.address < b.address ? -1 : a.address > b.address ? 1 : 0) ||
  a.prefix - b.prefix ||
  a.protocol - b.protocol ||
  a.port - b.port;

/** A map of the set with its elements. */
function makeSet(set: NamedSet, now: bigint): Fd {
  const fd = createMap(specOf(kindOf(set), set.maxelem));
  const { elements } = set;
  const start = keyStart(set);
  const keySize = SET_KEY.bytes - start;
  const keys = new Uint8Array(keySize * elements.length);
  const values = new Uint8Array(SET_VALUE.bytes * elements.length);
  const [keyView, valueView] = [new DataView(keys.buffer), new DataView(values.buffer)];
  elements.forEach((element, n) => {
    writeKey(keyView, keySize * n - start, set, element);
    writeValue(valueView, SET_VALUE.bytes * n, set, element, now);
  });
  try {
    updateBatch(fd, keys, values, elements.length);
  } catch (error) {
    close(fd);
    throw error;
  }
  return fd;
}

/** Opens the map of a set in the slot, for `use`. Throws DamageError if there is none. */
function withSetMap<T>(maps: SetMaps, set: NamedSet, slot: number, use: (fd: Fd) => T): T {
  const id = lookup(maps[kindOf(set)], slotKey(slot), 4);
  const fd = id && mapById(new DataView(id.buffer).getUint32(0, true));
  if (fd === undefined)
    throw new DamageError(
      `what set \`${set.name}\` holds is gone`,
      'save the rules, run `sockfilter teardown`, and restore them',
    );
  return using(fd, use);
}

/** The set with what it holds at the moment, in order. */
export function readSet(maps: SetMaps, set: NamedSet, slot: number): NamedSet {
  return withSetMap(maps, set, slot, (fd) => {
    const now = bootTime();
    const elements: SetElement[] = [];
    for (const entry of entriesOf(fd, kindOf(set))) {
      const element = decode(set, entry, now);
      if (element) elements.push(element);
    }
    return { ...set, elements: elements.sort(order) };
  });
}

/**
 * Gives each set a slot: that of the one that it goes on, else one in no use, with a map of what it holds. No
 * program looks there before a generation says so. Timeouts run from `now`, in ns since boot.
 */
export function placeSets(
  maps: SetMaps,
  sets: readonly NamedSet[],
  origins: SetOrigins,
  inUse: SetSlots,
  now = bootTime(),
): SetSlots {
  const taken = new Set(inUse);
  let next = 0;
  return sets.map((set, n) => {
    const origin = origins[n];
    if (origin !== undefined) return elementAt(inUse, origin);
    do next++;
    while (taken.has(next));
    putSet(maps, set, next, now);
    return next;
  });
}

function putSet(maps: SetMaps, set: NamedSet, slot: number, now: bigint): void {
  using(makeSet(set, now), (fd) => {
    const value = new Uint8Array(4);
    new DataView(value.buffer).setUint32(0, fd, true);
    update(maps[kindOf(set)], slotKey(slot), value);
  });
}

/** Lets go of the sets of a generation that is not in force any more, but for the slots that are kept. */
export function dropSets(maps: SetMaps, slots: SetSlots, kept: SetSlots): void {
  for (const slot of slots) {
    if (kept.includes(slot)) continue;
    // Removing waits for the programs that run, looking does not.
    for (const map of [maps.sets, maps.nets])
      if (lookup(map, slotKey(slot), 4)) remove(map, slotKey(slot));
  }
}

/** Removes elements whose time is over. */
function purge(fd: Fd, set: NamedSet): void {
  const now = bootTime();
  const gone = [...entriesOf(fd, kindOf(set))].filter((entry) => !decode(set, entry, now));
  for (const { key } of gone) remove(fd, key);
}

const isErrno = (error: unknown, errnos: readonly number[]) =>
  error instanceof BpfError && errnos.includes(error.errno);

/**
 * Whether the map has the element, or, if `holds`, a network that holds it; what has timed out is as if it
 * were not there.
 */
function isAlive(fd: Fd, set: NamedSet, key: Uint8Array, holds: boolean): boolean {
  const now = bootTime();
  const shorter = key.slice();
  const view = new DataView(shorter.buffer);
  for (;;) {
    const value = lookup(fd, shorter, SET_VALUE.bytes);
    if (!value) return false;
    const found = decode(set, { key: shorter, value }, now) !== undefined;
    if (kindOf(set) !== 'nets') return found;
    const prefix = new DataView(value.buffer).getUint32(SET_VALUE.prefix, true);
    const isExact = prefix === new DataView(key.buffer).getUint32(SET_KEY.prefix, true);
    if (found && (isExact || holds)) return true;
    if (!holds || prefix === 0) return false;
    view.setUint32(SET_KEY.prefix, prefix - 1, true);
  }
}

/** How a set takes what it has, and lets go of what it has not. */
export interface ElementOptions {
  readonly exist: boolean;
}

/** Adds elements to a set in force. All or none: TableError for one that is there, and past maxelem. */
export function addToSet(
  maps: SetMaps,
  set: NamedSet,
  slot: number,
  elements: readonly SetElement[],
  { exist }: ElementOptions,
): void {
  withSetMap(maps, set, slot, (fd) => {
    const keys = elements.map((element) => encodeKey(set, element));
    if (!exist && keys.some((key) => isAlive(fd, set, key, false)))
      throw new TableError("Element cannot be added to the set: it's already added");
    const now = bootTime();
    const added: Uint8Array[] = [];
    try {
      elements.forEach((element, n) => {
        const key = elementAt(keys, n);
        if (addOne(fd, set, key, encodeValue(set, element, now))) added.push(key);
      });
    } catch (error) {
      for (const key of added) remove(fd, key);
      throw isErrno(error, FULL) ? fullSet(set) : error;
    }
  });
}

/** Whether it was not there. */
function addOne(fd: Fd, set: NamedSet, key: Uint8Array, value: Uint8Array): boolean {
  const put = () => {
    try {
      update(fd, key, value, BPF_NOEXIST);
      return true;
    } catch (error) {
      if (!isErrno(error, EEXIST)) throw error;
      update(fd, key, value, BPF_ANY);
      return false;
    }
  };
  try {
    return put();
  } catch (error) {
    // What has timed out takes no room.
    if (!isErrno(error, FULL) || set.timeout === undefined) throw error;
    purge(fd, set);
    return put();
  }
}

/** Takes elements out of a set in force. TableError for one that is not there, unless that is no fault. */
export function deleteFromSet(
  maps: SetMaps,
  set: NamedSet,
  slot: number,
  elements: readonly SetElement[],
  { exist }: ElementOptions,
): void {
  withSetMap(maps, set, slot, (fd) => {
    const keys = elements.map((element) => encodeKey(set, element));
    if (!exist && !keys.every((key) => isAlive(fd, set, key, false)))
      throw new TableError("Element cannot be deleted from the set: it's not added");
    for (const key of keys) remove(fd, key);
  });
}

/** Whether the set in force has the element, or a network that holds it. */
export function hasElement(
  maps: SetMaps,
  set: NamedSet,
  slot: number,
  element: SetElement,
): boolean {
  return withSetMap(maps, set, slot, (fd) => isAlive(fd, set, encodeKey(set, element), true));
}

/** Empties a set in force, at one moment: an empty map takes the place of its map. */
export function emptySet(maps: SetMaps, set: NamedSet, slot: number): void {
  putSet(maps, { ...set, elements: [] }, slot, 0n);
}
