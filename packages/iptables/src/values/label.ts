/** Names that mean nothing to sockfilter: those of iptables' tables of buckets, which are files of /proc there. */
import { bad, good } from '@sockfilter/language';
import { defineValue } from './syntax.js';

const FITTING = /^(?!\.{1,2}$)[^\s/"'\\\p{C}]{1,255}$/u;

export const label = defineValue('label', {
  parse: ({ text, span }) => {
    if (FITTING.test(text)) return good({ kind: 'label', label: text });
    const help = 'a name has 1 to 255 characters, none of which is a blank, a quote, `\\` or `/`';
    return bad('bad-value', `invalid name \`${text}\``, { span, help });
  },
  print: ({ label: text }) => text,
});
