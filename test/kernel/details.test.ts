/** What of a call is read only where a rule asks for it: its device, its network namespace, its caller's name. */
import { readlinkSync } from 'node:fs';
import { elementAt } from '@sockfilter/table';
import type { Call, Caller, SocketFamily } from '../harness/caller.js';
import { describeKernel } from '../harness/kernel.js';
import { beforeCalls } from '../harness/policedcaller.js';
import type { Policy } from '../harness/policy.js';

const SOL_SOCKET = 1;
const SO_BINDTODEVICE = 25;
const [IPPROTO_IP, IP_UNICAST_IF] = [0, 50];
const [IPPROTO_IPV6, IPV6_UNICAST_IF] = [41, 76];
const PR_SET_NAME = 15;

const hex = (text: string) => Buffer.from(text).toString('hex');

const option = (level: number, name: number, value: string): Call => ({
  op: 'setsockopt',
  fd: 'last',
  level,
  name,
  value,
});
const BOUND = option(SOL_SOCKET, SO_BINDTODEVICE, hex('lo\0'));

describeKernel('details of calls', () => {
  let policy: Policy;
  let caller: Caller;
  beforeCalls((made) => {
    ({ policy, caller } = made);
  });

  /** What the last call comes to, on a new datagram socket. */
  async function onSocket(family: SocketFamily, ...calls: readonly Call[]): Promise<string> {
    const results = await caller.batch([
      { op: 'socket', family, type: 'dgram' },
      ...calls,
      { op: 'close', fd: 'last' },
    ]);
    return elementAt(results, results.length - 2).errno ?? 'ok';
  }

  const to = (op: 'bind' | 'connect', address: string): Call => ({
    op,
    fd: 'last',
    address: { address, port: op === 'bind' ? 0 : 9 },
  });
  const sendto = (address: string): Call => ({
    op: 'sendto',
    fd: 'last',
    to: { address, port: 9 },
  });
  const sendmsg = (address: string, from: string): Call => ({
    op: 'sendmsg',
    fd: 'last',
    to: { address, port: 9 },
    from: { address: from, ifindex: 1 },
  });

  test('the device that a socket is bound to, and that a message names', async () => {
    policy.enforce(`-A BIND -i lo -j REJECT --reject-with EADDRNOTAVAIL
      -A CONNECT -o l+ -j REJECT --reject-with EACCES
      -A CONNECT ! -o lo -d 127.0.0.9 -j REJECT --reject-with ENETUNREACH
      -A SENDTO -o lo -j REJECT --reject-with EACCES`);
    for (const [family, address, any] of [
      ['inet', '127.0.0.1', '0.0.0.0'],
      ['inet6', '::1', '::'],
      ['inet6', '::ffff:127.0.0.1', undefined],
    ] as const) {
      expect(await onSocket(family, to('bind', address))).toBe('ok');
      expect(await onSocket(family, BOUND, to('bind', address))).toBe('EADDRNOTAVAIL');
      expect(await onSocket(family, to('connect', address))).toBe('ok');
      expect(await onSocket(family, BOUND, to('connect', address))).toBe('EACCES');
      expect(await onSocket(family, sendto(address))).toBe('ok');
      expect(await onSocket(family, BOUND, sendto(address))).toBe('EACCES');
      if (any !== undefined) expect(await onSocket(family, sendmsg(address, any))).toBe('EACCES');
    }
    const unicast = option(IPPROTO_IP, IP_UNICAST_IF, '00000001');
    const unicast6 = option(IPPROTO_IPV6, IPV6_UNICAST_IF, '00000001');
    expect(await onSocket('inet', unicast, to('connect', '127.0.0.1'))).toBe('EACCES');
    expect(await onSocket('inet6', unicast6, to('connect', '::1'))).toBe('EACCES');
    expect(await onSocket('inet6', unicast6, sendto('::1'))).toBe('EACCES');
    expect(await onSocket('inet', to('connect', '127.0.0.9'))).toBe('ENETUNREACH');
  });

  test('the device that a packet comes in by', async () => {
    policy.enforce(`-A RECVFROM -i lo -d 10.9.9.1 -j DROP
      -A RECVFROM -i eth+ -d 10.9.9.2 -j DROP`);
    const arrives = async (address: string) => {
      const receiver = await caller.open('dgram', { address });
      const sender = await caller.socket('inet', 'dgram');
      await caller.sendto(sender, receiver.address);
      const { errno } = await caller.call({ op: 'recvWithin', fd: receiver.fd, ms: 200 });
      await caller.close(sender);
      await caller.close(receiver.fd);
      return errno === undefined;
    };
    expect(await arrives('10.9.9.1')).toBe(false);
    expect(await arrives('10.9.9.2')).toBe(true);
  });

  test('the network namespace of the socket', async () => {
    const inode = readlinkSync(`/proc/${caller.pid}/ns/net`).replace(/\D+/g, '');
    policy.enforce(`-A CONNECT -m netns --inode ${inode} -j REJECT --reject-with EACCES
      -A BIND -m netns ! --inode ${inode} -j REJECT --reject-with EACCES
      -A SENDTO -m netns --inode 1 -j DROP`);
    expect(await onSocket('inet', to('connect', '127.0.0.1'))).toBe('EACCES');
    expect(await onSocket('inet6', to('bind', '::1'))).toBe('ok');
    expect(await onSocket('inet', sendto('127.0.0.1'))).toBe('ok');
  });

  test('the name that the calling thread has given itself', async () => {
    policy.enforce(`-A CONNECT -m comm --comm fifteen-bytes-a -j REJECT --reject-with EACCES
      -A SENDTO -m comm ! --comm fifteen-bytes-a -j REJECT --reject-with EACCES`);
    const named = (name: string): Call => ({
      op: 'syscall',
      name: 'prctl',
      args: [PR_SET_NAME, { hex: hex(`${name}\0`) }],
    });
    const under = async (name: string) => [
      await onSocket('inet', named(name), to('connect', '127.0.0.1')),
      await onSocket('inet', named(name), sendto('127.0.0.1')),
    ];
    expect(await under('fifteen-bytes-a')).toEqual(['EACCES', 'ok']);
    expect(await under('fifteen-bytes-')).toEqual(['ok', 'EACCES']);
    expect(await under('')).toEqual(['ok', 'EACCES']);
  });
});
