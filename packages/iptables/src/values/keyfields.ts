/** What buckets are kept for, with commas between the words. */
import { bad, didYouMean, good, splitWord } from '@sockfilter/language';
import { KEY_FIELDS, type KeyField } from '@sockfilter/table';
import { defineValue } from './syntax.js';

export const keyFields = defineValue('keyFields', {
  parse: (word) => {
    const found = new Set<KeyField>();
    for (const { text, span } of word.text === '' ? [] : splitWord(word, ',')) {
      const field = KEY_FIELDS.find((each) => each === text);
      if (!field) {
        const help = didYouMean(text, KEY_FIELDS) ?? `it can be ${KEY_FIELDS.join(', ')}`;
        return bad('bad-value', `invalid mode \`${text}\``, { span, help });
      }
      found.add(field);
    }
    return good({ kind: 'keyFields', fields: KEY_FIELDS.filter((field) => found.has(field)) });
  },
  print: ({ fields }) => fields.join(','),
});
