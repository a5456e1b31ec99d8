import { ANYTHING } from '../clause.js';
import { defineOption, type MatchDescriptor } from '../match.js';

/** Says something about the rule, and restricts nothing. */
export const comment: MatchDescriptor = {
  name: 'comment',
  needsOption: true,
  options: { comment: defineOption('text', () => [], { negatable: false, plain: () => ANYTHING }) },
};
