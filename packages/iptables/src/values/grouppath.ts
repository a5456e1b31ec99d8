/** Paths of control groups. */
import { bad, good, type Parsed, type Word } from '@sockfilter/language';
import { readPath } from '@sockfilter/table';
import { quoteSaved } from '../quote.js';
import { defineValue } from './syntax.js';

/** A path or a pattern, canonical; not what quotes have made of it, but what was meant. */
export function parsePath(word: Word): Parsed<string> {
  const at = { span: word.span };
  if (word.eaten !== undefined) {
    const help = 'write two backslashes in double quotes, or use single quotes';
    return bad('bad-value', `the double quotes take the backslash out of \`${word.eaten}\``, {
      ...at,
      help,
    });
  }
  const read = readPath(word.text);
  if ('path' in read) return good(read.path);
  return bad('bad-value', read.fault.message, { ...at, help: read.fault.help });
}

export const groupPath = defineValue('groupPath', {
  parse: (word) => {
    const path = parsePath(word);
    return path.ok ? good({ kind: 'groupPath', path: path.value }) : path;
  },
  print: ({ path }) => quoteSaved(path),
});
