import { defineOption, type MatchDescriptor } from '../match.js';
import type { Field } from '../packet.js';
import { rangeSet, valueSet } from '../valueset.js';

const range = (field: Field) =>
  defineOption('addressRange', ({ family, from, to }, negated) => [
    [{ field: 'family', set: valueSet(family), negated: false }],
    [{ field, set: rangeSet([[from, to]]), negated }],
  ]);

export const iprange: MatchDescriptor = {
  name: 'iprange',
  needsOption: true,
  options: { 'src-range': range('source'), 'dst-range': range('destination') },
};
