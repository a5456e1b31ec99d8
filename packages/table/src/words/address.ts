/** IP addresses as text and as numbers. */
import ipaddr from 'ipaddr.js';
import type { Family } from '../packet.js';

export interface Address {
  readonly family: Family;
  readonly value: bigint;
}

export function addressBits(family: Family): number {
  return family === 4 ? 32 : 128;
}

function fromBytes(bytes: readonly number[]): bigint {
  return bytes.reduce((value, byte) => (value << 8n) | BigInt(byte), 0n);
}

/** Four decimal numbers: of the forms that inet_aton takes the one that nobody reads otherwise. */
const QUAD = /^(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})$/;

/** Four decimal numbers, or the text form of RFC 4291 without a zone; undefined for anything else. */
export function readAddress(text: string): Address | undefined {
  const bytes = QUAD.exec(text)?.slice(1).map(Number);
  if (bytes?.every((byte) => byte <= 255))
    return { family: 4, value: BigInt(bytes.reduce((value, byte) => value * 256 + byte, 0)) };
  if (/^[\da-fA-F:.]*:[\da-fA-F:.]*$/.test(text) && ipaddr.IPv6.isValid(text))
    return { family: 6, value: fromBytes(ipaddr.IPv6.parse(text).toByteArray()) };
  return undefined;
}

/** The first 96 bits of the IPv4-mapped IPv6 addresses. */
export const MAPPED_PREFIX = 0xffffn;

/** The address that a packet has: one that is IPv4 mapped into IPv6 is of family 4. */
export function readCallAddress(text: string): Address | undefined {
  const address = readAddress(text);
  if (address?.family !== 6 || address.value >> 32n !== MAPPED_PREFIX) return address;
  return { family: 4, value: address.value & 0xffff_ffffn };
}

/** The usual text form: dotted, or that of RFC 5952. */
export function printAddress(family: Family, value: bigint): string {
  if (family === 4) {
    const bits = Number(value);
    return `${bits >>> 24}.${(bits >>> 16) & 0xff}.${(bits >>> 8) & 0xff}.${bits & 0xff}`;
  }
  const bytes = Array.from({ length: 16 }, (_, at) =>
    Number((value >> BigInt(8 * (15 - at))) & 0xffn),
  );
  return new ipaddr.IPv6(bytes).toRFC5952String();
}

/** `10.0.0.5:80` or `[::1]:80`. */
export function printEndpoint(family: Family, value: bigint, port: number): string {
  const address = printAddress(family, value);
  return family === 6 ? `[${address}]:${port}` : `${address}:${port}`;
}
