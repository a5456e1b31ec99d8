/** Networks and ranges of addresses as numbers and as text. */
import { addressBits, type Family, printAddress, type Range } from '@sockfilter/table';

/** Every address of the family. */
export function allAddresses(family: Family): Range {
  return [0n, (1n << BigInt(addressBits(family))) - 1n];
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
