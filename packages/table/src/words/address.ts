/** IP addresses as text and as numbers. */
import ipaddr from 'ipaddr.js';
import type { Family } from '../packet.js';
import type { AddressSpan, PortSpan } from '../value.js';

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

const DOT = 0x2e;
const ZERO = 0x30;

/** Four decimal numbers: of the forms that inet_aton takes the one that nobody reads otherwise. */
function readQuad(text: string): number | undefined {
  let [value, parts, part] = [0, 0, -1];
  for (let at = 0; at <= text.length; at++) {
    const code = at < text.length ? text.charCodeAt(at) : DOT;
    if (code === DOT) {
      if (part < 0) return undefined;
      value = value * 256 + part;
      parts++;
      part = -1;
      continue;
    }
    const digit = code - ZERO;
    // A zero in front would mean octal.
    if (digit < 0 || digit > 9 || part === 0) return undefined;
    part = part < 0 ? digit : part * 10 + digit;
    if (part > 255) return undefined;
  }
  return parts === 4 ? value : undefined;
}

/** Four decimal numbers, or the text form of RFC 4291 without a zone; undefined for anything else. */
export function readAddress(text: string): Address | undefined {
  const quad = readQuad(text);
  if (quad !== undefined) return { family: 4, value: BigInt(quad) };
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

export function printPorts({ first, last }: PortSpan): string {
  return first === last ? String(first) : `${first}-${last}`;
}

function printAddresses({ family, first, last }: AddressSpan): string {
  const text = printAddress(family, first);
  return first === last ? text : `${text}-${printAddress(family, last)}`;
}

/** As `--to-destination` has them: `10.0.0.5-10.0.0.9:80-90`, `[fd00::5-fd00::9]:80`, `:80`. */
export function printDestinations({
  address,
  port,
}: {
  readonly address?: AddressSpan | undefined;
  readonly port?: PortSpan | undefined;
}): string {
  const addresses = address ? printAddresses(address) : '';
  if (!port) return addresses;
  const end = address?.family === 6 ? `[${addresses}]` : addresses;
  return `${end}:${printPorts(port)}`;
}
