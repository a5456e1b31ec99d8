/** Peers that come to a listener of ours. The ends are where they come from. */
import {
  type Caller,
  MSG_FASTOPEN,
  SOCKET_OPTION,
  type SocketAddress,
  type SocketProtocol,
} from '../../harness/caller.js';
import { familyOf, option, requireValue, setOption } from '../moves.js';
import { isIpv6, type Struct } from '../struct.js';
import type { Attempt, Outcome, Role, Technique, Theme } from '../technique.js';
import { PADDING, RECORD_ROUTE } from './messages.js';

const BOTH: readonly Role[] = ['user', 'root'];

const IPPROTO_IP = 0;
const IPPROTO_TCP = 6;
const IPPROTO_IPV6 = 41;
const IP_OPTIONS = 4;
const IP_TRANSPARENT = 19;
const IPV6_DSTOPTS = 59;
const TCP_DEFER_ACCEPT = 9;

const ADDRESS = '10.9.9.3';
const ADDRESS6 = 'fd00:9::3';
const PORT = 7001;

/** How the peer calls, for `patience` ms at most: what came of it. */
type Connect = (caller: Caller, fd: number, to: SocketAddress, patience: number) => Promise<string>;

interface Listen {
  /** Where the listener is bound; unbound if undefined. */
  readonly at?: string | undefined;
  /** Where the peer goes. */
  readonly to?: string;
  readonly protocol?: SocketProtocol;
  readonly prepare?: (caller: Caller, fd: number) => Promise<void>;
  readonly prepareListening?: (caller: Caller, fd: number) => Promise<void>;
  readonly prepareScene?: (attempt: Attempt) => Promise<void>;
  readonly afterwards?: (attempt: Attempt) => Promise<void>;
  readonly preparePeer?: (caller: Caller, fd: number) => Promise<void>;
  readonly connect?: Connect;
}

const connectPlainly: Connect = (caller, fd, to, patience) =>
  caller.connectAndWait(fd, to, patience);

/** Whether a peer outside, bound to the end, comes into the accept queue. */
const accept =
  (how: Listen) =>
  async (attempt: Attempt): Promise<Outcome> => {
    const { scene, role, caller, end, patience } = attempt;
    const { protocol = 0, connect = connectPlainly } = how;
    const at = 'at' in how ? how.at : ADDRESS;
    const stranger = await scene.stranger(role);
    const fd = await caller.socket(familyOf(at ?? ADDRESS), 'stream', protocol);
    const to = how.to ?? at ?? ADDRESS;
    const peer = await stranger.socket(familyOf(to), 'stream', protocol);
    try {
      await how.prepareScene?.(attempt);
      await how.prepare?.(caller, fd);
      if (at !== undefined) requireValue(await bind(caller, fd, at, PORT), 'bind');
      requireValue(await caller.call({ op: 'listen', fd }), 'listen');
      await how.prepareListening?.(caller, fd);
      const { port = 0 } = await caller.address(fd);
      requireValue(await bind(stranger, peer, isIpv6(to) ? end.v6 : end.v4, 0), 'bind');
      await how.preparePeer?.(stranger, peer);
      const said = await connect(stranger, peer, { address: to, port }, patience);
      await stranger.call({ op: 'send', fd: peer });
      const came = await caller.acceptWithin(fd, patience / 3);
      if (came.value !== undefined) await caller.close(came.value);
      return { said: said === 'timeout' ? 'silence' : said, arrived: came.errno === undefined };
    } finally {
      await stranger.close(peer);
      await caller.close(fd);
      await how.afterwards?.(attempt);
    }
  };

const bind = (caller: Caller, fd: number, address: string, port: number) =>
  caller
    .batch([
      option(fd, SOCKET_OPTION.SO_REUSEADDR.level, SOCKET_OPTION.SO_REUSEADDR.name, 1),
      { op: 'bind', fd, address: { address, port } },
    ])
    .then(([, bound]) => bound);

const withOption =
  (level: number, name: number, value: Struct | number) =>
  (caller: Caller, fd: number): Promise<void> =>
    setOption(caller, fd, level, name, value);

const setting =
  (name: string, value: number) =>
  async ({ scene, role }: Attempt): Promise<void> => {
    await scene.run(role, `echo ${value} > /proc/sys/net/ipv4/${name}`);
  };

const row = (name: string, how: Listen, more: Partial<Technique> = {}): Technique => ({
  name,
  chain: 'ACCEPT',
  as: BOTH,
  expected: 'silence',
  ...more,
  attempt: accept(how),
});

/** Data in the first packet, without a cookie. */
const connectFast: Connect = async (caller, fd, to, patience) => {
  const { errno } = await caller.call({ op: 'sendto', fd, to, flags: MSG_FASTOPEN });
  if (errno !== undefined && errno !== 'EINPROGRESS') return errno;
  const again = await caller.connectAndWait(fd, to, patience);
  return again === 'EALREADY' ? 'timeout' : again;
};

const { TCP_FASTOPEN, SO_REUSEPORT } = SOCKET_OPTION;
const TCP_FASTOPEN_NO_COOKIE = 34;

export const LISTENERS: Theme = {
  title: 'Listeners',
  techniques: [
    row('connect(2) of a peer, as it is', {}, { as: ['user', 'root', 'namespace root'] }),
    row('a peer of IPv6', { at: ADDRESS6 }),
    row('a peer of IPv4 at a listener of both families', { at: '::', to: ADDRESS }),
    row('listen(2) without bind(2)', { at: undefined }),
    row('TCP Fast Open, data in the first packet', {
      prepareListening: withOption(TCP_FASTOPEN.level, TCP_FASTOPEN.name, 16),
      preparePeer: withOption(IPPROTO_TCP, TCP_FASTOPEN_NO_COOKIE, 1),
      connect: connectFast,
    }),
    row('TCP_DEFER_ACCEPT', { prepare: withOption(IPPROTO_TCP, TCP_DEFER_ACCEPT, 5) }),
    row('SYN cookies', {
      prepareScene: setting('tcp_syncookies', 2),
      afterwards: setting('tcp_syncookies', 1),
    }),
    row('MPTCP', { protocol: 'mptcp' }),
    row('SO_REUSEPORT', { prepare: withOption(SO_REUSEPORT.level, SO_REUSEPORT.name, 1) }),
    row('IP options in the first packet', {
      preparePeer: withOption(IPPROTO_IP, IP_OPTIONS, RECORD_ROUTE),
    }),
    row('extension headers in the first packet', {
      at: ADDRESS6,
      preparePeer: withOption(IPPROTO_IPV6, IPV6_DSTOPTS, PADDING),
    }),
    row(
      'IP_TRANSPARENT',
      { prepare: withOption(IPPROTO_IP, IP_TRANSPARENT, 1) },
      { as: ['root', 'namespace root'], note: 'CAP_NET_ADMIN or CAP_NET_RAW' },
    ),
  ],
};
