/** Comments and paths of control groups. */
import { bad, good, type Word } from '@sockfilter/language';
import { quoteSaved } from '../quote.js';
import { defineValue } from './syntax.js';

/** As in iptables: bytes of UTF-8. */
const MAX_COMMENT = 255;

// A save file has one rule on each line, and terminals obey control characters.
function hasControl(text: string): boolean {
  return Array.from(text).some((c) => (c < ' ' && c !== '\t') || c === '\x7f');
}

const control = (word: Word, noun: string) =>
  bad('bad-value', `a ${noun} must not contain control characters`, { span: word.span });

export const text = defineValue('text', {
  verbatim: true,
  parse: (word) => {
    if (hasControl(word.text)) return control(word, 'comment');
    const bytes = Buffer.byteLength(word.text);
    if (bytes > MAX_COMMENT) {
      const message = `the comment is too long: ${bytes} bytes, at most ${MAX_COMMENT}`;
      return bad('bad-value', message, { span: word.span });
    }
    return good({ kind: 'text', text: word.text });
  },
  print: ({ text: comment }) => quoteSaved(comment),
});

/** A path is taken from the root of the cgroup2 mount, with or without the leading slash. */
export const groupPath = defineValue('groupPath', {
  parse: (word) => {
    if (hasControl(word.text)) return control(word, 'path');
    const at = { span: word.span };
    if (word.text === '') {
      const help = 'the root is `/`';
      return bad('bad-value', 'the path of a control group is empty', { ...at, help });
    }
    const parts = word.text.split('/').filter((part) => part !== '');
    if (parts.some((part) => part === '.' || part === '..')) {
      const message = `\`${word.text}\` has \`.\` or \`..\`: write the path from the cgroup2 root`;
      return bad('bad-value', message, at);
    }
    return good({ kind: 'groupPath', path: `/${parts.join('/')}` });
  },
  print: ({ path }) => quoteSaved(path),
});
