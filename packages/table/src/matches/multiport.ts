import type { Test } from '../clause.js';
import { defineOption, type MatchDescriptor } from '../match.js';
import type { Field } from '../packet.js';
import { PORT_PROTOCOLS } from '../protocol.js';
import { rangeSet } from '../valueset.js';

/** Any of the fields in the list; negated, none of them. */
const list = (...fields: readonly Field[]) =>
  defineOption('portList', ({ ranges }, negated) => {
    const set = rangeSet(ranges.map(({ from, to }) => [BigInt(from), BigInt(to)]));
    const tests = fields.map((field): Test => ({ field, set, negated }));
    return negated ? tests.map((test) => [test]) : [tests];
  });

export const multiport: MatchDescriptor = {
  name: 'multiport',
  protocols: PORT_PROTOCOLS,
  needsOption: true,
  exclusive: [['sports', 'dports', 'ports']],
  options: {
    sports: list('sourcePort'),
    dports: list('destinationPort'),
    ports: list('sourcePort', 'destinationPort'),
  },
};
