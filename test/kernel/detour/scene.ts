/** A plain user who is allowed loopback only, and servers there and at the address of a device. */
import type {
  Call,
  Caller,
  SocketFamily,
  SocketProtocol,
  SocketType,
} from '../../harness/caller.js';
import { Policy } from '../../harness/policy.js';
import { Testbed } from '../../harness/testbed.js';

export const PORT = 700;
export const LOOPBACK = '127.0.0.1';
/** The address of the device `dev1`. */
export const DEVICE = '10.77.0.1';

const only = (...addresses: readonly string[]) =>
  ['CONNECT', 'SENDTO']
    .flatMap((chain) => [
      `-P ${chain} DROP`,
      ...addresses.map((address) => `-A ${chain} -d ${address} -j ACCEPT`),
    ])
    .join('\n');

export const LOOPBACK_ONLY = only('127.0.0.0/8', '::1');
export const DEVICE_ONLY = only(DEVICE);

const NETWORK = `ip link add dev1 type veth peer name dev2
  ip addr add ${DEVICE}/24 dev dev1
  ip addr add 10.77.0.2/24 dev dev1
  ip link set dev1 up
  ip link set dev2 up
  for where in all lo; do echo 1 > /proc/sys/net/ipv6/conf/$where/seg6_enabled; done`;

export const socket = (
  family: SocketFamily,
  type: SocketType,
  protocol: SocketProtocol = 0,
): Call => ({ op: 'socket', family, type, protocol });

export const connect = (address: string, port = PORT): Call => ({
  op: 'connect',
  fd: 'last',
  address: { address, port },
});

export const sendto = (address: string, flags = 0): Call => ({
  op: 'sendto',
  fd: 'last',
  to: { address, port: PORT },
  flags,
});

/** `ok`, or what the first of the calls that failed said; closes the socket made last. */
export async function said(caller: Caller, calls: readonly Call[]): Promise<string> {
  const results = await caller.batch([...calls, { op: 'close', fd: 'last' }]);
  const failed = results.find(({ errno }) => errno !== undefined && errno !== 'EINPROGRESS');
  return failed?.errno ?? 'ok';
}

interface Ear {
  readonly at: string;
  readonly stream: number;
  readonly dgram: number;
}

interface Parts {
  readonly bed: Testbed;
  readonly policy: Policy;
  /** uid 65534. */
  readonly user: Caller;
  readonly root: Caller;
  readonly server: Caller;
  readonly ears: readonly Ear[];
  /** Of dev1. */
  readonly ifindex: number;
}

async function openEar(server: Caller, at: string): Promise<Ear> {
  const stream = await server.open('stream', { address: at, port: PORT });
  const dgram = await server.open('dgram', { address: at, port: PORT });
  return { at, stream: stream.fd, dgram: dgram.fd };
}

export class Scene {
  readonly bed: Testbed;
  readonly policy: Policy;
  readonly user: Caller;
  readonly root: Caller;
  readonly server: Caller;
  readonly ifindex: number;
  readonly #ears: readonly Ear[];

  private constructor({ bed, policy, user, root, server, ears, ifindex }: Parts) {
    this.bed = bed;
    this.policy = policy;
    this.user = user;
    this.root = root;
    this.server = server;
    this.ifindex = ifindex;
    this.#ears = ears;
  }

  static async create(): Promise<Scene> {
    const bed = await Testbed.create();
    try {
      await bed.network.run('/bin/sh', '-ec', NETWORK);
      const link = await bed.network.run('ip', '-o', 'link', 'show', 'dev1');
      const server = await bed.caller('server');
      return new Scene({
        bed,
        policy: new Policy(bed.cgroups.path),
        user: await bed.caller('user', { uid: 65534, gid: 65534 }),
        root: await bed.caller('root'),
        server,
        ears: [await openEar(server, LOOPBACK), await openEar(server, DEVICE)],
        ifindex: Number.parseInt(link, 10),
      });
    } catch (error) {
      await bed.close();
      throw error;
    }
  }

  /** The addresses at which something has arrived since it was asked last. */
  async heard(): Promise<readonly string[]> {
    const at: string[] = [];
    for (const { stream, dgram, at: address } of this.#ears) {
      const connection = await this.server.acceptWithin(stream, 30);
      const datagram = await this.server.recvWithin(dgram, 30);
      if (connection.value !== undefined) await this.server.close(connection.value);
      if (connection.errno === undefined || datagram.errno === undefined) at.push(address);
    }
    return at;
  }

  async close(): Promise<void> {
    this.policy.teardown();
    await this.bed.close();
  }
}
