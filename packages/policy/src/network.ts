/** Ranges of addresses as networks. */
import { cubesOfRange } from '@sockfilter/diagram';
import { addressBits, type Family, type Network, type Range } from '@sockfilter/table';

/** The fewest networks that make up the range, in order. */
export function coveringNetworks(family: Family, range: Range): readonly Network[] {
  return cubesOfRange(range, addressBits(family)).map((cube) => ({ family, ...cube }));
}
