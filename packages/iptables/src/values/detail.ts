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
  parse: ({ text, span }, { names }, { detail: name, lookup }) => {
    if (!name) throw new TypeError('the option is about no detail');
    const { read, print, text: noun, help } = describeDetail(name);
    if (lookup && text.startsWith('/')) {
      const value = names[lookup](text);
      if (value !== undefined)
        return good({ kind: 'detail', detail: name, word: print([BigInt(value), BigInt(value)]) });
      return bad('unknown-name', `\`${text}\` is no namespace of a network here`, {
        span,
        help: `a path is looked up when the rule is typed; or write ${help}`,
      });
    }
    const range = hasControl(text) ? undefined : read(text);
    if (!range) return bad('bad-value', `\`${text}\` is no ${noun}`, { span, help });
    return good({ kind: 'detail', detail: name, word: print(range) });
  },
  print: ({ word }) => (BARE.test(word) ? word : quoteSaved(word)),
});
