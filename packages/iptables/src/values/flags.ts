/** TCP flags: two words, those looked at and those of them that must be set. */
import { bad, didYouMean, good, type Parsed, splitWord, type Word } from '@sockfilter/language';
import { defineValue } from './syntax.js';

const FLAGS: Readonly<Record<string, number>> = {
  FIN: 0x01,
  SYN: 0x02,
  RST: 0x04,
  PSH: 0x08,
  ACK: 0x10,
  URG: 0x20,
};

const ALL = 0x3f;

function parseFlags(word: Word): Parsed<number> {
  let flags = 0;
  for (const piece of splitWord(word, ',')) {
    const name = piece.text.toUpperCase();
    const flag = name === 'ALL' ? ALL : name === 'NONE' ? 0 : FLAGS[name];
    if (flag === undefined) {
      const help = didYouMean(piece.text, [...Object.keys(FLAGS), 'ALL', 'NONE']);
      return bad('bad-value', `unknown TCP flag \`${piece.text}\``, { span: piece.span, help });
    }
    flags |= flag;
  }
  return good(flags);
}

function printFlags(flags: number): string {
  const names = Object.keys(FLAGS).filter((name) => flags & (FLAGS[name] ?? 0));
  return names.join(',') || 'NONE';
}

export const tcpFlags = defineValue('tcpFlags', {
  words: 2,
  parse: (word, _context, { rest: [second] }) => {
    const mask = parseFlags(word);
    if (!mask.ok) return mask;
    const set = parseFlags(second ?? word);
    if (!set.ok) return set;
    if (set.value & ~mask.value) {
      const names = printFlags(set.value & ~mask.value);
      const message = `\`${names}\` must be set but is not among the flags looked at, \`${word.text}\``;
      return bad('bad-value', message, second ? { span: second.span } : {});
    }
    return good({ kind: 'tcpFlags', mask: mask.value, set: set.value });
  },
  print: ({ mask, set }) => `${printFlags(mask)} ${printFlags(set)}`,
});
