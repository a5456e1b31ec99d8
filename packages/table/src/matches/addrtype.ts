import { addressesOf } from '../addresstype.js';
import { defineOption, type MatchDescriptor } from '../match.js';
import { FAMILIES } from '../packet.js';
import { valueSet } from '../valueset.js';

const type = (field: 'source' | 'destination') =>
  defineOption('addressTypes', ({ types }, negated) => {
    const isInBoth = types.every((each) => each === 'UNSPEC');
    if (isInBoth) return [[{ field, set: addressesOf(types, 4), negated }]];
    return FAMILIES.map((family) => [
      { field: 'family', set: valueSet(family), negated: true },
      { field, set: addressesOf(types, family), negated },
    ]);
  });

/** What kind of address it is, as far as the address itself tells. */
export const addrtype: MatchDescriptor = {
  name: 'addrtype',
  needsOption: true,
  options: { 'src-type': type('source'), 'dst-type': type('destination') },
};
