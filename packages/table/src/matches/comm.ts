import { defineDetail, type MatchDescriptor } from '../match.js';

/** The name that the calling thread has given itself. */
export const comm: MatchDescriptor = {
  name: 'comm',
  needsOption: true,
  options: { comm: defineDetail('comm') },
};
