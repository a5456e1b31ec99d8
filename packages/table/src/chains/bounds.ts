/** What several chains have in common. */
import type { Bound } from '../chain.js';
import { PROTOCOL } from '../protocol.js';
import { rangeSet, valueSet } from '../valueset.js';

export const SPECIFIED: Bound = {
  set: rangeSet([[1n, 2n ** 128n - 1n]]),
  reason:
    'the kernel makes an unspecified destination the address that the socket is bound to, else 127.0.0.1 or ::1',
};

/** Why packets of the sockets' own chains have no group id. */
export const NO_GID: Bound = {
  set: valueSet(0),
  reason: 'a socket keeps the user id of its maker but no group id',
};

export const DATAGRAMS: Bound = {
  set: valueSet(PROTOCOL.udp, PROTOCOL.udplite),
  reason: 'it sees datagrams of udp and udplite sockets only',
};
