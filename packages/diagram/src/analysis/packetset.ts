/** Sets of packets as values: every set lies within its universe's possible packets. */
import type { Packet } from '@sockfilter/table';
import { pieceValues } from '../piece.js';
import type { Ref } from '../store.js';
import { IN, OUT, type SetStore } from './setstore.js';

/** An opaque handle. Two sets of one universe hold the same packets if and only if their refs are equal. */
export interface PacketSet {
  readonly kind: 'packets';
  readonly store: SetStore;
  readonly ref: Ref;
}

export function packetSet(store: SetStore, ref: Ref): PacketSet {
  return Object.freeze({ kind: 'packets', store, ref });
}

function storeOf(a: PacketSet, b: PacketSet): SetStore {
  if (a.store !== b.store) throw new TypeError('the sets belong to different universes');
  return a.store;
}

export function union(a: PacketSet, b: PacketSet): PacketSet {
  const store = storeOf(a, b);
  return packetSet(store, store.union(a.ref, b.ref));
}

export function intersect(a: PacketSet, b: PacketSet): PacketSet {
  const store = storeOf(a, b);
  return packetSet(store, store.intersect(a.ref, b.ref));
}

/** The packets of `a` that are not in `b`. */
export function subtract(a: PacketSet, b: PacketSet): PacketSet {
  const store = storeOf(a, b);
  return packetSet(store, store.subtract(a.ref, b.ref));
}

export function isEmpty(a: PacketSet): boolean {
  return a.ref === OUT;
}

export function equals(a: PacketSet, b: PacketSet): boolean {
  storeOf(a, b);
  return a.ref === b.ref;
}

/** Whether the packet lies in the set; false for one that can't happen. */
export function includes(set: PacketSet, packet: Packet): boolean {
  return set.store.diagrams.walk(set.ref, pieceValues(packet)) === IN;
}
