import type { ChainDescriptor } from '../chain.js';
import { PROTOCOL, TCP_SYN } from '../protocol.js';
import { valueSet } from '../valueset.js';
import { NO_GID } from './bounds.js';

/** A TCP SYN that reaches a listening socket: the source is the peer. */
export const accept: ChainDescriptor = {
  call: 'accept',
  apart: 'by the peer that connects, and our address and port',
  ours: 'destination',
  ids: 'socket',
  refusal: 'silence',
  unmarkable: "the kernel lets nobody set a socket's mark when a packet comes in",
  unwritable: 'the packet has reached its socket, and no other',
  bounds: {
    protocol: { set: valueSet(PROTOCOL.tcp), reason: 'it sees tcp only' },
    gid: NO_GID,
  },
  flags: { [PROTOCOL.tcp]: TCP_SYN },
  exampleRank: 3,
  usuallyUnbound: false,
};
