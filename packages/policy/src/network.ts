/** Ranges of addresses as networks. */
import { addressBits, type Family, type Network, prefixMask, type Range } from '@sockfilter/table';

/** The fewest networks that make up the range, in order. */
export function coveringNetworks(family: Family, [from, to]: Range): readonly Network[] {
  const networks: Network[] = [];
  for (let at = from; at <= to; ) {
    let bits = 0;
    for (let size = 2n; (at & (size - 1n)) === 0n && at + size - 1n <= to; size *= 2n) bits++;
    networks.push({ family, value: at, mask: prefixMask(family, addressBits(family) - bits) });
    at += 1n << BigInt(bits);
  }
  return networks;
}
