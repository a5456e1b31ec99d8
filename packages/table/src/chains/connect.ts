import type { ChainDescriptor } from '../chain.js';
import { PROTOCOL, TCP_SYN } from '../protocol.js';
import { valueSet } from '../valueset.js';
import { SPECIFIED } from './bounds.js';

/** connect(2) and TCP Fast Open: the destination is the peer. */
export const connect: ChainDescriptor = {
  call: 'connect',
  apart: 'by the peer that connect(2) asks for',
  ours: 'source',
  ids: 'caller',
  refusal: 'errno',
  bounds: {
    protocol: {
      // udplite_prot has no pre_connect (net/ipv4/udplite.c): the kernel asks nobody.
      set: valueSet(PROTOCOL.tcp, PROTOCOL.udp, PROTOCOL.icmp, PROTOCOL.icmpv6),
      reason: 'it sees connect(2) of tcp, udp and ping sockets only',
    },
    destination: SPECIFIED,
  },
  flags: { [PROTOCOL.tcp]: TCP_SYN },
  exampleRank: 0,
  usuallyUnbound: true,
};
