/** A packet to vary where a test is about one field. */
import type { Packet } from '@sockfilter/table';

export const PACKET: Packet = {
  chain: 'CONNECT',
  group: 0,
  family: 4,
  protocol: 6,
  source: 0n,
  destination: 0n,
  sourcePort: 0,
  destinationPort: 80,
  flags: 2,
  uid: 0,
  gid: 0,
  mark: 0,
};
