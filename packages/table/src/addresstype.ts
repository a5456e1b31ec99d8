/** Types of addresses, as far as an address tells its own: `-m addrtype` has the same names for more. */
import type { Family } from './packet.js';
import { type Range, rangeSet, type ValueSet } from './valueset.js';

export type AddressType = 'UNSPEC' | 'UNICAST' | 'BROADCAST' | 'MULTICAST';

const LAST: Readonly<Record<Family, bigint>> = { 4: 2n ** 32n - 1n, 6: 2n ** 128n - 1n };

/** The unspecified address; 255.255.255.255 (RFC 919); 224.0.0.0/4 (RFC 5771) and ff00::/8 (RFC 4291). */
const RANGES: Readonly<Record<AddressType, (family: Family) => readonly Range[]>> = {
  UNSPEC: () => [[0n, 0n]],
  UNICAST: (family) => [
    family === 4 ? [1n, 0xdfff_ffffn] : [1n, (0xff00n << 112n) - 1n],
    ...(family === 4 ? ([[0xf000_0000n, LAST[4] - 1n]] as const) : []),
  ],
  BROADCAST: (family) => (family === 4 ? [[LAST[4], LAST[4]]] : []),
  MULTICAST: (family) => [family === 4 ? [0xe000_0000n, 0xefff_ffffn] : [0xff00n << 112n, LAST[6]]],
};

function isAddressType(name: string): name is AddressType {
  return Object.hasOwn(RANGES, name);
}

/** In the order in which iptables prints them. */
export const ADDRESS_TYPES: readonly AddressType[] = Object.keys(RANGES).filter(isAddressType);

/** The addresses of the family that have one of the types; each address has exactly one. */
export function addressesOf(types: readonly AddressType[], family: Family): ValueSet {
  return rangeSet(types.flatMap((type) => RANGES[type](family)));
}
