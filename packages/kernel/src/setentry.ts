/**
 * An element of a named set as an entry of its map.
 *
 * The keys of both kinds of maps differ in their beginning alone, see SET_KEY. Addresses are in network order, those of
 * IPv4 in the last four bytes.
 */
import {
  addressBits,
  hasAddresses,
  hasPart,
  type NamedSet,
  type SetElement,
} from '@sockfilter/table';
import { COUNTED_ONE, NOMATCH, SET_COMMENT, SET_KEY, SET_VALUE } from './layout.js';

const NS_PER_SECOND = 1_000_000_000n;

/** The two kinds of maps that sets have, by the pin that holds them. */
export const KINDS = {
  sets: { type: 'hash', keySize: SET_KEY.bytes - SET_KEY.port },
  nets: { type: 'lpm_trie', keySize: SET_KEY.bytes },
} as const;

export type SetKind = keyof typeof KINDS;

export function kindOf({ type }: NamedSet): SetKind {
  return hasPart(type, 'network') ? 'nets' : 'sets';
}

/** How many bits of the key are before those of the set's addresses. */
function bitsBefore({ type, family }: NamedSet): number {
  return 8 * (SET_KEY.bytes - SET_KEY.port) - (hasAddresses(type) ? addressBits(family) : 0);
}

/** Where the keys of the set's map begin among the bytes of SET_KEY. */
export function keyStart(set: NamedSet): number {
  return SET_KEY.bytes - KINDS[kindOf(set)].keySize;
}

const LOW = 0xffff_ffff_ffff_ffffn;

/** Writes the key so that its SET_KEY begins at the offset, which is below 0 where the map's keys begin later. */
export function writeKey(
  view: DataView,
  at: number,
  set: NamedSet,
  element: SetElement,
  start = keyStart(set),
): void {
  const { address, prefix, protocol, port } = element;
  if (start === 0) view.setUint32(at + SET_KEY.prefix, bitsBefore(set) + prefix, true);
  view.setUint16(at + SET_KEY.port, port, true);
  view.setUint8(at + SET_KEY.protocol, protocol);
  if (set.family === 6) view.setBigUint64(at + SET_KEY.address, address >> 64n, false);
  view.setBigUint64(at + SET_KEY.address + 8, address & LOW, false);
}

export function encodeKey(set: NamedSet, element: SetElement): Uint8Array {
  const start = keyStart(set);
  const key = new Uint8Array(SET_KEY.bytes - start);
  writeKey(new DataView(key.buffer), -start, set, element);
  return key;
}

/** The key of its comment. */
export function commentKey(set: NamedSet, element: SetElement): Uint8Array {
  const key = new Uint8Array(SET_KEY.bytes);
  writeKey(new DataView(key.buffer), 0, set, element, 0);
  return key;
}

export function encodeComment(comment: string): Uint8Array {
  const value = new Uint8Array(SET_COMMENT.bytes);
  value.set(Buffer.from(comment, 'utf8'));
  return value;
}

export const decodeComment = (value: Uint8Array) =>
  Buffer.from(value).toString('utf8').replace(/\0+$/, '');

/** `now` in nanoseconds since boot. */
export function writeValue(
  view: DataView,
  at: number,
  set: NamedSet,
  { timeout, prefix, nomatch, packets = 0n }: SetElement,
  now: bigint,
): void {
  if (timeout !== undefined)
    view.setBigUint64(at + SET_VALUE.expires, now + BigInt(timeout) * NS_PER_SECOND, true);
  const lower = (bitsBefore(set) + prefix) | (nomatch ? NOMATCH : 0);
  view.setBigUint64(at + SET_VALUE.word, packets * BigInt(COUNTED_ONE) + BigInt(lower), true);
}

/** What the word of an element says. */
export function readWord(value: Uint8Array) {
  const word = new DataView(value.buffer, value.byteOffset).getBigUint64(SET_VALUE.word, true);
  const lower = Number(word % BigInt(COUNTED_ONE));
  return {
    keyBits: lower % NOMATCH,
    nomatch: lower >= NOMATCH,
    packets: word / BigInt(COUNTED_ONE),
  };
}

export function encodeValue(set: NamedSet, element: SetElement, now: bigint): Uint8Array {
  const value = new Uint8Array(SET_VALUE.bytes);
  writeValue(new DataView(value.buffer), 0, set, element, now);
  return value;
}

/** The element without its comment; undefined for one whose time is over. */
export function decode(
  set: NamedSet,
  entry: { readonly key: Uint8Array; readonly value: Uint8Array },
  now: bigint,
): SetElement | undefined {
  const value = new DataView(entry.value.buffer, entry.value.byteOffset);
  const expires = value.getBigUint64(SET_VALUE.expires, true);
  if (expires !== 0n && expires <= now) return undefined;
  const start = keyStart(set);
  const key = new DataView(entry.key.buffer, entry.key.byteOffset);
  const { keyBits, nomatch, packets } = readWord(entry.value);
  return {
    address:
      (key.getBigUint64(SET_KEY.address - start, false) << 64n) |
      key.getBigUint64(SET_KEY.address + 8 - start, false),
    prefix: keyBits - bitsBefore(set),
    protocol: key.getUint8(SET_KEY.protocol - start),
    port: key.getUint16(SET_KEY.port - start, true),
    timeout:
      expires === 0n ? undefined : Number((expires - now + NS_PER_SECOND - 1n) / NS_PER_SECOND),
    nomatch,
    packets: set.counters ? packets : undefined,
    comment: undefined,
  };
}
