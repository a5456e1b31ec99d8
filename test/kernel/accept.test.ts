/**
 * What accept(2) says at listeners that ACCEPT lets no peer reach: EPERM where the kernel calls programs of BPF
 * LSM, and else what it says of any queue that is empty.
 */
import { join } from 'node:path';
import { type Ability, examine } from '@sockfilter/kernel';
import type { Caller, SocketAddress } from '../harness/caller.js';
import { describeKernel } from '../harness/kernel.js';
import { Policy } from '../harness/policy.js';
import { Testbed } from '../harness/testbed.js';

const EMPTY_QUEUE = 'EAGAIN';
const IPPROTO_IPV6 = 41;
const IPV6_V6ONLY = 26;

describeKernel('accept(2) of a listener that no peer may reach', () => {
  let bed: Testbed;
  let server: Caller;
  let policy: Policy;
  let ability: Ability | undefined;
  /** What such an accept(2) comes to on this kernel. */
  let closed: string;
  beforeAll(async () => {
    bed = await Testbed.create();
    server = await bed.caller('policed/web');
    policy = new Policy(bed.cgroups.childPath('policed'));
    const probe = join(__dirname, '../../packages/cli/bin/sockfilter.cjs');
    const abilities = examine(bed.cgroups.path, [process.execPath, probe, '--probe']);
    ability = abilities.find(({ name }) => name === 'socket_accept');
    // Where it fails, that is not for the verifier's sake.
    if (ability?.state !== 'works')
      expect(ability?.detail).toMatch(/: EPERM$|not called|no function/);
    closed = ability?.state === 'works' ? 'EPERM' : EMPTY_QUEUE;
  });
  afterAll(async () => {
    policy?.teardown();
    await bed?.close();
  });

  const groups = () => `-G web --id 7 --path ${bed.cgroups.childPath('policed/web')}\n`;
  const accepted = async (fd: number) => (await server.call({ op: 'accept', fd })).errno;
  const listen = async (address: string, protocol: 'tcp' | 'mptcp' = 'tcp') =>
    (await server.open('stream', { address, port: 0 }, protocol)).fd;
  /** What accept(2) comes to at a listener of the address. */
  const answer = async (address: string, protocol?: 'tcp' | 'mptcp') => {
    const fd = await listen(address, protocol);
    const said = await accepted(fd);
    await server.close(fd);
    return said;
  };

  test('doctor and status say which it is', () => {
    policy.enforce('-P ACCEPT DROP');
    expect(policy.status()?.closedListeners).toBe(closed === 'EPERM' ? 'fail' : 'wait');
    policy.enforce('-P ACCEPT ACCEPT');
    expect(policy.status()?.closedListeners).toBeUndefined();
    expect(policy.status()?.hooks.map(({ name }) => name)).not.toContain('socket_accept');
  });

  test('goes by address, port, group, owner and family, and by whether anybody at all may come', async () => {
    policy.enforce(
      `${groups()}-P ACCEPT DROP
-A ACCEPT -m cgroup ! --id 7 -j ACCEPT
-A ACCEPT -d 127.0.0.2 -s 192.0.2.0/24 -j ACCEPT
-A ACCEPT -d ::1 -p tcp --dport 1 -j ACCEPT
-A ACCEPT -d 127.0.0.5 -m owner --uid-owner 1 -j ACCEPT`,
    );
    expect({
      closed: await answer('127.0.0.1'),
      somebody: await answer('127.0.0.2'),
      owner: await answer('127.0.0.5'),
      wildcard: await answer('0.0.0.0'),
      ipv6: await answer('::1'),
      mapped: await answer('::ffff:127.0.0.1'),
      mappedOpen: await answer('::ffff:127.0.0.2'),
      both: await answer('::'),
      mptcp: await answer('127.0.0.1', 'mptcp'),
      mptcpOpen: await answer('127.0.0.2', 'mptcp'),
    }).toEqual({
      closed,
      somebody: EMPTY_QUEUE,
      owner: closed,
      wildcard: EMPTY_QUEUE,
      ipv6: closed,
      mapped: closed,
      mappedOpen: EMPTY_QUEUE,
      both: EMPTY_QUEUE,
      mptcp: closed,
      mptcpOpen: EMPTY_QUEUE,
    });
  });

  test('the wildcard is closed where all of its addresses are', async () => {
    policy.enforce('-P ACCEPT DROP\n-6 -A ACCEPT -j ACCEPT');
    const only = await server.socket('inet6', 'stream');
    await server.call({
      op: 'setsockopt',
      fd: only,
      level: IPPROTO_IPV6,
      name: IPV6_V6ONLY,
      value: 1,
    });
    await server.bind(only, { address: '::', port: 0 });
    await server.call({ op: 'listen', fd: only });
    expect({
      ipv4: await answer('0.0.0.0'),
      both: await answer('::'),
      ipv6: await accepted(only),
    }).toEqual({ ipv4: closed, both: EMPTY_QUEUE, ipv6: EMPTY_QUEUE });
    policy.enforce('-P ACCEPT DROP\n-4 -A ACCEPT -j ACCEPT');
    expect({ both: await answer('::'), ipv6: await accepted(only) }).toEqual({
      both: EMPTY_QUEUE,
      ipv6: closed,
    });
    policy.enforce('-P ACCEPT DROP');
    expect(await answer('::')).toBe(closed);
    await server.close(only);
  });

  test('nobody is stuck behind it: a connection from before is accepted, and then it is closed', async () => {
    policy.enforce('-P ACCEPT ACCEPT');
    const client = await bed.caller('clients');
    const { fd, address } = await server.open('stream', { address: '127.0.0.1', port: 0 });
    const connect = async (to: SocketAddress) => {
      const socket = await client.socket('inet', 'stream');
      const said = await client.connectAndWait(socket, to, 500);
      // Or it would come again, and be let in once it may.
      await client.close(socket);
      return said;
    };
    expect(await connect(address)).toBe('connected');
    policy.enforce('-P ACCEPT DROP');
    expect(await accepted(fd)).toBeUndefined();
    expect(await accepted(fd)).toBe(closed);
    expect(await connect(address)).toBe('timeout');
    expect(await accepted(fd)).toBe(closed);
    policy.enforce('-P ACCEPT ACCEPT');
    expect(await accepted(fd)).toBe(EMPTY_QUEUE);
  });

  test('a listener that was made outside of the policed root is no business of the table’s', async () => {
    policy.enforce('-P ACCEPT DROP');
    const mover = await bed.caller('outside');
    const { fd } = await mover.open('stream', { address: '127.0.0.1', port: 0 });
    await mover.call({ op: 'moveTo', cgroup: bed.cgroups.child('policed/web') });
    expect((await mover.call({ op: 'accept', fd })).errno).toBe(EMPTY_QUEUE);
    const { fd: own } = await mover.open('stream', { address: '127.0.0.1', port: 0 });
    expect((await mover.call({ op: 'accept', fd: own })).errno).toBe(closed);
  });
});
