import type { ChainDescriptor } from '../chain.js';
import { DATAGRAMS, SPECIFIED } from './bounds.js';

/** A send that names an address on a datagram socket: the destination is the peer. */
export const sendto: ChainDescriptor = {
  call: 'sendto',
  ours: 'source',
  ids: 'caller',
  refusal: 'errno',
  bounds: { protocol: DATAGRAMS, destination: SPECIFIED },
  flags: {},
  exampleRank: 2,
  usuallyUnbound: false,
};
