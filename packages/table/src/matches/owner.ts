import { chainsThat } from '../chains.js';
import { defineOption, type MatchDescriptor, plainRange } from '../match.js';
import type { Field } from '../packet.js';
import { rangeSet } from '../valueset.js';

const NO_GID = chainsThat(({ bounds }) => bounds.gid?.reason);

const owner = (field: Field, absent = {}) =>
  defineOption(
    'ownerRange',
    ({ from, to }, negated) => [[{ field, set: rangeSet([[BigInt(from), BigInt(to)]]), negated }]],
    { absent, plain: plainRange(field) },
  );

/** Filesystem ids of the caller; in ACCEPT and RECVFROM the uid of the socket's owner. */
export const ownerMatch: MatchDescriptor = {
  name: 'owner',
  needsOption: true,
  options: {
    'uid-owner': owner('uid'),
    'gid-owner': owner('gid', NO_GID),
  },
};
