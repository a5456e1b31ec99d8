/** Addresses and ports by end of the socket, whatever the direction of the data. */
import { defineOption, type MatchDescriptor } from '../match.js';
import { BUILTIN_CHAINS, type BuiltinChain, type Field } from '../packet.js';
import { type Clause, rangeSet, type Test, type ValueSet, valueSet } from '../valueset.js';
import { networkSet } from './ip.js';

/** In these chains the local end is the destination; in the others it is the source. */
const LOCAL_IS_DESTINATION: readonly BuiltinChain[] = ['BIND', 'ACCEPT', 'RECVFROM'];

const localIsDestination: ValueSet = valueSet(
  ...LOCAL_IS_DESTINATION.map((chain) => BUILTIN_CHAINS.indexOf(chain)),
);

/** `inward` is the field in the chains where the local end is the destination, else `outward`. */
function atEnd(inward: Field, outward: Field, set: ValueSet, negated: boolean): readonly Clause[] {
  const chain: Test = { field: 'chain', set: localIsDestination, negated: false };
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

const NO_PEER = { BIND: 'bind(2) has no remote end' };

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
