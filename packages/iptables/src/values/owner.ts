/** User, group and network ids. */
import { good } from '@sockfilter/language';
import { MAX_GROUP_ID, MAX_OWNER_ID } from '@sockfilter/table';
import { parseRange, printRange } from './number.js';
import { defineValue } from './syntax.js';

/** Users or groups, as the option says. */
export const ownerRange = defineValue('ownerRange', {
  parse: (word, { names }, { lookup = 'user' }) => {
    const noun = lookup;
    const name = names[lookup];
    const range = parseRange(word, { noun, least: 0, most: MAX_OWNER_ID, separator: '-', name });
    return range.ok ? good({ kind: 'ownerRange', ...range.value }) : range;
  },
  print: (range) => printRange(range, '-'),
});

export const groupRange = defineValue('groupRange', {
  parse: (word, { groups }) => {
    const range = parseRange(word, {
      noun: 'group',
      least: 0,
      most: MAX_GROUP_ID,
      separator: ':',
      name: (name) => groups.find((group) => group.name === name)?.id,
    });
    return range.ok ? good({ kind: 'groupRange', ...range.value }) : range;
  },
  print: (range) => printRange(range, ':'),
});
