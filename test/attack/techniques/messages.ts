/** Sends that carry more than an address: control messages, options, several messages, files. */
import type { SocketAddress } from '../../harness/caller.js';
import { PORT } from '../ends.js';
import {
  option,
  requireValue,
  said,
  sendMessage,
  setOption,
  syscall,
  withSocket,
} from '../moves.js';
import {
  controlMessage,
  ipv4Bytes,
  ipv6Bytes,
  type Message,
  putMessage,
  Struct,
} from '../struct.js';
import type { Attempt, Outcome, Role, Technique, Theme } from '../technique.js';

const BOTH: readonly Role[] = ['user', 'root'];

const IPPROTO_IP = 0;
const IPPROTO_UDP = 17;
const IPPROTO_IPV6 = 41;
const SOL_SOCKET = 1;
const SO_BINDTODEVICE = 25;
const SO_ZEROCOPY = 60;
const IP_TOS = 1;
const IP_OPTIONS = 4;
const IP_PKTINFO = 8;
const IPV6_PKTINFO = 50;
const IPV6_HOPOPTS = 54;
const IPV6_DSTOPTS = 59;
const IPV6_TCLASS = 67;
const UDP_CORK = 1;
const UDP_SEGMENT = 103;
const MSG_MORE = 0x8000;
const MSG_ZEROCOPY = 0x400_0000;

/** An option of padding: `next header, length, PadN`. */
export const PADDING = Struct.of(Buffer.from([0, 0, 1, 4, 0, 0, 0, 0]));

/** A record of the route, with room for one address. */
export const RECORD_ROUTE = Struct.of(Buffer.from([7, 7, 4, 0, 0, 0, 0, 0]));

/** IP_PKTINFO that names a source. */
export const packetInfo = (source: string, ifindex = 0): Buffer =>
  controlMessage(
    IPPROTO_IP,
    IP_PKTINFO,
    new Struct(12).u32(0, ifindex).bytes(4, ipv4Bytes(source)),
  );

const packetInfo6 = (source: string): Buffer =>
  controlMessage(IPPROTO_IPV6, IPV6_PKTINFO, new Struct(20).bytes(0, ipv6Bytes(source)));

const int = (value: number): Struct => new Struct(4).u32(0, value);

const v4 = ({ end }: Attempt): SocketAddress => ({ address: end.v4, port: PORT });
const v6 = ({ end }: Attempt): SocketAddress => ({ address: end.v6, port: PORT });

type Prepare = (attempt: Attempt, fd: number) => Promise<void>;

interface Send {
  readonly message?: (attempt: Attempt) => Message;
  readonly flags?: number;
  readonly prepare?: Prepare;
}

const send =
  (family: 'inet' | 'inet6', { message, flags = 0, prepare }: Send) =>
  (attempt: Attempt): Promise<Outcome> =>
    withSocket(attempt, family, 'dgram', async (fd) => {
      await prepare?.(attempt, fd);
      const to = family === 'inet' ? v4(attempt) : v6(attempt);
      return said(await attempt.caller.call(sendMessage(fd, { to, ...message?.(attempt) }, flags)));
    });

const withOption =
  (level: number, name: number, value: Struct | number): Prepare =>
  ({ caller }, fd) =>
    setOption(caller, fd, level, name, value);

const row = (
  name: string,
  attempt: Technique['attempt'],
  more: Partial<Technique> = {},
): Technique => ({ name, chain: 'SENDTO', as: BOTH, expected: 'EPERM', ...more, attempt });

/** What a refused connect does not hinder the caller from trying. */
const goOn =
  (type: 'stream' | 'dgram', next: (attempt: Attempt, fd: number) => Promise<void>) =>
  (attempt: Attempt): Promise<Outcome> =>
    withSocket(attempt, 'inet', type, async (fd) => {
      const address = v4(attempt);
      const connected = await attempt.caller.call({ op: 'connect', fd, address });
      await next(attempt, fd);
      return said(connected);
    });

async function sendFile({ caller }: Attempt, fd: number): Promise<void> {
  const file = requireValue(
    await caller.call(syscall('memfd_create', Struct.of('attack\0'), 0)),
    'memfd_create',
  );
  await caller.call(syscall('write', file, Struct.of('x'), 1));
  await caller.call(syscall('sendfile', fd, file, new Struct(8), 1));
  await caller.close(file);
}

async function spliceInto({ caller }: Attempt, fd: number): Promise<void> {
  const { memory } = await caller.call(syscall('pipe2', new Struct(8), 0));
  const ends = Buffer.from(memory?.[0] ?? '', 'hex');
  const [from, to] = [ends.readInt32LE(0), ends.readInt32LE(4)];
  await caller.call(syscall('write', to, Struct.of('x'), 1));
  await caller.call(syscall('splice', from, 0, fd, 0, 1, 0));
  await caller.close(from);
  await caller.close(to);
}

export const MESSAGES: Theme = {
  title: 'Messages',
  techniques: [
    row('sendmsg(2)', send('inet', {})),
    row('sendmsg(2) of IPv6', send('inet6', {})),
    row(
      'sendmmsg(2), the second of two messages',
      (attempt) =>
        withSocket(attempt, 'inet', 'dgram', async (fd) => {
          const { caller } = attempt;
          const messages = new Struct(128);
          putMessage(messages, 0, { to: { address: '127.0.0.1', port: PORT } });
          putMessage(messages, 64, { to: v4(attempt) });
          const sent = await caller.call(syscall('sendmmsg', fd, messages, 2, 0));
          // It says how many were sent, and keeps the error of the next.
          return { said: sent.value === 1 ? 'one sent' : (sent.errno ?? 'both sent') };
        }),
      { expected: 'one sent' },
    ),
    row(
      'a source that IP_PKTINFO names',
      send('inet', {
        message: () => ({ control: packetInfo('127.0.0.1') }),
      }),
    ),
    row(
      'a source that IPV6_PKTINFO names',
      send('inet6', {
        message: ({ scene }) => ({ control: packetInfo6(scene.ends.allowed.v6) }),
      }),
    ),
    row(
      'a control message, IP_TOS',
      send('inet', {
        message: () => ({ control: controlMessage(IPPROTO_IP, IP_TOS, int(2)) }),
      }),
    ),
    row(
      'a control message, IPV6_TCLASS',
      send('inet6', {
        message: () => ({ control: controlMessage(IPPROTO_IPV6, IPV6_TCLASS, int(2)) }),
      }),
    ),
    row(
      'UDP_SEGMENT as a control message',
      send('inet', {
        message: () => ({
          data: 'x'.repeat(400),
          control: controlMessage(IPPROTO_UDP, UDP_SEGMENT, new Struct(2).u16(0, 100)),
        }),
      }),
    ),
    row(
      'UDP_SEGMENT as an option',
      send('inet', {
        message: () => ({ data: 'x'.repeat(400) }),
        prepare: withOption(IPPROTO_UDP, UDP_SEGMENT, 100),
      }),
    ),
    row(
      'a datagram that is sent in fragments',
      send('inet', {
        message: () => ({ data: 'x'.repeat(20_000) }),
      }),
    ),
    row(
      'a datagram of IPv6 that is sent in fragments',
      send('inet6', {
        message: () => ({ data: 'x'.repeat(20_000) }),
      }),
    ),
    row(
      'MSG_ZEROCOPY',
      send('inet', {
        flags: MSG_ZEROCOPY,
        prepare: withOption(SOL_SOCKET, SO_ZEROCOPY, 1),
      }),
    ),
    row('MSG_MORE, and a second send without an address', (attempt) =>
      withSocket(attempt, 'inet', 'dgram', async (fd) => {
        const { caller } = attempt;
        const first = await caller.call(sendMessage(fd, { to: v4(attempt) }, MSG_MORE));
        await caller.call({ op: 'send', fd });
        return said(first);
      }),
    ),
    row('UDP_CORK, pulled out after the send', (attempt) =>
      withSocket(attempt, 'inet', 'dgram', async (fd) => {
        const { caller } = attempt;
        await setOption(caller, fd, IPPROTO_UDP, UDP_CORK, 1);
        const sent = await caller.call(sendMessage(fd, { to: v4(attempt) }));
        await caller.call(option(fd, IPPROTO_UDP, UDP_CORK, 0));
        return said(sent);
      }),
    ),
    row(
      'IP_OPTIONS with a record of the route',
      send('inet', {
        prepare: withOption(IPPROTO_IP, IP_OPTIONS, RECORD_ROUTE),
      }),
    ),
    row(
      'IPV6_DSTOPTS',
      send('inet6', {
        prepare: withOption(IPPROTO_IPV6, IPV6_DSTOPTS, PADDING),
      }),
      { as: ['root', 'namespace root'], note: 'CAP_NET_RAW' },
    ),
    row(
      'IPV6_HOPOPTS',
      send('inet6', {
        prepare: withOption(IPPROTO_IPV6, IPV6_HOPOPTS, PADDING),
      }),
      { as: ['root', 'namespace root'], note: 'CAP_NET_RAW' },
    ),
    row(
      'SO_BINDTODEVICE',
      send('inet', {
        prepare: withOption(SOL_SOCKET, SO_BINDTODEVICE, Struct.of('lo\0')),
      }),
    ),
    row(
      'write(2) after a refused connect(2) of UDP',
      goOn('dgram', async ({ caller }, fd) => {
        await caller.call(syscall('write', fd, Struct.of('x'), 1));
      }),
      { chain: 'CONNECT' },
    ),
    row('sendfile(2) after a refused connect(2)', goOn('stream', sendFile), { chain: 'CONNECT' }),
    row('sendfile(2) after a refused connect(2) of UDP', goOn('dgram', sendFile), {
      chain: 'CONNECT',
    }),
    row('splice(2) after a refused connect(2) of UDP', goOn('dgram', spliceInto), {
      chain: 'CONNECT',
    }),
    row(
      'listen(2) after a refused connect(2), then connect(2) again',
      goOn('stream', async (attempt, fd) => {
        await attempt.caller.call({ op: 'listen', fd });
        await attempt.caller.call({ op: 'connect', fd, address: v4(attempt) });
      }),
      { chain: 'CONNECT' },
    ),
  ],
};
