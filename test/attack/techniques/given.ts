/** Addresses in whose stead a call is given another: rules behind DNAT judge that one. */
import type { SocketAddress, SocketProtocol } from '../../harness/caller.js';
import { PORT } from '../ends.js';
import { familyOf, requireValue, said, sendMessage, syscall, withSocket } from '../moves.js';
import { connectEntry, SETUP } from '../ring.js';
import { putMessage, Struct } from '../struct.js';
import type { Attempt, Outcome, Role, Technique, Theme } from '../technique.js';
import { bySendto, fast, type Peer } from './fastopen.js';
import { packetInfo } from './messages.js';
import { bindRow, FREE_PORT } from './ports.js';
import { receive } from './receivers.js';
import { byRing } from './rings.js';

const BOTH: readonly Role[] = ['user', 'root'];
const EVERYBODY: readonly Role[] = ['user', 'root', 'namespace root'];

type Where = (attempt: Attempt) => SocketAddress & { readonly port: number };

const v4: Where = ({ end }) => ({ address: end.given.v4, port: PORT });
const v6: Where = ({ end }) => ({ address: end.given.v6, port: PORT });
const mapped: Where = ({ end }) => ({ address: `::ffff:${end.given.v4}`, port: PORT });

const IPV4: Peer = { title: 'IPv4', family: 'inet', address: v4 };

interface Ask {
  readonly to: Where;
  readonly protocol?: SocketProtocol;
  /** Before it, on the same socket. */
  readonly prepare?: (attempt: Attempt, fd: number) => Promise<void>;
}

/** A connect(2) of a stream, or of a datagram socket that sends then whatever that said. */
const connect =
  (type: 'stream' | 'dgram', { to, protocol = 0, prepare }: Ask) =>
  (attempt: Attempt): Promise<Outcome> => {
    const { caller } = attempt;
    const address = to(attempt);
    const body = async (fd: number) => {
      await prepare?.(attempt, fd);
      const connected = await caller.call({ op: 'connect', fd, address });
      if (type === 'dgram') await caller.call({ op: 'send', fd });
      return said(connected);
    };
    return withSocket(attempt, familyOf(address.address), type, body, protocol);
  };

/** A sendmsg(2) of a datagram socket. */
const send =
  ({ to, protocol = 0, prepare }: Ask, control?: Buffer) =>
  (attempt: Attempt): Promise<Outcome> => {
    const address = to(attempt);
    const message = { to: address, ...(control && { control }) };
    const body = async (fd: number) => {
      await prepare?.(attempt, fd);
      return said(await attempt.caller.call(sendMessage(fd, message)));
    };
    return withSocket(attempt, familyOf(address.address), 'dgram', body, protocol);
  };

/** Connects to what the allowed end is given for. */
async function connectFirst({ caller, scene }: Attempt, fd: number): Promise<void> {
  const address = { address: scene.ends.allowed.given.v4, port: PORT };
  requireValue(await caller.call({ op: 'connect', fd, address }), 'connect');
}

async function connectAndDissolve(attempt: Attempt, fd: number): Promise<void> {
  await connectFirst(attempt, fd);
  const dissolve = { address: '0.0.0.0', family: 'unspec' } as const;
  requireValue(await attempt.caller.call({ op: 'connect', fd, address: dissolve }), 'dissolve');
}

/** sendmmsg(2): the first message to what is allowed, the second to the end. */
const sendSecond = (attempt: Attempt): Promise<Outcome> =>
  withSocket(attempt, 'inet', 'dgram', async (fd) => {
    const messages = new Struct(128);
    putMessage(messages, 0, { to: { address: '127.0.0.1', port: PORT } });
    putMessage(messages, 64, { to: v4(attempt) });
    const sent = await attempt.caller.call(syscall('sendmmsg', fd, messages, 2, 0));
    // It says how many were sent, and keeps the error of the next.
    return { said: sent.value === 1 ? 'one sent' : (sent.errno ?? 'both sent') };
  });

const row = (
  chain: 'CONNECT' | 'SENDTO',
  name: string,
  attempt: Technique['attempt'],
  more: Partial<Technique> = {},
): Technique => ({ name: `DNAT: ${name}`, chain, as: BOTH, expected: 'EPERM', ...more, attempt });

const own4: Where = ({ end }) => ({ address: end.given.own4, port: FREE_PORT });
const own6: Where = ({ end }) => ({ address: end.given.own6, port: FREE_PORT });
const ownMapped: Where = ({ end }) => ({ address: `::ffff:${end.given.own4}`, port: FREE_PORT });
const at4: Where = ({ end }) => ({ address: end.own.v4, port: FREE_PORT });
const at6: Where = ({ end }) => ({ address: end.own.v6, port: FREE_PORT });

export const GIVEN: Theme = {
  title: 'Other destinations',
  techniques: [
    row('CONNECT', 'connect(2)', connect('stream', { to: v4 }), { as: EVERYBODY }),
    row('CONNECT', 'connect(2) of IPv6', connect('stream', { to: v6 }), { as: EVERYBODY }),
    row('CONNECT', 'connect(2) to a mapped address', connect('stream', { to: mapped })),
    row('CONNECT', 'connect(2) of MPTCP', connect('stream', { to: v4, protocol: 'mptcp' })),
    row('CONNECT', 'connect(2) of UDP', connect('dgram', { to: v4 }), { as: EVERYBODY }),
    row('CONNECT', 'connect(2) of UDP to a mapped address', connect('dgram', { to: mapped })),
    row(
      'CONNECT',
      'connect(2) elsewhere, AF_UNSPEC, connect(2) again',
      connect('dgram', { to: v4, prepare: connectAndDissolve }),
    ),
    row(
      'CONNECT',
      'a connected socket that is connected again',
      connect('dgram', { to: v4, prepare: connectFirst }),
    ),
    row('CONNECT', 'MSG_FASTOPEN', fast(IPV4, bySendto)),
    row('CONNECT', 'io_uring, connect', byRing('stream', SETUP.plain, connectEntry, v4)),
    row('SENDTO', 'sendmsg(2)', send({ to: v4 }), { as: EVERYBODY }),
    row('SENDTO', 'sendmsg(2) of IPv6', send({ to: v6 }), { as: EVERYBODY }),
    row('SENDTO', 'sendmsg(2) to a mapped address', send({ to: mapped })),
    row('SENDTO', 'sendmsg(2) of UDP-Lite', send({ to: v4, protocol: 'udplite' })),
    row(
      'SENDTO',
      'AF_UNSPEC in the sockaddr',
      send({ to: (attempt) => ({ ...v4(attempt), family: 'unspec' }) }),
    ),
    row('SENDTO', 'a source that IP_PKTINFO names', send({ to: v4 }, packetInfo('10.9.9.3'))),
    row(
      'SENDTO',
      'a connected socket that names another peer',
      send({ to: v4, prepare: connectFirst }),
    ),
    row('SENDTO', 'sendmmsg(2), the second of two messages', sendSecond, { expected: 'one sent' }),
    bindRow('DNAT: bind(2)', { ask: own4, at: at4 }, { as: EVERYBODY }),
    bindRow('DNAT: bind(2) of IPv6', { ask: own6, at: at6 }),
    bindRow('DNAT: bind(2) to a mapped address', { ask: ownMapped, at: at4 }),
    bindRow('DNAT: bind(2) of UDP', { ask: own4, at: at4, type: 'dgram' }),
    bindRow('DNAT: bind(2) of MPTCP', { ask: own4, at: at4, protocol: 'mptcp' }),
    {
      name: 'DNAT: a peer that nobody asked for, at a socket whose own peer was given',
      chain: 'RECVFROM',
      as: BOTH,
      expected: 'silence',
      attempt: (attempt) =>
        receive({
          prepareBound: async (caller, fd) => {
            const to = { address: attempt.scene.ends.allowed.given.v4, port: PORT };
            requireValue(await caller.call({ op: 'sendto', fd, to }), 'sendto');
          },
        })(attempt),
    },
  ],
};
