/**
 * The synthetic packet: what a socket call looks like to a rule.
 *
 * It travels in the direction of the data that the call permits, so the destination is the address
 * that was asked for in BIND, CONNECT and SENDTO, and the address of ours that was reached in ACCEPT
 * and RECVFROM.
 */

import { type BuiltinChain, chainNumber } from './chains.js';
import { DETAIL_NAMES, type Detail, describeDetail, detailRecord } from './details.js';
import { LUCK_BITS } from './luck.js';

/** IP version: 4 or 6. */
export type Family = 4 | 6;

export const FAMILIES: readonly Family[] = [4, 6];

/**
 * One socket call, in host byte order throughout.
 *
 * `source` and `destination` are unsigned integers of 32 bits (family 4) or 128 bits (family 6); an
 * IPv4-mapped IPv6 address is a packet of family 4. `flags` is the TCP flags byte, 0 unless tcp.
 * `group` is the network_id, 0 for none. `uid` and `gid` are filesystem ids, in the initial user namespace. `mark` is the
 * socket's, SO_MARK. Details (details.ts) and drawn numbers (luck.ts) that are not there are 0.
 */
export interface Packet {
  readonly chain: BuiltinChain;
  readonly group: number;
  readonly family: Family;
  readonly protocol: number;
  readonly source: bigint;
  readonly destination: bigint;
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly flags: number;
  readonly uid: number;
  readonly gid: number;
  readonly mark: number;
  readonly netns?: bigint;
  readonly device?: bigint;
  readonly comm?: bigint;
  readonly chance?: number;
  readonly persistence?: number;
}

/** A field of the packet that a rule can test. */
export type Field = keyof Packet;

const DETAIL_BITS = detailRecord((detail) => describeDetail(detail).bits);

/** Width of each field in bits; the keys stand in the order in which the decision diagram asks. */
export const FIELD_BITS: Readonly<Record<Field, number>> = {
  chain: 8,
  group: 32,
  family: 8,
  protocol: 8,
  source: 128,
  destination: 128,
  destinationPort: 16,
  sourcePort: 16,
  flags: 8,
  uid: 32,
  gid: 32,
  mark: 32,
  ...DETAIL_BITS,
  ...LUCK_BITS,
};

function isField(name: string): name is Field {
  return Object.hasOwn(FIELD_BITS, name);
}

/** All fields in the order of FIELD_BITS. */
export const FIELDS: readonly Field[] = Object.keys(FIELD_BITS).filter(isField);

/** The value of a field as an unsigned integer; a chain's is its chainNumber(). */
export function fieldValue(packet: Packet, field: Field): bigint {
  const value = packet[field] ?? 0n;
  if (typeof value === 'bigint') return value;
  return BigInt(typeof value === 'string' ? chainNumber(value) : value);
}

/** The details that are said of, without those that are 0: what a packet has of them. */
export function packetDetails(read: (detail: Detail) => bigint): Partial<Record<Detail, bigint>> {
  const found: Partial<Record<Detail, bigint>> = {};
  for (const detail of DETAIL_NAMES) {
    const value = read(detail);
    if (value !== 0n) found[detail] = value;
  }
  return found;
}
