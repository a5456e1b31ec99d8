/** A named set and the ends of the packet that it is asked about: two words. */
import { bad, byteLength, didYouMean, good, splitWord } from '@sockfilter/language';
import { MAX_SET_NAME, SIDES, type Side } from '@sockfilter/table';
import { quoteSaved } from '../quote.js';
import { defineValue } from './syntax.js';

/** As ipset has them: what starts with a dash or holds a blank is no name. */
export function isSetName(text: string): boolean {
  return /^(?![-!])[^\s\p{Cc}]+$/u.test(text) && byteLength(text) <= MAX_SET_NAME;
}

export const SET_NAME_RULE = `a name has 1 to ${MAX_SET_NAME} bytes, no blank, and starts with neither \`-\` nor \`!\``;

function isSide(text: string): text is Side {
  return SIDES.some((side) => side === text);
}

export const setRef = defineValue('setRef', {
  words: 2,
  parse: (word, _, { rest: [second] }) => {
    if (!isSetName(word.text))
      return bad('bad-value', `invalid set name \`${word.text}\``, {
        span: word.span,
        help: SET_NAME_RULE,
      });
    const sides: Side[] = [];
    for (const { text, span } of splitWord(second ?? word, ',')) {
      if (!isSide(text)) {
        const help = didYouMean(text, SIDES) ?? 'it can be src or dst';
        return bad('bad-value', `invalid end \`${text}\` of a packet`, { span, help });
      }
      sides.push(text);
    }
    return good({ kind: 'setRef', set: word.text, sides });
  },
  print: ({ set, sides }) => `${quoteSaved(set)} ${sides.join(',')}`,
});
