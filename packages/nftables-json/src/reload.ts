/** A listing as nft takes it back. */
import type { Document, Item, ItemKind } from './document.js';

/** What must be there before what refers to it. Commands are where they are. */
const LOADING: readonly ItemKind[] = [
  'metainfo',
  'table',
  'chain',
  'flowtable',
  'counter',
  'quota',
  'limit',
  'ct helper',
  'ct timeout',
  'ct expectation',
  'synproxy',
  'secmark',
  'tunnel',
  'set',
  'map',
  'meter',
  'element',
  'rule',
];

const PLACES = new Map<string, number>(LOADING.map((kind, place) => [kind, place]));

function placeOf(item: Item): number | undefined {
  for (const key in item) {
    const place = PLACES.get(key);
    if (place !== undefined) return place;
  }
  return undefined;
}

/**
 * Puts a listing in an order in which nft takes it back: up to 1.0.6 it prints maps of verdicts before the
 * chains that they lead to. A document with commands stays as it is: their order is their meaning.
 */
export function reloadable(document: Document): Document {
  const placed = document.nftables.map((item) => ({ item, place: placeOf(item) }));
  if (placed.some(({ place }) => place === undefined)) return document;
  const sorted = placed.toSorted((a, b) => (a.place ?? 0) - (b.place ?? 0));
  return { ...document, nftables: sorted.map(({ item }) => item) };
}
