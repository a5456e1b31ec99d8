/** Marks of sockets as text. */
import { complementOf, cubesOfRange, isCube, type Span } from '@sockfilter/diagram';
import { MAX_MARK } from '@sockfilter/table';

const BITS = 32;

/** `0x10/0xf0` of each of the spans, or of what they leave out where that is shorter. */
export function markWords(spans: readonly Span[]): {
  readonly isNot: boolean;
  readonly texts: readonly string[];
} {
  const cubes = spans.flatMap((span) => (isCube(span) ? [span] : cubesOfRange(span, BITS)));
  const rest = complementOf(spans, BITS);
  const isNot = rest !== undefined && rest.length > 0 && rest.length < cubes.length;
  const texts = (isNot ? rest : cubes).map(({ value, mask }) =>
    mask === BigInt(MAX_MARK) ? hex(value) : `${hex(value)}/${hex(mask)}`,
  );
  return { isNot, texts };
}

const hex = (value: bigint) => `0x${value.toString(16)}`;
