/** Details of a call: the words are those of the detail's row. */
import { bad, good } from '@sockfilter/language';
import { describeDetail } from '@sockfilter/table';
import { quoteSaved } from '../quote.js';
import { defineValue } from './syntax.js';
import { hasControl } from './text.js';

/** What neither the reader of rules nor a shell takes for anything but itself. */
const BARE = /^[\w.:+@-]+$/;

export const detail = defineValue('detail', {
  verbatim: true,
  parse: ({ text, span }, _, { detail: name }) => {
    if (!name) throw new TypeError('the option is about no detail');
    const { read, print, text: noun, help } = describeDetail(name);
    const range = hasControl(text) ? undefined : read(text);
    if (!range) return bad('bad-value', `\`${text}\` is no ${noun}`, { span, help });
    return good({ kind: 'detail', detail: name, word: print(range) });
  },
  print: ({ word }) => (BARE.test(word) ? word : quoteSaved(word)),
});
