/** Sets of packets described by boxes. */
import type { Field } from '@sockfilter/table';
import { pieceAt } from '../piece.js';
import type { Ref } from '../store.js';
import { type Box, FIELDS, isNamed, type KeyedBox, withField } from './box.js';
import { BoxCutter } from './boxcutter.js';
import type { PacketSet } from './packetset.js';

/** Merges the boxes that agree on all fields but this one. */
function mergeAlong(boxes: readonly KeyedBox[], field: Field): readonly KeyedBox[] {
  const at = FIELDS.indexOf(field);
  const merged = new Map<string, KeyedBox>();
  for (const each of boxes) {
    const key = isNamed(field, each) ? each.key : each.parts.with(at, '').join(';');
    const other = merged.get(key);
    if (!other) {
      merged.set(key, each);
      continue;
    }
    const [spans, others] = [each.box[field], other.box[field]];
    const both = spans && others ? [...others, ...spans] : undefined;
    merged.set(key, withField(each, field, both));
  }
  return merged.size === boxes.length ? boxes : [...merged.values()];
}

/**
 * Merges boxes until no two can be. Those of a cut can't, but for fields that a box need not name since
 * it holds no packet of the other values.
 */
function mergeAll(boxes: readonly KeyedBox[]): readonly KeyedBox[] {
  const merged = FIELDS.reduceRight(mergeAlong, boxes);
  return merged === boxes ? boxes : mergeAll(merged);
}

/**
 * The set as boxes that share no possible packet, and of which no two could be merged: none two agree
 * on all fields but one. A box stands for its possible packets. It names no flags, which chain and
 * protocol tell, nor, but for the chain, a field that makes no difference among its packets; it names
 * the family, and one alone, wherever it has an address. LimitError past `limit` boxes.
 */
export function boxes(set: PacketSet, limit: number = set.store.limits.boxes): readonly Box[] {
  const { store } = set;
  const withoutFlags = (ref: Ref) => store.forget(ref, (piece) => pieceAt(piece).field === 'flags');
  const cared = { set: withoutFlags(set.ref), care: withoutFlags(store.possible) };
  const cut = new BoxCutter(store, limit).cut(cared);
  return mergeAll(cut).map(({ box }) => box);
}
