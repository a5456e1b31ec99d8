/** Networks and ranges of addresses as numbers and as text. */
import { type Cube, complementOf, isCube, type Span } from '@sockfilter/diagram';
import {
  addressBits,
  type Family,
  fullMask,
  printAddress,
  printNetwork,
  type Range,
} from '@sockfilter/table';

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

/** A range, or a network of which any bits count. */
export function printSpan(family: Family, span: Span): string {
  if (!isCube(span)) return printAddressRange(family, span);
  const { value, mask } = span;
  return mask === fullMask(family)
    ? printAddress(family, value)
    : printNetwork({ family, value, mask });
}

/**
 * What the spans leave out, where they have cubes and that is shorter to say: an address that is in
 * nobody's way may be left out too.
 * @param isNever whether no call has address 0
 */
export function leftOut(
  family: Family,
  spans: readonly Span[],
  isNever: boolean,
): readonly Cube[] | undefined {
  if (!spans.some(isCube)) return undefined;
  const isZero = ({ value, mask }: Cube) => value === 0n && mask === fullMask(family);
  const rest = complementOf(spans, addressBits(family))?.filter(
    (cube) => !(isNever && isZero(cube)),
  );
  return rest && rest.length < spans.length ? rest : undefined;
}
