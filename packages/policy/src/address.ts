/** IP addresses as text and as numbers, as packets have them. */
import type { Family, Range } from '@sockfilter/table';

export interface Address {
  readonly family: Family;
  readonly value: bigint;
}

/** A network as it is written: bits of `value` below the prefix are kept. */
export interface Network extends Address {
  readonly prefix: number;
}

export function addressBits(family: Family): number {
  return family === 4 ? 32 : 128;
}

/** Every address of the family. */
export function allAddresses(family: Family): Range {
  return [0n, (1n << BigInt(addressBits(family))) - 1n];
}

function parseIpv4(text: string): bigint | undefined {
  const parts = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text)?.slice(1).map(Number);
  if (!parts || parts.some((part) => part > 255)) return undefined;
  return parts.reduce((value, part) => (value << 8n) | BigInt(part), 0n);
}

function parseIpv6(text: string): bigint | undefined {
  const dotted = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(text);
  if (dotted) {
    const low = parseIpv4(dotted[2]);
    if (low === undefined) return undefined;
    return parseIpv6(`${dotted[1]}${(low >> 16n).toString(16)}:${(low & 0xffffn).toString(16)}`);
  }
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const pieces = halves.map((half) => (half === '' ? [] : half.split(':')));
  const given = pieces.flat();
  if (!given.every((piece) => /^[0-9a-f]{1,4}$/i.test(piece))) return undefined;
  const missing = 8 - given.length;
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined;
  const zeros = Array.from({ length: missing }, () => '0');
  const all = [...pieces[0], ...zeros, ...(pieces[1] ?? [])];
  return all.reduce((value, piece) => (value << 16n) | BigInt(`0x${piece}`), 0n);
}

/** Reads an address; one that is IPv4 mapped into IPv6 is of family 4. */
export function parseAddress(text: string): Address | undefined {
  const four = parseIpv4(text);
  if (four !== undefined) return { family: 4, value: four };
  const six = text.includes(':') ? parseIpv6(text) : undefined;
  if (six === undefined) return undefined;
  if (six >> 32n === 0xffffn) return { family: 4, value: six & 0xffffffffn };
  return { family: 6, value: six };
}

/** Reads `10.0.0.0/8`, or an address as a network of its own. */
export function parseNetwork(text: string): Network | undefined {
  const [, head = text, length] = /^([^/]+)\/(\d{1,3})$/.exec(text) ?? [];
  const address = parseAddress(head);
  if (!address) return undefined;
  const bits = addressBits(address.family);
  const mapped = address.family === 4 && head.includes(':') ? 96 : 0;
  const prefix = length === undefined ? bits : Number(length) - mapped;
  return prefix < 0 || prefix > bits ? undefined : { ...address, prefix };
}

export function networkMask({ family, prefix }: Pick<Network, 'family' | 'prefix'>): bigint {
  const bits = addressBits(family);
  return ((1n << BigInt(prefix)) - 1n) << BigInt(bits - prefix);
}

/** As RFC 5952 says: lower case, the longest run of zeros as `::`. */
function printIpv6(value: bigint): string {
  const pieces = Array.from({ length: 8 }, (_, at) =>
    ((value >> BigInt(16 * (7 - at))) & 0xffffn).toString(16),
  );
  let best = { at: 0, length: 1 };
  for (let at = 0; at < 8; at++) {
    let length = 0;
    while (pieces[at + length] === '0') length++;
    if (length > best.length) best = { at, length };
  }
  if (best.length === 1) return pieces.join(':');
  return `${pieces.slice(0, best.at).join(':')}::${pieces.slice(best.at + best.length).join(':')}`;
}

export function printAddress(family: Family, value: bigint): string {
  if (family === 6) return printIpv6(value);
  return [24n, 16n, 8n, 0n].map((shift) => (value >> shift) & 0xffn).join('.');
}

/** `10.0.0.5:80` or `[::1]:80`. */
export function printEndpoint(family: Family, value: bigint, port: number): string {
  const address = printAddress(family, value);
  return family === 6 ? `[${address}]:${port}` : `${address}:${port}`;
}

/** `10.0.0.0/8` where the range is a network, `10.0.0.5` for one address, else `from-to`. */
export function printAddressRange(family: Family, [from, to]: Range): string {
  if (from === to) return printAddress(family, from);
  const size = to - from + 1n;
  const bits = size.toString(2).length - 1;
  if (size === 1n << BigInt(bits) && (from & (size - 1n)) === 0n)
    return `${printAddress(family, from)}/${addressBits(family) - bits}`;
  return `${printAddress(family, from)}-${printAddress(family, to)}`;
}
