/** Numbers within bounds and words from a list, as the option has them. */
import { bad, didYouMean, good } from '@sockfilter/language';
import { defineValue } from './syntax.js';

const UNBOUNDED = [0n, 2n ** 64n - 1n] as const;

/** Decimal or, after `0x`, hexadecimal. */
function readCount(text: string): bigint | undefined {
  return /^(0|[1-9]\d*|0[xX][\da-fA-F]+)$/.test(text) ? BigInt(text) : undefined;
}

export const count = defineValue('count', {
  verbatim: true,
  parse: (word, _, { bounds: [least, most] = UNBOUNDED }) => {
    const value = readCount(word.text);
    const at = { span: word.span };
    if (value === undefined) return bad('bad-value', `invalid number \`${word.text}\``, at);
    if (value < least || value > most) {
      const message = `number \`${word.text}\` is out of range: it must be ${least} to ${most}`;
      return bad('bad-value', message, at);
    }
    return good({ kind: 'count', count: value });
  },
  print: ({ count: value }) => String(value),
});

export const word = defineValue('word', {
  parse: ({ text, span }, _, { choices = [] }) => {
    if (choices.includes(text)) return good({ kind: 'word', word: text });
    const help = didYouMean(text, choices) ?? `it can be ${choices.join(' or ')}`;
    return bad('bad-value', `invalid word \`${text}\``, { span, help });
  },
  print: ({ word: text }) => text,
});
