import { defineDetail, type MatchDescriptor } from '../match.js';

/** The network namespace of the socket. */
export const netns: MatchDescriptor = {
  name: 'netns',
  needsOption: true,
  options: { inode: defineDetail('netns') },
};
