/** Ways that lead a call elsewhere than to the address asked for: devices and source routes. */
import { MSG_FASTOPEN, type SocketAddress } from '../../harness/caller.js';
import { PORT } from '../ends.js';
import { option, said, sendMessage, setOption, withSocket } from '../moves.js';
import { ipv4Bytes, ipv6Bytes, Struct } from '../struct.js';
import type { Attempt, Outcome, Role, Technique, Theme } from '../technique.js';
import { packetInfo } from './messages.js';

const BOTH: readonly Role[] = ['user', 'root'];

const IPPROTO_IP = 0;
const IPPROTO_IPV6 = 41;
const SOL_SOCKET = 1;
const SO_BINDTODEVICE = 25;
const SO_BINDTOIFINDEX = 62;
const IP_OPTIONS = 4;
const IP_UNICAST_IF = 50;
export const IPV6_RTHDR = 57;
const IPPROTO_UDP = 17;
export const UDP_NO_CHECK6_TX = 101;

type Prepare = (attempt: Attempt, fd: number, ifindex: number) => Promise<void>;

const byName: Prepare = ({ caller, end }, fd) =>
  setOption(caller, fd, SOL_SOCKET, SO_BINDTODEVICE, Struct.of(`${end.device.name}\0`));
const byIndex: Prepare = ({ caller }, fd, ifindex) =>
  setOption(caller, fd, SOL_SOCKET, SO_BINDTOIFINDEX, ifindex);
const unicast: Prepare = ({ caller }, fd, ifindex) => {
  const network = new Struct(4).bytes(0, Buffer.from([0, 0, ifindex >> 8, ifindex & 255]));
  return setOption(caller, fd, IPPROTO_IP, IP_UNICAST_IF, network);
};
const nothing: Prepare = async () => {};

const unspecified: SocketAddress = { address: '0.0.0.0', port: PORT };
const mapped: SocketAddress = { address: '::ffff:0.0.0.0', port: PORT };

type Call = (attempt: Attempt, fd: number, ifindex: number) => Promise<Outcome>;

const connect =
  (address: SocketAddress): Call =>
  async ({ caller }, fd) => {
    const connected = await caller.call({ op: 'connect', fd, address });
    await caller.call({ op: 'send', fd });
    return said(connected);
  };

const sendto =
  (to: SocketAddress, flags = 0): Call =>
  async ({ caller }, fd) =>
    said(await caller.call({ op: 'sendto', fd, to, flags }));

/** A control message with the device, and no source. */
const withPacketInfo: Call = async ({ caller }, fd, ifindex) => {
  const control = packetInfo('0.0.0.0', ifindex);
  return said(await caller.call(sendMessage(fd, { to: unspecified, control })));
};

const toDevice =
  (type: 'stream' | 'dgram', prepare: Prepare, call: Call, family: 'inet' | 'inet6' = 'inet') =>
  (attempt: Attempt): Promise<Outcome> =>
    withSocket(attempt, family, type, async (fd) => {
      const ifindex = await attempt.scene.ifindex(attempt.role, attempt.end.device.name);
      await prepare(attempt, fd, ifindex);
      return call(attempt, fd, ifindex);
    });

const row = (
  name: string,
  chain: 'CONNECT' | 'SENDTO',
  attempt: Technique['attempt'],
  more: Partial<Technique> = {},
): Technique => ({ name, chain, as: BOTH, expected: 'EPERM', twin: 'unpoliced', ...more, attempt });

const NAMED = [
  { title: 'SO_BINDTODEVICE', prepare: byName },
  { title: 'SO_BINDTOIFINDEX', prepare: byIndex },
];

/** A segment routing header whose segments are used up. */
export function routingHeader(segment: string): Struct {
  return new Struct(24)
    .bytes(0, Buffer.from([0, 2, 4, 0, 0, 0, 0, 0]))
    .bytes(8, ipv6Bytes(segment));
}

export const DEVICES: Theme = {
  title: 'Devices and source routes',
  techniques: [
    ...NAMED.flatMap(({ title, prepare }) => [
      row(
        `${title} and 0.0.0.0, connect(2)`,
        'CONNECT',
        toDevice('stream', prepare, connect(unspecified)),
      ),
      row(
        `${title} and 0.0.0.0, MSG_FASTOPEN`,
        'CONNECT',
        toDevice('stream', prepare, sendto(unspecified, MSG_FASTOPEN)),
      ),
      row(
        `${title} and 0.0.0.0, connect(2) of UDP`,
        'CONNECT',
        toDevice('dgram', prepare, connect(unspecified)),
      ),
      row(
        `${title} and 0.0.0.0, sendto(2)`,
        'SENDTO',
        toDevice('dgram', prepare, sendto(unspecified)),
      ),
      row(
        `${title} and ::ffff:0.0.0.0, connect(2)`,
        'CONNECT',
        toDevice('stream', prepare, connect(mapped), 'inet6'),
      ),
    ]),
    row(
      'IP_UNICAST_IF and 0.0.0.0, connect(2) of UDP',
      'CONNECT',
      toDevice('dgram', unicast, connect(unspecified)),
    ),
    row(
      'IP_UNICAST_IF and 0.0.0.0, sendto(2)',
      'SENDTO',
      toDevice('dgram', unicast, sendto(unspecified)),
    ),
    row(
      'IP_PKTINFO with a device, and 0.0.0.0',
      'SENDTO',
      toDevice('dgram', nothing, withPacketInfo),
    ),
    row(
      'IPV6_RTHDR with no segments left',
      'SENDTO',
      (attempt) =>
        withSocket(attempt, 'inet6', 'dgram', async (fd) => {
          const { caller, end, scene } = attempt;
          const header = routingHeader(end.v6);
          const set = await caller.call(option(fd, IPPROTO_IPV6, IPV6_RTHDR, header));
          // The kernel makes the sum for the address that was asked for.
          await setOption(caller, fd, IPPROTO_UDP, UDP_NO_CHECK6_TX, 1);
          const to = { address: scene.ends.allowed.v6, port: PORT };
          await caller.call({ op: 'sendto', fd, to });
          return said(set);
        }),
      { note: 'setsockopt(2) is refused; the receiver takes datagrams without a checksum' },
    ),
    row(
      'IP_OPTIONS with a source route',
      'CONNECT',
      (attempt) =>
        withSocket(attempt, 'inet', 'dgram', async (fd) => {
          const hop = [0x83, 7, 4, ...ipv4Bytes(attempt.end.v4), 0];
          const route = Struct.of(Buffer.from(hop));
          const set = await attempt.caller.call(option(fd, IPPROTO_IP, IP_OPTIONS, route));
          return { ...said(set), arrived: set.errno === undefined };
        }),
      { as: ['root', 'namespace root'], note: 'setsockopt(2) is refused; the twin sets it' },
    ),
  ],
};
