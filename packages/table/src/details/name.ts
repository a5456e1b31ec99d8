/** Names that the kernel keeps in 16 bytes with a NUL at their end, as numbers: the first byte is the highest. */
import type { Range, ValueSet } from '../valueset.js';

const BYTES = 16;

/** The longest name, in bytes. */
export const MAX_NAME_BYTES = BYTES - 1;

export const NAME_BITS = 8 * BYTES;

/** What ends in a NUL. */
export const NAMES: ValueSet = { kind: 'masked', value: 0n, mask: 0xffn };

/** The number of a name whose UTF-8 fits; undefined for one that is empty, too long or has a NUL. */
export function nameValue(name: string): bigint | undefined {
  const bytes = new TextEncoder().encode(name);
  if (bytes.length === 0 || bytes.length > MAX_NAME_BYTES || bytes.includes(0)) return undefined;
  return [...bytes, ...new Array<number>(BYTES - bytes.length).fill(0)].reduce(
    (value, byte) => (value << 8n) | BigInt(byte),
    0n,
  );
}

/** Names that begin so: the shortest is the lowest. */
export function namesFrom(prefix: string): Range | undefined {
  const from = prefix === '' ? 0n : nameValue(prefix);
  if (from === undefined) return undefined;
  const free = 8n * BigInt(BYTES - new TextEncoder().encode(prefix).length);
  return [from, from | ((1n << free) - 1n)];
}

/** The name of a number; bytes that are no UTF-8 become U+FFFD. */
function nameOf(value: bigint): string {
  const bytes = Array.from({ length: BYTES }, (_, n) =>
    Number((value >> BigInt(8 * (BYTES - 1 - n))) & 0xffn),
  );
  const end = bytes.indexOf(0);
  return new TextDecoder().decode(Uint8Array.from(end < 0 ? bytes : bytes.slice(0, end)));
}

const hex = (value: bigint) => `0x${value.toString(16).padStart(2 * BYTES, '0')}`;

const NUMBERS = /^(0x[\da-f]{32})-(0x[\da-f]{32})$/;

/** Longer than any name: the ends as numbers. */
function readNumbers(text: string): Range | undefined {
  const [, from, to] = NUMBERS.exec(text) ?? [];
  if (from === undefined || to === undefined || from > to) return undefined;
  return [BigInt(from), BigInt(to)];
}

/** The word that `read` takes for the range, of those that `words` would give; else its ends as numbers. */
function printBy(
  [from, to]: Range,
  read: (text: string) => Range | undefined,
  words: readonly string[],
): string {
  const exact = words.find((word) => {
    const range = read(word);
    return range !== undefined && range[0] === from && range[1] === to;
  });
  return exact ?? `${hex(from)}-${hex(to)}`;
}

/** A reader of names, and what prints what it reads. */
export function nameWords(readName: (text: string) => Range | undefined) {
  const read = (text: string) => readNumbers(text) ?? readName(text);
  const print = (range: Range) => {
    const name = nameOf(range[0]);
    return printBy(range, readName, [name, `${name}+`]);
  };
  return { read, print };
}
