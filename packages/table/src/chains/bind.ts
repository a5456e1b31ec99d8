import type { Bound, ChainDescriptor } from '../chain.js';
import { PROTOCOL } from '../protocol.js';
import { valueSet } from '../valueset.js';

const NO_SOURCE: Bound = {
  set: valueSet(0),
  reason: 'bind(2) has no source: the address that was asked for is the destination',
};

/** bind(2): the destination is the address that was asked for. */
export const bind: ChainDescriptor = {
  call: 'bind',
  apart: 'by the address and port that bind(2) asks for',
  ours: 'destination',
  noPeer: 'bind(2) has no remote end',
  ids: 'caller',
  refusal: 'errno',
  judgedAgain: {
    mark: 'bind(2) is judged once more when it is known what the socket is bound to',
  },
  bounds: {
    protocol: {
      set: valueSet(PROTOCOL.tcp, PROTOCOL.udp, PROTOCOL.udplite),
      reason: 'it sees bind(2) of tcp, udp and udplite sockets only',
    },
    source: NO_SOURCE,
    sourcePort: NO_SOURCE,
  },
  flags: {},
  exampleRank: 1,
  usuallyUnbound: true,
};
