import { defineOption, type MatchDescriptor } from '../match.js';

import { rangeSet, type ValueSet } from '../valueset.js';

function marks(value: number, mask: number): ValueSet {
  const [wanted, looked] = [BigInt(value), BigInt(mask)];
  if ((wanted & ~looked) !== 0n) return rangeSet([]);
  return { kind: 'masked', value: wanted, mask: looked };
}

/** SO_MARK of the socket, or what MARK has made of it. A value with bits outside the mask never holds, as in iptables. */
export const mark: MatchDescriptor = {
  name: 'mark',
  needsOption: true,
  options: {
    mark: defineOption('mark', ({ value, mask }, negated) => [
      [{ field: 'mark', set: marks(value, mask), negated }],
    ]),
  },
};
