/** Networks and ranges of addresses as text and as numbers. */
import {
  type Address,
  addressBits,
  type Family,
  printAddress,
  type Range,
  readCallAddress,
} from '@sockfilter/table';

/** A network as it is written: bits of `value` below the prefix are kept. */
export interface Network extends Address {
  readonly prefix: number;
}

/** Every address of the family. */
export function allAddresses(family: Family): Range {
  return [0n, (1n << BigInt(addressBits(family))) - 1n];
}

/** Reads `10.0.0.0/8`, or an address as a network of its own. */
export function parseNetwork(text: string): Network | undefined {
  const [, head = text, length] = /^([^/]+)\/(\d{1,3})$/.exec(text) ?? [];
  const address = readCallAddress(head);
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

/** `10.0.0.0/8` where the range is a network, `10.0.0.5` for one address, else `from-to`. */
export function printAddressRange(family: Family, [from, to]: Range): string {
  if (from === to) return printAddress(family, from);
  const size = to - from + 1n;
  const bits = size.toString(2).length - 1;
  if (size === 1n << BigInt(bits) && (from & (size - 1n)) === 0n)
    return `${printAddress(family, from)}/${addressBits(family) - bits}`;
  return `${printAddress(family, from)}-${printAddress(family, to)}`;
}
