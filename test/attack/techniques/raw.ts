/** What raw and ping sockets send: no hook of calls sees it. */
import { PORT } from '../ends.js';
import { option, said, sendMessage, setOption, withSocket } from '../moves.js';
import { ipv4Bytes } from '../struct.js';
import type { Attempt, Outcome, Role, Technique, Theme } from '../technique.js';

const PRIVILEGED: readonly Role[] = ['root', 'namespace root'];
const PINGING: readonly Role[] = ['user', 'root'];

const IPPROTO_UDP = 17;
const IPPROTO_IPV6 = 41;
const IPPROTO_RAW = 255;
const EXPERIMENTAL = 253;
const IP_HDRINCL = 3;
const IPV6_CHECKSUM = 7;
/** Where the checksum lies in the header of UDP. */
const UDP_CHECKSUM = 6;

/** A datagram with a header of UDP, without a checksum. */
function datagram(): Buffer {
  const bytes = Buffer.alloc(9);
  bytes.writeUInt16BE(PORT + 1, 0);
  bytes.writeUInt16BE(PORT, 2);
  bytes.writeUInt16BE(bytes.length, 4);
  return bytes;
}

/** The same behind a header of IPv4; the kernel fills length, checksum and source in. */
function packet(to: string): Buffer {
  const header = Buffer.alloc(20);
  header[0] = 0x45;
  header[8] = 64;
  header[9] = IPPROTO_UDP;
  ipv4Bytes(to).copy(header, 16);
  return Buffer.concat([header, datagram()]);
}

/** An echo request. */
function echo(type: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes[0] = type;
  return bytes;
}

const row = (
  name: string,
  as: readonly Role[],
  attempt: Technique['attempt'],
  more: Partial<Technique> = {},
): Technique => ({ name, chain: 'SENDTO', as, expected: 'EPERM', attempt, ...more });

/** Pings, and says whether an answer came. */
async function ping(
  { caller, patience }: Attempt,
  fd: number,
  address: string,
  type: number,
): Promise<Outcome> {
  const sent = await caller.call(sendMessage(fd, { to: { address }, data: echo(type) }));
  const { errno } = await caller.recvWithin(fd, sent.errno === undefined ? patience : 0);
  return { ...said(sent), arrived: errno === undefined };
}

export const RAW: Theme = {
  title: 'Raw and ping sockets',
  techniques: [
    row('a raw socket of UDP', PRIVILEGED, (attempt) =>
      withSocket(
        attempt,
        'inet',
        'raw',
        async (fd) => {
          const to = { address: attempt.end.v4 };
          return said(await attempt.caller.call(sendMessage(fd, { to, data: datagram() })));
        },
        IPPROTO_UDP,
      ),
    ),
    row('a raw socket of UDP over IPv6', PRIVILEGED, (attempt) =>
      withSocket(
        attempt,
        'inet6',
        'raw',
        async (fd) => {
          const { caller, end } = attempt;
          await setOption(caller, fd, IPPROTO_IPV6, IPV6_CHECKSUM, UDP_CHECKSUM);
          const message = { to: { address: end.v6 }, data: datagram() };
          return said(await caller.call(sendMessage(fd, message)));
        },
        IPPROTO_UDP,
      ),
    ),
    row('a raw socket that is connected, and names no address', PRIVILEGED, (attempt) =>
      withSocket(
        attempt,
        'inet',
        'raw',
        async (fd) => {
          const { caller, end } = attempt;
          await caller.connect(fd, { address: end.v4 });
          return said(await caller.call(sendMessage(fd, { data: datagram() })));
        },
        IPPROTO_UDP,
      ),
    ),
    row('an IP header of one’s own', PRIVILEGED, (attempt) =>
      withSocket(
        attempt,
        'inet',
        'raw',
        async (fd) => {
          const message = { to: { address: attempt.end.v4 }, data: packet(attempt.end.v4) };
          return said(await attempt.caller.call(sendMessage(fd, message)));
        },
        IPPROTO_RAW,
      ),
    ),
    row('IP_HDRINCL, and a header that leads elsewhere than the call', PRIVILEGED, (attempt) =>
      withSocket(
        attempt,
        'inet',
        'raw',
        async (fd) => {
          const { caller, end, scene } = attempt;
          await caller.call(option(fd, 0, IP_HDRINCL, 1));
          const to = { address: scene.ends.allowed.v4 };
          return said(await caller.call(sendMessage(fd, { to, data: packet(end.v4) })));
        },
        EXPERIMENTAL,
      ),
    ),
    row('a protocol that no rule can name', PRIVILEGED, (attempt) =>
      withSocket(
        attempt,
        'inet',
        'raw',
        async (fd) => {
          const { caller, end, scene, role, patience } = attempt;
          const stranger = await scene.stranger(role);
          const ear = await stranger.socket('inet', 'raw', EXPERIMENTAL);
          await stranger.bind(ear, { address: end.v4 });
          const sent = await caller.call(sendMessage(fd, { to: { address: end.v4 } }));
          const { errno } = await stranger.recvWithin(ear, sent.errno === undefined ? patience : 0);
          await stranger.close(ear);
          return { ...said(sent), arrived: errno === undefined };
        },
        EXPERIMENTAL,
      ),
    ),
    row('a ping socket', PINGING, (attempt) =>
      withSocket(attempt, 'inet', 'dgram', (fd) => ping(attempt, fd, attempt.end.v4, 8), 'icmp'),
    ),
    row(
      'a ping socket of IPv6',
      PINGING,
      (attempt) =>
        withSocket(
          attempt,
          'inet6',
          'dgram',
          async (fd) => {
            const outcome = await ping(attempt, fd, attempt.end.v6, 128);
            return outcome.arrived ? outcome : { ...outcome, said: 'silence' };
          },
          'icmpv6',
        ),
      { expected: 'silence' },
    ),
    row('a connected ping socket that names another peer', PINGING, (attempt) =>
      withSocket(
        attempt,
        'inet',
        'dgram',
        async (fd) => {
          const { caller, end, scene } = attempt;
          await caller.connect(fd, { address: scene.ends.allowed.v4 });
          const to = { address: end.v4 };
          const sent = await caller.call(sendMessage(fd, { to, data: echo(8) }));
          // The answer comes from elsewhere than the socket is connected to.
          return { ...said(sent), arrived: sent.errno === undefined };
        },
        'icmp',
      ),
    ),
  ],
};
