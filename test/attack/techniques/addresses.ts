/** An address that means another. */
import type { SocketAddress } from '../../harness/caller.js';
import { PORT } from '../ends.js';
import { requireValue, said, sendMessage, setOption, withSocket } from '../moves.js';
import { ipv4Bytes, Struct } from '../struct.js';
import type { Attempt, Outcome, Role, Theme } from '../technique.js';
import { packetInfo } from './messages.js';

const EVERYBODY: readonly Role[] = ['user', 'root', 'namespace root'];

const IP_MULTICAST_IF = 32;
const IPV6_ADDRFORM = 1;
const IPPROTO_IP = 0;
const IPPROTO_IPV6 = 41;
const SOL_SOCKET = 1;
const SO_BROADCAST = 6;
const SO_DONTROUTE = 5;

type Family = 'inet' | 'inet6';

/** A connect of a stream; `address` is where to. */
const connect =
  (family: Family, address: (attempt: Attempt) => SocketAddress) =>
  (attempt: Attempt): Promise<Outcome> =>
    withSocket(attempt, family, 'stream', async (fd) =>
      said(await attempt.caller.call({ op: 'connect', fd, address: address(attempt) })),
    );

const sendto =
  (
    family: Family,
    address: (attempt: Attempt) => SocketAddress,
    protocol: 'udp' | 'udplite' = 'udp',
  ) =>
  (attempt: Attempt): Promise<Outcome> =>
    withSocket(
      attempt,
      family,
      'dgram',
      async (fd) => said(await attempt.caller.call({ op: 'sendto', fd, to: address(attempt) })),
      protocol,
    );

/** A connect of a datagram socket, and a send on it whatever that said. */
const connectAndSend =
  (family: Family, address: (attempt: Attempt) => SocketAddress, prepare?: Prepare) =>
  (attempt: Attempt): Promise<Outcome> =>
    withSocket(attempt, family, 'dgram', async (fd) => {
      await prepare?.(attempt, fd);
      const connected = await attempt.caller.call({ op: 'connect', fd, address: address(attempt) });
      await attempt.caller.call({ op: 'send', fd });
      return said(connected);
    });

type Prepare = (attempt: Attempt, fd: number) => Promise<void>;

const v4 = ({ end }: Attempt): SocketAddress => ({ address: end.v4, port: PORT });
const v6 = ({ end }: Attempt): SocketAddress => ({ address: end.v6, port: PORT });
const mapped = ({ end }: Attempt): SocketAddress => ({ address: `::ffff:${end.v4}`, port: PORT });
const unspecified: SocketAddress = { address: '0.0.0.0', port: PORT };

export const ADDRESSES: Theme = {
  title: 'Addresses',
  techniques: [
    {
      name: 'connect(2), as it is',
      chain: 'CONNECT',
      as: EVERYBODY,
      expected: 'EPERM',
      attempt: connect('inet', v4),
    },
    {
      name: 'connect(2) of IPv6',
      chain: 'CONNECT',
      as: EVERYBODY,
      expected: 'EPERM',
      attempt: connect('inet6', v6),
    },
    {
      name: 'sendto(2), as it is',
      chain: 'SENDTO',
      as: EVERYBODY,
      expected: 'EPERM',
      attempt: sendto('inet', v4),
    },
    {
      name: 'sendto(2) of IPv6',
      chain: 'SENDTO',
      as: EVERYBODY,
      expected: 'EPERM',
      attempt: sendto('inet6', v6),
    },
    {
      name: 'sendto(2) of UDP-Lite',
      chain: 'SENDTO',
      as: EVERYBODY,
      expected: 'EPERM',
      attempt: sendto('inet', v4, 'udplite'),
    },
    {
      name: 'connect(2) to a mapped address',
      chain: 'CONNECT',
      as: EVERYBODY,
      expected: 'EPERM',
      attempt: connect('inet6', mapped),
    },
    {
      name: 'connect(2) of UDP to a mapped address',
      chain: 'CONNECT',
      as: EVERYBODY,
      expected: 'EPERM',
      attempt: connectAndSend('inet6', mapped),
    },
    {
      name: 'sendto(2) to a mapped address',
      chain: 'SENDTO',
      as: EVERYBODY,
      expected: 'EPERM',
      attempt: sendto('inet6', mapped),
    },
    {
      name: 'a sockaddr of IPv4 on an IPv6 socket, connect(2)',
      chain: 'CONNECT',
      as: EVERYBODY,
      expected: 'EPERM',
      attempt: connectAndSend('inet6', v4),
    },
    {
      name: 'a sockaddr of IPv4 on an IPv6 socket, sendto(2)',
      chain: 'SENDTO',
      as: EVERYBODY,
      expected: 'EPERM',
      attempt: sendto('inet6', v4),
    },
    {
      name: 'AF_UNSPEC in the sockaddr of sendto(2)',
      chain: 'SENDTO',
      as: EVERYBODY,
      expected: 'EPERM',
      attempt: sendto('inet', (attempt) => ({ ...v4(attempt), family: 'unspec' })),
    },
    {
      name: 'connect(2) elsewhere, AF_UNSPEC, connect(2) again',
      chain: 'CONNECT',
      as: EVERYBODY,
      expected: 'EPERM',
      attempt: connectAndSend('inet', v4, async ({ caller }, fd) => {
        const to = { address: '127.0.0.1', port: PORT };
        requireValue(await caller.call({ op: 'connect', fd, address: to }), 'connect');
        const dissolve = { address: '0.0.0.0', family: 'unspec' } as const;
        requireValue(await caller.call({ op: 'connect', fd, address: dissolve }), 'dissolve');
      }),
    },
    {
      name: 'a connected socket that names another peer',
      chain: 'SENDTO',
      as: EVERYBODY,
      expected: 'EPERM',
      attempt: (attempt) =>
        withSocket(attempt, 'inet', 'dgram', async (fd) => {
          const { caller } = attempt;
          const address = { address: '127.0.0.1', port: PORT };
          requireValue(await caller.call({ op: 'connect', fd, address }), 'connect');
          return said(await caller.call({ op: 'sendto', fd, to: v4(attempt) }));
        }),
    },
    {
      name: 'IPV6_ADDRFORM, then connect(2) of IPv4',
      chain: 'CONNECT',
      as: EVERYBODY,
      expected: 'EPERM',
      attempt: connectAndSend('inet6', v4, async ({ caller }, fd) => {
        const address = { address: '::ffff:127.0.0.1', port: PORT };
        requireValue(await caller.call({ op: 'connect', fd, address }), 'connect');
        await setOption(caller, fd, IPPROTO_IPV6, IPV6_ADDRFORM, 2);
      }),
    },
    {
      name: 'the unspecified address, from a socket bound to what it then means',
      chain: 'CONNECT',
      as: EVERYBODY,
      expected: 'EPERM',
      attempt: connectAndSend(
        'inet',
        () => unspecified,
        async ({ caller, end }, fd) => {
          requireValue(await caller.call({ op: 'bind', fd, address: { address: end.v4 } }), 'bind');
        },
      ),
    },
    {
      name: 'the unspecified address, from a source that IP_PKTINFO names',
      chain: 'SENDTO',
      as: EVERYBODY,
      expected: 'EPERM',
      attempt: (attempt) =>
        withSocket(attempt, 'inet', 'dgram', async (fd) => {
          const control = packetInfo(attempt.end.v4);
          return said(await attempt.caller.call(sendMessage(fd, { to: unspecified, control })));
        }),
    },
    {
      name: 'a multicast group, sendto(2)',
      chain: 'SENDTO',
      as: EVERYBODY,
      expected: 'EPERM',
      attempt: (attempt) =>
        withSocket(attempt, 'inet', 'dgram', async (fd) => {
          const { caller, end } = attempt;
          await setOption(caller, fd, IPPROTO_IP, IP_MULTICAST_IF, loopback());
          const to = { address: end.multicast, port: PORT };
          return said(await caller.call({ op: 'sendto', fd, to }));
        }),
    },
    {
      name: 'a multicast group, connect(2)',
      chain: 'CONNECT',
      as: EVERYBODY,
      expected: 'EPERM',
      attempt: connectAndSend(
        'inet',
        ({ end }) => ({ address: end.multicast, port: PORT }),
        ({ caller }, fd) => setOption(caller, fd, IPPROTO_IP, IP_MULTICAST_IF, loopback()),
      ),
    },
    {
      name: 'a broadcast address, sendto(2)',
      chain: 'SENDTO',
      as: EVERYBODY,
      expected: 'EPERM',
      attempt: (attempt) =>
        withSocket(attempt, 'inet', 'dgram', async (fd) => {
          const { caller, end } = attempt;
          await setOption(caller, fd, SOL_SOCKET, SO_BROADCAST, 1);
          const to = { address: end.device.broadcast, port: PORT };
          return said(await caller.call({ op: 'sendto', fd, to }));
        }),
    },
    {
      name: 'a broadcast address, connect(2)',
      chain: 'CONNECT',
      as: EVERYBODY,
      expected: 'EPERM',
      attempt: connectAndSend(
        'inet',
        ({ end }) => ({ address: end.device.broadcast, port: PORT }),
        ({ caller }, fd) => setOption(caller, fd, SOL_SOCKET, SO_BROADCAST, 1),
      ),
    },
    {
      name: 'SO_DONTROUTE',
      chain: 'CONNECT',
      as: EVERYBODY,
      expected: 'EPERM',
      attempt: connectAndSend('inet', v4, ({ caller }, fd) =>
        setOption(caller, fd, SOL_SOCKET, SO_DONTROUTE, 1),
      ),
    },
    {
      name: 'a sockaddr that is longer than its family asks for',
      chain: 'CONNECT',
      as: EVERYBODY,
      expected: 'EPERM',
      attempt: (attempt) =>
        withSocket(attempt, 'inet', 'stream', async (fd) => {
          const long = new Struct(128).u16(0, 2).bytes(2, Buffer.from([PORT >> 8, PORT & 255]));
          long.bytes(4, ipv4Bytes(attempt.end.v4));
          const args = [fd, long, 128];
          return said(await attempt.caller.call({ op: 'syscall', name: 'connect', args }));
        }),
    },
  ],
};

/** `struct in_addr` of loopback. */
function loopback(): Struct {
  return Struct.of(ipv4Bytes('127.0.0.1'));
}
