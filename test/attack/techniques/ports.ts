/** Addresses and ports of one's own. */
import { SOCKET_OPTION, type SocketAddress, type SocketProtocol } from '../../harness/caller.js';
import { familyOf, requireValue, said, setOption, withSocket } from '../moves.js';
import { isIpv6, Struct } from '../struct.js';
import type { Attempt, Outcome, Role, Technique, Theme } from '../technique.js';

const BOTH: readonly Role[] = ['user', 'root'];

const IPPROTO_IP = 0;
const SOL_SOCKET = 1;
const SO_BINDTODEVICE = 25;
const IP_FREEBIND = 15;
const IP_TRANSPARENT = 19;

/** A port of the addresses that nobody else in the tests has, and the kernel chooses for nobody. */
export const FREE_PORT = 6100;

type Type = 'stream' | 'dgram';
type Prepare = (attempt: Attempt, fd: number) => Promise<void>;

/** Whether the socket is to be reached there from outside. */
async function isReached(
  { scene, caller, role, patience }: Attempt,
  fd: number,
  type: Type,
  at: SocketAddress,
  protocol: SocketProtocol = 0,
): Promise<boolean> {
  const { v4, v6 } = scene.ends.allowed;
  if (type === 'stream') await caller.call({ op: 'listen', fd });
  await scene.reaches(role, type, at, isIpv6(at.address) ? v6 : v4, protocol, patience);
  const came =
    type === 'stream'
      ? await caller.acceptWithin(fd, patience / 3)
      : await caller.recvWithin(fd, patience / 3);
  if (type === 'stream' && came.value !== undefined) await caller.close(came.value);
  return came.errno === undefined;
}

interface Bind {
  /** What bind(2) is asked for. */
  readonly ask: (attempt: Attempt) => SocketAddress;
  /** Where the socket is reached then, if not there. */
  readonly at?: (attempt: Attempt) => SocketAddress;
  readonly type?: Type;
  readonly family?: 'inet' | 'inet6';
  readonly protocol?: SocketProtocol;
  readonly prepare?: Prepare;
}

const bind =
  ({ ask, at = ask, type = 'stream', family, protocol = 0, prepare }: Bind) =>
  (attempt: Attempt): Promise<Outcome> => {
    const address = ask(attempt);
    const of = family ?? familyOf(address.address);
    return withSocket(
      attempt,
      of,
      type,
      async (fd) => {
        await prepare?.(attempt, fd);
        const bound = await attempt.caller.call({ op: 'bind', fd, address });
        return {
          ...said(bound),
          arrived: await isReached(attempt, fd, type, at(attempt), protocol),
        };
      },
      protocol,
    );
  };

/** An attempt to bind. */
export const bindRow = (name: string, how: Bind, more: Partial<Technique> = {}): Technique => ({
  name,
  chain: 'BIND',
  as: BOTH,
  expected: 'EPERM',
  ...more,
  attempt: bind(how),
});

const v4 = ({ end }: Attempt): SocketAddress => ({ address: end.own.v4, port: FREE_PORT });
const v6 = ({ end }: Attempt): SocketAddress => ({ address: end.own.v6, port: FREE_PORT });
const mapped = ({ end }: Attempt): SocketAddress => ({
  address: `::ffff:${end.own.v4}`,
  port: FREE_PORT,
});

/** The end's port at an address of ours. */
const port =
  (address: string) =>
  ({ end }: Attempt): SocketAddress => ({ address, port: end.own.port });
const portV4 = port('10.9.9.3');
const portV6 = port('fd00:9::3');

const withOption =
  (level: number, name: number, value: Struct | number): Prepare =>
  ({ caller }, fd) =>
    setOption(caller, fd, level, name, value);

const { SO_REUSEADDR, SO_REUSEPORT, IP_BIND_ADDRESS_NO_PORT, IPV6_V6ONLY } = SOCKET_OPTION;

/** A member of a group of SO_REUSEPORT that one who may has opened. */
async function joinReuseport(attempt: Attempt): Promise<Outcome> {
  const { scene, role, caller } = attempt;
  const friend = await scene.member(role, 'friend');
  const address = portV4(attempt);
  const opened = await friend.socket('inet', 'stream');
  const fd = await caller.socket('inet', 'stream');
  try {
    for (const [who, of] of [
      [friend, opened],
      [caller, fd],
    ] as const)
      await setOption(who, of, SO_REUSEPORT.level, SO_REUSEPORT.name, 1);
    requireValue(await friend.call({ op: 'bind', fd: opened, address }), 'bind');
    const bound = await caller.call({ op: 'bind', fd, address });
    await friend.close(opened);
    return { ...said(bound), arrived: await isReached(attempt, fd, 'stream', address) };
  } finally {
    await caller.close(fd);
  }
}

export const PORTS: Theme = {
  title: 'Addresses and ports of one’s own',
  techniques: [
    bindRow('bind(2), as it is', { ask: v4 }, { as: ['user', 'root', 'namespace root'] }),
    bindRow('bind(2) of IPv6', { ask: v6 }, { as: ['user', 'root', 'namespace root'] }),
    bindRow('bind(2) of UDP', { ask: v4, type: 'dgram' }),
    bindRow('bind(2) of UDP-Lite', { ask: portV4, type: 'dgram', protocol: 'udplite', at: portV4 }),
    bindRow('bind(2) of MPTCP', { ask: v4, protocol: 'mptcp' }),
    bindRow('bind(2) to a mapped address', { ask: mapped, at: v4 }),
    bindRow('bind(2) of a port', { ask: portV4 }),
    bindRow('the port at the wildcard', { ask: port('0.0.0.0'), at: portV4 }),
    bindRow('the port at the wildcard of both families', { ask: port('::'), at: portV4 }),
    bindRow('the port at the wildcard with IPV6_V6ONLY', {
      ask: port('::'),
      at: portV6,
      prepare: withOption(IPV6_V6ONLY.level, IPV6_V6ONLY.name, 1),
    }),
    bindRow('AF_UNSPEC in the sockaddr', {
      ask: ({ end }) => ({ address: '0.0.0.0', port: end.own.port, family: 'unspec' }),
      at: portV4,
    }),
    bindRow('IP_BIND_ADDRESS_NO_PORT', {
      ask: v4,
      prepare: withOption(IP_BIND_ADDRESS_NO_PORT.level, IP_BIND_ADDRESS_NO_PORT.name, 1),
    }),
    bindRow('IP_FREEBIND', { ask: v4, prepare: withOption(IPPROTO_IP, IP_FREEBIND, 1) }),
    bindRow(
      'IP_TRANSPARENT',
      { ask: v4, prepare: withOption(IPPROTO_IP, IP_TRANSPARENT, 1) },
      { as: ['root', 'namespace root'], note: 'CAP_NET_ADMIN or CAP_NET_RAW' },
    ),
    bindRow('SO_REUSEADDR', {
      ask: portV4,
      prepare: withOption(SO_REUSEADDR.level, SO_REUSEADDR.name, 1),
    }),
    bindRow('SO_BINDTODEVICE', {
      ask: v4,
      prepare: withOption(SOL_SOCKET, SO_BINDTODEVICE, Struct.of('lo\0')),
    }),
    bindRow('a socket that was connected and dissolved', {
      ask: v4,
      type: 'dgram',
      prepare: async ({ caller }, fd) => {
        const address = { address: '127.0.0.1', port: FREE_PORT };
        requireValue(await caller.call({ op: 'connect', fd, address }), 'connect');
        const dissolve = { address: '0.0.0.0', family: 'unspec' } as const;
        requireValue(await caller.call({ op: 'connect', fd, address: dissolve }), 'dissolve');
      },
    }),
    {
      name: 'SO_REUSEPORT beside a socket of one who may',
      chain: 'BIND',
      as: BOTH,
      expected: 'EPERM',
      attempt: joinReuseport,
    },
  ],
};
