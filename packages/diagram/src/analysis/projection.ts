/** Sets seen by some of their fields only. */
import type { Field } from '@sockfilter/table';
import { pieceAt } from '../piece.js';
import { type PacketSet, packetSet } from './packetset.js';

/**
 * The possible packets that agree in the fields of `keep` with some packet of the set; the other fields
 * become free. An address is kept together with its family.
 */
export function project(set: PacketSet, keep: readonly Field[]): PacketSet {
  const kept = new Set(keep);
  if (kept.has('source') || kept.has('destination')) kept.add('family');
  const { store, ref } = set;
  const shadow = store.forget(ref, (piece) => !kept.has(pieceAt(piece).field));
  return packetSet(store, store.intersect(store.possible, shadow));
}
