import type { ChainDescriptor } from '../chain.js';
import { PROTOCOL } from '../protocol.js';
import { valueSet } from '../valueset.js';
import { SPECIFIED } from './bounds.js';

/**
 * A send that names an address on a datagram socket, and what raw and ping sockets send: the destination is the
 * peer.
 */
export const sendto: ChainDescriptor = {
  call: 'sendto',
  apart: 'by the peer that a datagram is sent to',
  ours: 'source',
  ids: 'caller',
  refusal: 'errno',
  unmarkable:
    "the kernel has read the socket's mark before it asks, so that the next send would have it; CONNECT and BIND can",
  bounds: {
    protocol: {
      set: valueSet(PROTOCOL.udp, PROTOCOL.udplite, PROTOCOL.icmp, PROTOCOL.icmpv6),
      reason: 'it sees udp, udplite and icmp only',
    },
    destination: SPECIFIED,
  },
  flags: {},
  exampleRank: 2,
  usuallyUnbound: false,
};
