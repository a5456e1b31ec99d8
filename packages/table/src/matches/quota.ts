import { defineParameter, isNegated, type MatchDescriptor, requireValue } from '../match.js';

/** So many calls, and no more; a socket call has no bytes. */
export const quota: MatchDescriptor = {
  name: 'quota',
  needsOption: true,
  options: { quota: defineParameter('count', { negatable: true }) },
  asks: (options) => ({
    question: { kind: 'budget', calls: requireValue(options, 'quota', 'count').count },
    negated: isNegated(options, 'quota'),
  }),
};
