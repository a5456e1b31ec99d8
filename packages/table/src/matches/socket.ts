/** Addresses and ports by end of the socket, whatever the direction of the data. */

import { BUILTIN_CHAINS, CHAINS, chainNumber, chainsThat } from '../chains.js';
import type { Clause, Test } from '../clause.js';
import { defineOption, type MatchDescriptor } from '../match.js';
import type { Field } from '../packet.js';
import { rangeSet, type ValueSet, valueSet } from '../valueset.js';
import { networkSet } from './ip.js';

/** The chains in which the local end is the destination. */
const INWARD: ValueSet = valueSet(
  ...BUILTIN_CHAINS.filter((chain) => CHAINS[chain].ours === 'destination').map(chainNumber),
);

/** `inward` is the field in the chains where the local end is the destination, else `outward`. */
function atEnd(inward: Field, outward: Field, set: ValueSet, negated: boolean): readonly Clause[] {
  const chain: Test = { field: 'chain', set: INWARD, negated: false };
  return [
    [
      { ...chain, negated: true },
      { field: inward, set, negated },
    ],
    [chain, { field: outward, set, negated }],
  ];
}

const address = (inward: Field, outward: Field, absent = {}) =>
  defineOption(
    'network',
    (network, negated) => [
      [{ field: 'family', set: valueSet(network.family), negated: false }],
      ...atEnd(inward, outward, networkSet(network), negated),
    ],
    { absent },
  );

const port = (inward: Field, outward: Field, absent = {}) =>
  defineOption(
    'portRange',
    ({ from, to }, negated) =>
      atEnd(inward, outward, rangeSet([[BigInt(from), BigInt(to)]]), negated),
    { absent },
  );

const NO_PEER = chainsThat(({ noPeer }) => noPeer);

export const socket: MatchDescriptor = {
  name: 'socket',
  needsOption: true,
  options: {
    local: address('destination', 'source'),
    'local-port': port('destinationPort', 'sourcePort'),
    remote: address('source', 'destination', NO_PEER),
    'remote-port': port('sourcePort', 'destinationPort', NO_PEER),
  },
};
