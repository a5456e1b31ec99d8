import { groupsBelow } from '../groupsbelow.js';
import { defineOption, type MatchDescriptor, plainRange } from '../match.js';
import { rangeSet } from '../valueset.js';

export const cgroup: MatchDescriptor = {
  name: 'cgroup',
  needsOption: true,
  exclusive: [['id', 'path']],
  options: {
    id: defineOption(
      'groupRange',
      ({ from, to }, negated) => [
        [{ field: 'group', set: rangeSet([[BigInt(from), BigInt(to)]]), negated }],
      ],
      { plain: plainRange('group') },
    ),
    /** The control group at the path and all below it, as in iptables: their ids, as registered now. */
    path: defineOption('groupPath', ({ path }, negated, { groups }) => {
      const ids = groupsBelow(groups, path).map(({ id }) => BigInt(id));
      return [[{ field: 'group', set: rangeSet(ids.map((id) => [id, id])), negated }]];
    }),
  },
};
