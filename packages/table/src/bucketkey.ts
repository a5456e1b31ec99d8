/** What tells the buckets of one test apart. */
import { type Family, fieldValue, type Packet } from './packet.js';
import { addressBits } from './words/address.js';

/** What of a call can be looked at, in the order in which it is printed. */
export const KEY_FIELDS = ['srcip', 'srcport', 'dstip', 'dstport', 'group'] as const;

export type KeyField = (typeof KEY_FIELDS)[number];

/** Which calls have a bucket together: those that agree in all fields, of addresses in so many bits. */
export interface BucketKey {
  readonly fields: readonly KeyField[];
  /** 0 to 128; of addresses of IPv4 all count from 32 on. */
  readonly sourceBits: number;
  readonly destinationBits: number;
}

/** The bits of an address of the family that do not count where `bits` do. */
export function droppedBits(family: Family, bits: number): number {
  return Math.max(0, addressBits(family) - bits);
}

/** The same number for calls that have a bucket together. */
export function bucketOf(key: BucketKey, packet: Packet): bigint {
  const { family } = packet;
  const cut = (value: bigint, bits: number) => {
    const dropped = BigInt(droppedBits(family, bits));
    return (value >> dropped) << dropped;
  };
  const values: Readonly<Record<KeyField, () => readonly [value: bigint, bits: bigint]>> = {
    srcip: () => [(cut(packet.source, key.sourceBits) << 3n) | BigInt(family), 131n],
    srcport: () => [fieldValue(packet, 'sourcePort'), 16n],
    dstip: () => [(cut(packet.destination, key.destinationBits) << 3n) | BigInt(family), 131n],
    dstport: () => [fieldValue(packet, 'destinationPort'), 16n],
    group: () => [fieldValue(packet, 'group'), 32n],
  };
  return key.fields.reduce((before, field) => {
    const [value, bits] = values[field]();
    return (before << bits) | value;
  }, 0n);
}
