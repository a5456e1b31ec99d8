/** What several chains have in common. */
import type { Bound } from '../chain.js';
import { PROTOCOL } from '../protocol.js';
import { rangeSet, valueSet } from '../valueset.js';

export const SPECIFIED: Bound = {
  set: rangeSet([[1n, 2n ** 128n - 1n]]),
  reason:
    'the kernel makes an unspecified destination the address that the socket is bound to, else 127.0.0.1 or ::1',
};

export const DATAGRAMS: Bound = {
  set: valueSet(PROTOCOL.udp, PROTOCOL.udplite),
  reason: 'it sees datagrams of udp and udplite sockets only',
};
