/** Datagrams that come to a socket of ours. The ends are where they come from. */
import {
  type Caller,
  SOCKET_OPTION,
  type SocketAddress,
  type SocketProtocol,
} from '../../harness/caller.js';
import { familyOf, requireValue, sendMessage, setOption } from '../moves.js';
import { controlMessage, ipv4Bytes, isIpv6, Struct } from '../struct.js';
import type { Attempt, Outcome, Role, Technique, Theme } from '../technique.js';
import { PADDING, RECORD_ROUTE } from './messages.js';

const BOTH: readonly Role[] = ['user', 'root'];

const IPPROTO_IP = 0;
const IPPROTO_UDP = 17;
const IPPROTO_IPV6 = 41;
const IP_OPTIONS = 4;
const IP_MULTICAST_IF = 32;
const IP_ADD_MEMBERSHIP = 35;
const IPV6_DSTOPTS = 59;
const UDP_ENCAP = 100;
const UDP_ENCAP_ESPINUDP = 2;
const UDP_SEGMENT = 103;
const UDP_GRO = 104;

const ADDRESS = '10.9.9.3';
const ADDRESS6 = 'fd00:9::3';
const GROUP = '239.9.9.1';
const PORT = 7001;

type Prepare = (caller: Caller, fd: number) => Promise<void>;

interface Receive {
  readonly at?: string;
  readonly to?: string;
  readonly protocol?: SocketProtocol;
  readonly prepare?: Prepare;
  readonly prepareBound?: Prepare;
  readonly preparePeer?: Prepare;
  /** The port that the peer sends from. */
  readonly from?: number;
  readonly data?: string;
  readonly control?: Buffer;
  /** Takes what came; the last resort is recvfrom(2). */
  readonly receive?: (caller: Caller, fd: number, patience: number) => Promise<boolean>;
}

const receivePlainly = async (caller: Caller, fd: number, patience: number): Promise<boolean> =>
  (await caller.recvWithin(fd, patience / 3)).errno === undefined;

const bind = async (caller: Caller, fd: number, address: SocketAddress): Promise<void> => {
  requireValue(await caller.call({ op: 'bind', fd, address }), 'bind');
};

export const receive =
  (how: Receive) =>
  async ({ scene, role, caller, end, patience }: Attempt): Promise<Outcome> => {
    const { at = ADDRESS, protocol = 0, data = 'x', control } = how;
    const to = how.to ?? at;
    const stranger = await scene.stranger(role);
    const fd = await caller.socket(familyOf(at), 'dgram', protocol);
    const peer = await stranger.socket(familyOf(to), 'dgram', protocol);
    try {
      await how.prepare?.(caller, fd);
      await bind(caller, fd, { address: at, port: PORT });
      await how.prepareBound?.(caller, fd);
      await bind(stranger, peer, { address: isIpv6(to) ? end.v6 : end.v4, port: how.from ?? 0 });
      await how.preparePeer?.(stranger, peer);
      const message = { to: { address: to, port: PORT }, data, ...(control ? { control } : {}) };
      requireValue(await stranger.call(sendMessage(peer, message)), 'sendmsg');
      const arrived = await (how.receive ?? receivePlainly)(caller, fd, patience);
      return { said: arrived ? 'ok' : 'silence', arrived };
    } finally {
      await stranger.close(peer);
      await caller.close(fd);
    }
  };

const withOption =
  (level: number, name: number, value: Struct | number): Prepare =>
  (caller, fd) =>
    setOption(caller, fd, level, name, value);

/** Connected to a peer of IPv6, at the port of which both ends' datagrams of IPv4 come. */
const CONNECTED_PORT = 4011;
const connectToIpv6: Prepare = async (caller, fd) => {
  const address = { address: 'fd00:9::1', port: CONNECTED_PORT };
  requireValue(await caller.call({ op: 'connect', fd, address }), 'connect');
};

/** Connects and dissolves again. */
const dissolve: Prepare = async (caller, fd) => {
  for (const address of [
    { address: '127.0.0.1', port: 9 },
    { address: '0.0.0.0', family: 'unspec' } as const,
  ])
    requireValue(await caller.call({ op: 'connect', fd, address }), 'connect');
};

const member = new Struct(8).bytes(0, ipv4Bytes(GROUP)).bytes(4, ipv4Bytes('127.0.0.1'));
const segments = controlMessage(IPPROTO_UDP, UDP_SEGMENT, new Struct(2).u16(0, 100));

const row = (name: string, how: Receive, more: Partial<Technique> = {}): Technique => ({
  name,
  chain: 'RECVFROM',
  as: BOTH,
  expected: 'silence',
  ...more,
  attempt: receive(how),
});

const { SO_REUSEPORT } = SOCKET_OPTION;

export const RECEIVERS: Theme = {
  title: 'Receivers',
  techniques: [
    row('a datagram, as it is', {}, { as: ['user', 'root', 'namespace root'] }),
    row('a datagram of IPv6', { at: ADDRESS6 }),
    row('a datagram of IPv4 at a socket of both families', { at: '::', to: ADDRESS }),
    row('a datagram of UDP-Lite', { protocol: 'udplite' }),
    row('fragments', { data: 'x'.repeat(20_000) }),
    row('fragments of IPv6', { at: ADDRESS6, data: 'x'.repeat(20_000) }),
    row('IP options', { preparePeer: withOption(IPPROTO_IP, IP_OPTIONS, RECORD_ROUTE) }),
    row('extension headers', {
      at: ADDRESS6,
      preparePeer: withOption(IPPROTO_IPV6, IPV6_DSTOPTS, PADDING),
    }),
    row('extension headers before fragments', {
      at: ADDRESS6,
      data: 'x'.repeat(20_000),
      preparePeer: withOption(IPPROTO_IPV6, IPV6_DSTOPTS, PADDING),
    }),
    row('UDP_GRO, and a sender with UDP_SEGMENT', {
      prepare: withOption(IPPROTO_UDP, UDP_GRO, 1),
      data: 'x'.repeat(400),
      control: segments,
    }),
    row('a sender with UDP_SEGMENT', { data: 'x'.repeat(400), control: segments }),
    row('UDP_ENCAP', {
      prepare: withOption(IPPROTO_UDP, UDP_ENCAP, UDP_ENCAP_ESPINUDP),
      // Four zeros say that it is no ESP.
      data: '\0\0\0\0x',
    }),
    row('SO_REUSEPORT', { prepare: withOption(SO_REUSEPORT.level, SO_REUSEPORT.name, 1) }),
    row('a socket that was connected and dissolved', {
      at: '0.0.0.0',
      to: ADDRESS,
      prepareBound: dissolve,
    }),
    row('a datagram of IPv4 for 127.0.0.6 at a socket that is connected to a peer of IPv6', {
      at: '::',
      to: '127.0.0.6',
      from: CONNECTED_PORT,
      prepareBound: connectToIpv6,
    }),
    row('a multicast group', {
      at: GROUP,
      prepareBound: withOption(IPPROTO_IP, IP_ADD_MEMBERSHIP, member),
      preparePeer: withOption(IPPROTO_IP, IP_MULTICAST_IF, Struct.of(ipv4Bytes('127.0.0.1'))),
    }),
  ],
};
