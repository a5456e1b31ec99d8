/** Marks of sockets, and what is made of them: 32 bits, decimal or hexadecimal. */
import { bad, good, type Parsed, partOf, type Word } from '@sockfilter/language';
import { MAX_MARK } from '@sockfilter/table';
import { parseNumber } from './number.js';
import { defineValue } from './syntax.js';

const NUMBER = { least: 0, most: MAX_MARK, separator: '/' };

interface Masked {
  readonly value: number;
  readonly mask: number;
}

/** A value, and after a slash the bits of it that count; all, where nothing is said. */
function parseMasked(word: Word): Parsed<Masked> {
  const at = word.text.indexOf('/');
  const value = parseNumber(at < 0 ? word : partOf(word, 0, at), { ...NUMBER, noun: 'mark' });
  if (!value.ok || at < 0) return value.ok ? good({ value: value.value, mask: MAX_MARK }) : value;
  const rest = partOf(word, at + 1);
  if (rest.text === '') return bad('bad-value', 'a mask must follow the `/`', { span: word.span });
  const mask = parseNumber(rest, { ...NUMBER, noun: 'mask' });
  return mask.ok ? good({ value: value.value, mask: mask.value }) : mask;
}

const hex = (bits: number) => `0x${bits.toString(16)}`;

export const mark = defineValue('mark', {
  parse: (word) => {
    const masked = parseMasked(word);
    return masked.ok ? good({ kind: 'mark', ...masked.value }) : masked;
  },
  print: ({ value, mask }) => (mask === MAX_MARK ? hex(value) : `${hex(value)}/${hex(mask)}`),
});

export const xmark = defineValue('xmark', {
  parse: (word) => {
    const masked = parseMasked(word);
    return masked.ok ? good({ kind: 'xmark', ...masked.value }) : masked;
  },
  print: ({ value, mask }) => `${hex(value)}/${hex(mask)}`,
});

export const bits = defineValue('bits', {
  parse: (word) => {
    const number = parseNumber(word, { ...NUMBER, noun: 'mark' });
    return number.ok ? good({ kind: 'bits', bits: number.value }) : number;
  },
  print: (value) => hex(value.bits),
});
