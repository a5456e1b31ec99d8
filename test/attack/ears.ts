/** Servers outside the policy that hear what arrives at either end. */
import { type Caller, SOCKET_OPTION, type SocketProtocol } from '../harness/caller.js';
import { ENDS, PORT } from './ends.js';
import { ipv4Bytes, Struct } from './struct.js';
import type { End } from './technique.js';

interface Ear {
  readonly fd: number;
  readonly type: 'stream' | 'dgram';
}

const IP_ADD_MEMBERSHIP = 35;
const UDP_NO_CHECK6_RX = 102;

/** What is listened for, where the kernel has it. */
const PROTOCOLS: readonly { readonly type: Ear['type']; readonly protocol: SocketProtocol }[] = [
  { type: 'stream', protocol: 'tcp' },
  { type: 'dgram', protocol: 'udp' },
  { type: 'dgram', protocol: 'udplite' },
];

async function openEar(
  caller: Caller,
  address: string,
  { type, protocol }: (typeof PROTOCOLS)[number],
): Promise<readonly Ear[]> {
  const family = address.includes(':') ? 'inet6' : 'inet';
  const { errno } = await caller.call({ op: 'socket', family, type, protocol });
  if (errno === 'EPROTONOSUPPORT' && protocol === 'udplite') return [];
  const { fd } = await caller.open(type, { address, port: PORT }, protocol);
  if (type === 'stream')
    await caller.call({ op: 'setsockopt', fd, ...SOCKET_OPTION.TCP_FASTOPEN, value: 16 });
  if (protocol === 'udp' && family === 'inet6')
    await caller.call({ op: 'setsockopt', fd, level: 17, name: UDP_NO_CHECK6_RX, value: 1 });
  return [{ fd, type }];
}

/** Hears a multicast group on loopback. */
async function openMulticast(caller: Caller, group: string): Promise<Ear> {
  const { fd } = await caller.open('dgram', { address: group, port: PORT });
  const request = new Struct(8).bytes(0, ipv4Bytes(group)).bytes(4, ipv4Bytes('127.0.0.1'));
  const args = [fd, 0, IP_ADD_MEMBERSHIP, request, request.size];
  const { errno } = await caller.call({ op: 'syscall', name: 'setsockopt', args });
  if (errno !== undefined) throw new Error(`no member of ${group}: ${errno}`);
  return { fd, type: 'dgram' };
}

export class Ears {
  readonly #caller: Caller;
  readonly #ears: ReadonlyMap<End['name'], readonly Ear[]>;

  private constructor(caller: Caller, ears: ReadonlyMap<End['name'], readonly Ear[]>) {
    this.#caller = caller;
    this.#ears = ears;
  }

  static async open(caller: Caller): Promise<Ears> {
    const ears = new Map<End['name'], readonly Ear[]>();
    for (const end of Object.values(ENDS)) {
      const of: Ear[] = [await openMulticast(caller, end.multicast)];
      for (const address of [end.v4, end.v6, end.device.v4])
        for (const protocol of PROTOCOLS) of.push(...(await openEar(caller, address, protocol)));
      of.push(...(await openEar(caller, end.device.broadcast, { type: 'dgram', protocol: 'udp' })));
      ears.set(end.name, of);
    }
    return new Ears(caller, ears);
  }

  /** Takes what has come to the end, or comes within that time; how much that was. */
  async drain(end: End, ms = 0): Promise<number> {
    const ears = this.#ears.get(end.name) ?? [];
    const { ready = [] } = await this.#caller.call({
      op: 'readyWithin',
      fds: ears.map(({ fd }) => fd),
      ms,
    });
    if (ready.length === 0) return 0;
    const results = await this.#caller.batch(
      ears
        .filter(({ fd }) => ready.includes(fd))
        .map(({ fd, type }) => ({ op: type === 'stream' ? 'accept' : 'recvfrom', fd })),
    );
    // Only a connection comes with a descriptor, and only a datagram with data.
    await this.#caller.batch(
      results.flatMap(({ value, data }) =>
        value !== undefined && data === undefined ? { op: 'close', fd: value } : [],
      ),
    );
    return results.filter(({ errno }) => errno === undefined).length;
  }
}
