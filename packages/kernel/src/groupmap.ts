/**
 * The network_ids of control groups: `groups` by cgroup, and `removed`, which leads from a removed cgroup
 * to its parent for as long as sockets belong to it.
 *
 * An entry has an id for each of two slots, and the generation in force says which slot holds. A
 * commit that changes groups fills the other slot in, then swaps: ids and rules change at once. With
 * each id goes the number of the assignment that it is of, which the generation names too: an id that
 * was inherited from one of another assignment does not hold, and fails closed.
 */
import {
  BPF_EXIST,
  BPF_F_NO_PREALLOC,
  BPF_NOEXIST,
  BpfError,
  createMap,
  type Fd,
  lookupBatch,
  remove,
  update,
} from '@sockfilter/bpf';
import { cgroupCapacity, removedCapacity } from './capacity.js';
import { GROUP_VALUE, REMOVED_VALUE } from './layout.js';

const KEY_BYTES = 8;
const ENOENT = 2;
const E2BIG = 7;
const ENOMEM = 12;
const EEXIST = 17;

export function createGroupMap(): Fd {
  return createMap({
    type: 'hash',
    name: 'sf_groups',
    keySize: KEY_BYTES,
    valueSize: GROUP_VALUE.bytes,
    maxEntries: cgroupCapacity(),
    flags: BPF_F_NO_PREALLOC,
  });
}

export function createRemovedMap(): Fd {
  return createMap({
    type: 'hash',
    name: 'sf_removed',
    keySize: KEY_BYTES,
    valueSize: REMOVED_VALUE.bytes,
    maxEntries: removedCapacity(),
    flags: BPF_F_NO_PREALLOC,
  });
}

/** A value for each of the two slots. */
export type Slots = readonly [number, number];

export function withSlot(slots: Slots, slot: number, value: number): Slots {
  return slot === 0 ? [value, slots[1]] : [slots[0], value];
}

/** The entry of a control group. Cgroup ids are inode numbers, which stay far below 2^53. */
export interface GroupEntry {
  readonly cgroup: number;
  readonly parent: number;
  readonly ids: Slots;
  readonly epochs: Slots;
}

function cgroupKey(cgroup: number): Uint8Array {
  const key = new DataView(new ArrayBuffer(KEY_BYTES));
  key.setBigUint64(0, BigInt(cgroup), true);
  return new Uint8Array(key.buffer);
}

/** The value of a control group in the map. @internal */
export function encodeEntry({ cgroup, parent, ids, epochs }: GroupEntry): Uint8Array {
  const value = new DataView(new ArrayBuffer(GROUP_VALUE.bytes));
  value.setBigUint64(GROUP_VALUE.cgroup, BigInt(cgroup), true);
  value.setBigUint64(GROUP_VALUE.parent, BigInt(parent), true);
  for (const slot of [0, 1] as const) {
    value.setUint32(GROUP_VALUE.ids + 4 * slot, ids[slot], true);
    value.setUint32(GROUP_VALUE.epochs + 4 * slot, epochs[slot], true);
  }
  return new Uint8Array(value.buffer);
}

function decodeEntry({ buffer, byteOffset }: Uint8Array): GroupEntry {
  const view = new DataView(buffer, byteOffset);
  const pair = (at: number): Slots => [view.getUint32(at, true), view.getUint32(at + 4, true)];
  return {
    cgroup: Number(view.getBigUint64(GROUP_VALUE.cgroup, true)),
    parent: Number(view.getBigUint64(GROUP_VALUE.parent, true)),
    ids: pair(GROUP_VALUE.ids),
    epochs: pair(GROUP_VALUE.epochs),
  };
}

/** The entries; of those that come meanwhile some may be missing. */
export function* groupEntries(groups: Fd): Generator<GroupEntry> {
  const sizes = { keySize: KEY_BYTES, valueSize: GROUP_VALUE.bytes };
  for (const { value } of lookupBatch(groups, sizes)) yield decodeEntry(value);
}

/** Replaces an entry; one that is gone stays gone: the programs remove entries meanwhile. */
export function replaceEntry(groups: Fd, entry: GroupEntry): void {
  try {
    update(groups, cgroupKey(entry.cgroup), encodeEntry(entry), BPF_EXIST);
  } catch (error) {
    if (!(error instanceof BpfError) || error.errno !== ENOENT) throw error;
  }
}

/**
 * Makes an entry whose ids do not hold for a cgroup that has none; false if it has one. Without room
 * it has none after it either, and fails closed.
 */
export function makeEntry(groups: Fd, cgroup: number, parent: number): boolean {
  try {
    const entry: GroupEntry = { cgroup, parent, ids: [0, 0], epochs: [0, 0] };
    update(groups, cgroupKey(cgroup), encodeEntry(entry), BPF_NOEXIST);
    return true;
  } catch (error) {
    const isExpected = error instanceof BpfError && [EEXIST, E2BIG, ENOMEM].includes(error.errno);
    if (!isExpected) throw error;
    return false;
  }
}

export function dropEntry(groups: Fd, cgroup: number): void {
  remove(groups, cgroupKey(cgroup));
}

/** Makes the entry of a cgroup that was removed unseen lead to its parent. */
export function retireEntry(
  maps: { readonly groups: Fd; readonly removed: Fd },
  { cgroup, parent }: GroupEntry,
): void {
  const value = new DataView(new ArrayBuffer(REMOVED_VALUE.bytes));
  value.setBigUint64(REMOVED_VALUE.cgroup, BigInt(cgroup), true);
  value.setBigUint64(REMOVED_VALUE.parent, BigInt(parent), true);
  try {
    update(maps.removed, cgroupKey(cgroup), new Uint8Array(value.buffer));
  } catch (error) {
    // Without room for it the sockets that are left fail closed.
    if (!(error instanceof BpfError) || ![E2BIG, ENOMEM].includes(error.errno)) throw error;
  }
  dropEntry(maps.groups, cgroup);
}

/** How many control groups have an entry. */
export function countCgroups(groups: Fd): number {
  let count = 0;
  for (const _ of groupEntries(groups)) count++;
  return count;
}

/** How many removed control groups lead to their parent still. */
export function countRemoved(removed: Fd): number {
  let count = 0;
  for (const _ of lookupBatch(removed, { keySize: KEY_BYTES, valueSize: REMOVED_VALUE.bytes }))
    count++;
  return count;
}
