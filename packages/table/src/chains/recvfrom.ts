import type { ChainDescriptor } from '../chain.js';
import { DATAGRAMS, NO_GID } from './bounds.js';

/** A datagram that reaches an unconnected socket: the source is the peer. */
export const recvfrom: ChainDescriptor = {
  call: 'recvfrom',
  apart: 'by the peer that sent the datagram, and our address and port',
  ours: 'destination',
  ids: 'socket',
  refusal: 'silence',
  unmarkable: "the kernel lets nobody set a socket's mark when a packet comes in",
  unwritable: 'the packet has reached its socket, and no other',
  bounds: { protocol: DATAGRAMS, gid: NO_GID },
  flags: {},
  exampleRank: 4,
  usuallyUnbound: false,
};
