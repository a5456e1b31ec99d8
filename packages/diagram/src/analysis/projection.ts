/** Sets seen by some of their fields only. */
import type { Field } from '@sockfilter/table';
import { pieceAt } from '../piece.js';
import type { Ref } from '../store.js';
import { type PacketSet, packetSet } from './packetset.js';

/** All packets, possible or not, that agree in the fields with some packet of the set. */
export function shadow({ store, ref }: PacketSet, keep: readonly Field[]): Ref {
  const kept = new Set(keep);
  if (kept.has('source') || kept.has('destination')) kept.add('family');
  return store.forget(ref, (piece) => !kept.has(pieceAt(piece).field));
}

/**
 * The possible packets that agree in the fields of `keep` with some packet of the set; the other fields
 * become free. An address is kept together with its family.
 */
export function project(set: PacketSet, keep: readonly Field[]): PacketSet {
  const { store } = set;
  return packetSet(store, store.intersect(store.possible, shadow(set, keep)));
}
