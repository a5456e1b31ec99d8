/** Comments. */
import { bad, byteLength, good } from '@sockfilter/language';
import { quoteSaved } from '../quote.js';
import { defineValue } from './syntax.js';

/** As in iptables: bytes of UTF-8. */
const MAX_COMMENT = 255;

// A save file has one rule on each line, and terminals obey control characters.
export function hasControl(text: string): boolean {
  return Array.from(text).some((c) => (c < ' ' && c !== '\t') || c === '\x7f');
}

export const text = defineValue('text', {
  verbatim: true,
  parse: (word) => {
    if (hasControl(word.text)) {
      const message = 'a comment must not contain control characters';
      return bad('bad-value', message, { span: word.span });
    }
    const bytes = byteLength(word.text);
    if (bytes > MAX_COMMENT) {
      const message = `the comment is too long: ${bytes} bytes, at most ${MAX_COMMENT}`;
      return bad('bad-value', message, { span: word.span });
    }
    return good({ kind: 'text', text: word.text });
  },
  print: ({ text: comment }) => quoteSaved(comment),
});
