/** tcp, udp and udplite: the port matches that `-p` brings. */
import { defineOption, type MatchDescriptor, plainRange } from '../match.js';
import type { Field } from '../packet.js';
import { PROTOCOL } from '../protocol.js';
import { rangeSet } from '../valueset.js';

const port = (field: Field) =>
  defineOption(
    'portRange',
    ({ from, to }, negated) => [[{ field, set: rangeSet([[BigInt(from), BigInt(to)]]), negated }]],
    { plain: plainRange(field) },
  );

const ports = { sport: port('sourcePort'), dport: port('destinationPort') };

export const tcp: MatchDescriptor = {
  name: 'tcp',
  protocols: [PROTOCOL.tcp],
  needsOption: false,
  options: {
    ...ports,
    'tcp-flags': defineOption('tcpFlags', ({ mask, set }, negated) => [
      [
        {
          field: 'flags',
          set: { kind: 'masked', value: BigInt(set), mask: BigInt(mask) },
          negated,
        },
      ],
    ]),
  },
};

export const udp: MatchDescriptor = {
  name: 'udp',
  protocols: [PROTOCOL.udp],
  needsOption: false,
  options: ports,
};

export const udplite: MatchDescriptor = {
  name: 'udplite',
  protocols: [PROTOCOL.udplite],
  needsOption: false,
  options: ports,
};
