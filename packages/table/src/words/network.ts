/** Networks as text: an address, and which of its bits count. */
import type { Family } from '../packet.js';
import {
  type Address,
  addressBits,
  printAddress,
  readAddress,
  readCallAddress,
} from './address.js';

/** A network as it is written: the address may have bits outside the mask. */
export interface Network extends Address {
  readonly mask: bigint;
}

/** The mask of all bits of an address. */
export function fullMask(family: Family): bigint {
  return (1n << BigInt(addressBits(family))) - 1n;
}

/** The mask of the first `length` bits, of 0 to all that an address has. */
export function prefixMask(family: Family, length: number): bigint {
  return fullMask(family) ^ ((1n << BigInt(addressBits(family) - length)) - 1n);
}

/** Prefix lengths by mask. */
const PREFIX_LENGTHS: Readonly<Record<Family, ReadonlyMap<bigint, number>>> = {
  4: new Map(Array.from({ length: 33 }, (_, length) => [prefixMask(4, length), length])),
  6: new Map(Array.from({ length: 129 }, (_, length) => [prefixMask(6, length), length])),
};

/** How many bits the mask has, all in front; undefined for one with holes. */
export function prefixLength(family: Family, mask: bigint): number | undefined {
  return PREFIX_LENGTHS[family].get(mask);
}

/** `10.0.0.0/8`, or with a netmask where that has holes. */
export function printNetwork({ family, value, mask }: Network): string {
  const length = PREFIX_LENGTHS[family].get(mask);
  return `${printAddress(family, value)}/${length ?? printAddress(family, mask)}`;
}

/** `10` of `10/8`, as in iptables: what is left out at the end is 0. Undefined for a whole address. */
export function readShortAddress(text: string): Address | undefined {
  if (!/^(0|[1-9]\d{0,2})(\.(0|[1-9]\d{0,2})){0,2}$/.test(text)) return undefined;
  return readAddress([...text.split('.'), '0', '0', '0'].slice(0, 4).join('.'));
}

/** What follows the slash: the length of a prefix, or a netmask, which can have holes. */
export function readMask(text: string, family: Family): bigint | undefined {
  if (/^\d{1,3}$/.test(text))
    return Number(text) <= addressBits(family) ? prefixMask(family, Number(text)) : undefined;
  const mask = readAddress(text);
  return mask?.family === family ? mask.value : undefined;
}

/**
 * A network of the addresses that packets have: as rules write it, `10/8` and netmasks too, and one that
 * is IPv4 mapped into IPv6 is of family 4. An address alone is a network of its own.
 */
export function readCallNetwork(text: string): Network | undefined {
  const slash = text.indexOf('/');
  if (slash < 0) {
    const address = readCallAddress(text);
    return address && { ...address, mask: fullMask(address.family) };
  }
  const [head, tail] = [text.slice(0, slash), text.slice(slash + 1)];
  const written = readShortAddress(head) ?? readAddress(head);
  const mask = written && readMask(tail, written.family);
  const address = readCallAddress(head) ?? written;
  if (mask === undefined || address === undefined) return undefined;
  if (address.family === written?.family) return { ...address, mask };
  const low = fullMask(4);
  return mask >> 32n === fullMask(6) >> 32n ? { ...address, mask: mask & low } : undefined;
}
