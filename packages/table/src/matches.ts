/** Every match there is. A new one is a file in matches/ and a row here. */
import type { MatchDescriptor } from './match.js';
import { addrtype } from './matches/addrtype.js';
import { cgroup } from './matches/cgroup.js';
import { comm } from './matches/comm.js';
import { comment } from './matches/comment.js';
import { hashlimit } from './matches/hashlimit.js';
import { ip } from './matches/ip.js';
import { iprange } from './matches/iprange.js';
import { limit } from './matches/limit.js';
import { mark } from './matches/mark.js';
import { multiport } from './matches/multiport.js';
import { netns } from './matches/netns.js';
import { ownerMatch } from './matches/owner.js';
import { tcp, udp, udplite } from './matches/ports.js';
import { quota } from './matches/quota.js';
import { set } from './matches/set.js';
import { socket } from './matches/socket.js';
import { statistic } from './matches/statistic.js';
import { time } from './matches/time.js';

export const MATCHES = {
  ip,
  tcp,
  udp,
  udplite,
  multiport,
  iprange,
  addrtype,
  cgroup,
  owner: ownerMatch,
  comm,
  netns,
  comment,
  socket,
  limit,
  hashlimit,
  statistic,
  quota,
  time,
  set,
  mark,
} as const satisfies Readonly<Record<string, MatchDescriptor>>;

export type MatchName = keyof typeof MATCHES;

export function isMatchName(name: string): name is MatchName {
  return Object.hasOwn(MATCHES, name);
}
