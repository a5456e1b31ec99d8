import {
  defineOption,
  defineParameter,
  givenValue,
  isNegated,
  type MatchDescriptor,
  requireValue,
} from '../match.js';
import { familyClauses } from '../sets/membership.js';
import { findSet, requireSet } from '../sets/namedset.js';

/** Whether the packet is in a named set. */
export const set: MatchDescriptor = {
  name: 'set',
  needsOption: true,
  options: {
    /** A set of addresses has a family, as an address has: the rule is for its packets alone. */
    'match-set': defineOption('setRef', ({ set: name }, _, scope) => {
      const found = findSet(scope, name);
      return found ? familyClauses(found) : [];
    }),
    'return-nomatch': defineParameter('none'),
  },
  asks: (options, scope) => {
    const { set: name, sides } = requireValue(options, 'match-set', 'setRef');
    const { type, family, timeout, counters: counts } = requireSet(scope, name);
    const changes = timeout !== undefined;
    const exceptions = givenValue(options, 'return-nomatch', 'none') !== undefined;
    return {
      question: { kind: 'member', set: name, type, family, sides, exceptions, changes, counts },
      negated: isNegated(options, 'match-set'),
    };
  },
};
