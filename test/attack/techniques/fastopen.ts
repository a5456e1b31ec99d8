/** TCP connections that no connect(2) opens. */
import { MSG_FASTOPEN, SOCKET_OPTION, type SocketAddress } from '../../harness/caller.js';
import { PORT } from '../ends.js';
import { said, sendMessage, setOption, syscall, withSocket } from '../moves.js';
import { putMessage, Struct } from '../struct.js';
import type { Attempt, Outcome, Role, Technique, Theme } from '../technique.js';

const BOTH: readonly Role[] = ['user', 'root'];
const IPPROTO_TCP = 6;
const TCP_FASTOPEN_NO_COOKIE = 34;
const TCP_REPAIR = 19;

export interface Peer {
  readonly title: string;
  readonly family: 'inet' | 'inet6';
  readonly address: (attempt: Attempt) => SocketAddress;
}

const IPV4: Peer = {
  title: 'IPv4',
  family: 'inet',
  address: ({ end }) => ({ address: end.v4, port: PORT }),
};

const PEERS: readonly Peer[] = [
  IPV4,
  { title: 'IPv6', family: 'inet6', address: ({ end }) => ({ address: end.v6, port: PORT }) },
  {
    title: 'a mapped address',
    family: 'inet6',
    address: ({ end }) => ({ address: `::ffff:${end.v4}`, port: PORT }),
  },
];

type Send = (attempt: Attempt, fd: number, to: SocketAddress) => Promise<Outcome>;

/** A connection that a send opens. */
export const fast =
  (peer: Peer, send: Send, protocol: 'tcp' | 'mptcp' = 'tcp') =>
  (attempt: Attempt): Promise<Outcome> =>
    withSocket(
      attempt,
      peer.family,
      'stream',
      (fd) => send(attempt, fd, peer.address(attempt)),
      protocol,
    );

export const bySendto: Send = async ({ caller }, fd, to) =>
  said(await caller.call({ op: 'sendto', fd, to, flags: MSG_FASTOPEN }));

const byOption: Send = async ({ caller }, fd, to) => {
  const { level, name } = SOCKET_OPTION.TCP_FASTOPEN_CONNECT;
  await setOption(caller, fd, level, name, 1);
  const connected = await caller.call({ op: 'connect', fd, address: to });
  await caller.call({ op: 'send', fd });
  return said(connected);
};

const ofPeer = (peer: Peer): readonly Technique[] => [
  {
    name: `MSG_FASTOPEN to ${peer.title}`,
    chain: 'CONNECT',
    as: BOTH,
    expected: 'EPERM',
    attempt: fast(peer, bySendto),
  },
  {
    name: `TCP_FASTOPEN_CONNECT to ${peer.title}`,
    chain: 'CONNECT',
    as: BOTH,
    expected: 'EPERM',
    attempt: fast(peer, byOption),
  },
];

export const FASTOPEN: Theme = {
  title: 'TCP Fast Open and MPTCP',
  techniques: [
    ...PEERS.flatMap(ofPeer),
    {
      name: 'MSG_FASTOPEN by sendmsg(2)',
      chain: 'CONNECT',
      as: BOTH,
      expected: 'EPERM',
      attempt: fast(IPV4, async ({ caller }, fd, to) =>
        said(await caller.call(sendMessage(fd, { to }, MSG_FASTOPEN))),
      ),
    },
    {
      name: 'MSG_FASTOPEN by sendmmsg(2)',
      chain: 'CONNECT',
      as: BOTH,
      expected: 'EPERM',
      attempt: fast(IPV4, async ({ caller }, fd, to) => {
        const messages = putMessage(new Struct(64), 0, { to });
        return said(await caller.call(syscall('sendmmsg', fd, messages, 1, MSG_FASTOPEN)));
      }),
    },
    {
      name: 'MSG_FASTOPEN without a cookie',
      chain: 'CONNECT',
      as: BOTH,
      expected: 'EPERM',
      attempt: fast(IPV4, async (attempt, fd, to) => {
        await setOption(attempt.caller, fd, IPPROTO_TCP, TCP_FASTOPEN_NO_COOKIE, 1);
        return bySendto(attempt, fd, to);
      }),
    },
    {
      name: 'connect(2) of MPTCP',
      chain: 'CONNECT',
      as: BOTH,
      expected: 'EPERM',
      attempt: fast(
        IPV4,
        async ({ caller }, fd, to) => said(await caller.call({ op: 'connect', fd, address: to })),
        'mptcp',
      ),
    },
    {
      name: 'MSG_FASTOPEN of MPTCP',
      chain: 'CONNECT',
      as: BOTH,
      expected: 'EPERM',
      since: '6.2',
      attempt: fast(IPV4, bySendto, 'mptcp'),
    },
    {
      name: 'TCP_REPAIR, connect(2)',
      chain: 'CONNECT',
      as: ['root', 'namespace root'],
      expected: 'EPERM',
      note: 'CAP_NET_ADMIN; nothing is sent, so the socket itself is asked',
      attempt: fast(IPV4, async ({ caller }, fd, to) => {
        await setOption(caller, fd, IPPROTO_TCP, TCP_REPAIR, 1);
        const connected = await caller.call({ op: 'connect', fd, address: to });
        const { address } = await caller.call({ op: 'getpeername', fd });
        return { ...said(connected), arrived: address?.address === to.address };
      }),
    },
  ],
};
