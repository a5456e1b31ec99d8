/** Real calls of real processes, allowed and refused by rules. */
import { describeKernel } from '../harness/kernel.js';
import { Policy } from '../harness/policy.js';
import { Testbed } from '../harness/testbed.js';

describeKernel('enforcement', () => {
  let bed: Testbed;
  let policy: Policy;
  beforeAll(async () => {
    bed = await Testbed.create();
    policy = new Policy(bed.cgroups.path);
  });
  afterAll(async () => {
    policy?.teardown();
    await bed?.close();
  });

  test('the line that the project was asked for', async () => {
    policy.enforce(`-P BIND DROP
      -A BIND -m cgroup --id 3 -d 10.9.9.1 -j ACCEPT
      -G web --id 3 --path ${bed.cgroups.path}/web`);
    const web = await bed.caller('web');
    const other = await bed.caller('other');
    const fd = await web.socket('inet', 'stream');
    expect(await web.bind(fd, { address: '10.9.9.2', port: 8000 })).toBe('EPERM');
    expect(await web.bind(fd, { address: '10.9.9.1', port: 8000 })).toBe('ok');
    const fd2 = await other.socket('inet', 'stream');
    expect(await other.bind(fd2, { address: '10.9.9.1', port: 8001 })).toBe('EPERM');
    expect(policy.counted()).toEqual(['BIND 1: 1', 'BIND policy: 2']);
  });

  test('connect: families, mapped addresses, REJECT', async () => {
    policy.enforce(`-A CONNECT -p tcp -d 10.9.9.2 --dport 81 -j REJECT --reject-with ECONNREFUSED
      -A CONNECT -p tcp -d 10.9.9.2 -j DROP
      -A CONNECT -p udp -d fd00:9::1 -j DROP
      -A CONNECT -d 127.0.0.1 -j REJECT --reject-with EACCES`);
    const c = await bed.caller('c');
    const v4 = await c.socket('inet', 'stream');
    expect(await c.connect(v4, { address: '10.9.9.2', port: 81 })).toBe('ECONNREFUSED');
    expect(await c.connect(v4, { address: '10.9.9.2', port: 82 })).toBe('EPERM');
    const v6 = await c.socket('inet6', 'stream');
    expect(await c.connect(v6, { address: '::ffff:10.9.9.2', port: 82 })).toBe('EPERM');
    const u6 = await c.socket('inet6', 'dgram');
    expect(await c.connect(u6, { address: 'fd00:9::1', port: 82 })).toBe('EPERM');
    expect(await c.connect(u6, { address: 'fd00:9::2', port: 82 })).toBe('ok');
    const any = await c.socket('inet', 'dgram');
    expect(await c.connect(any, { address: '0.0.0.0', port: 5 })).toBe('EACCES');
    expect(policy.counted()).toEqual([
      'CONNECT 1: 1',
      'CONNECT 2: 2',
      'CONNECT 3: 1',
      'CONNECT 4: 1',
      'CONNECT policy: 1',
    ]);
  });

  test('an owner is who the task acts as', async () => {
    policy.enforce(`-A CONNECT -m owner --uid-owner 1000 -j REJECT --reject-with EACCES
      -A CONNECT -m owner --gid-owner 100 -j REJECT --reject-with ENETUNREACH
      -A BIND -m owner --uid-owner 1000-1001 -j DROP
      -A SENDTO -m owner ! --gid-owner 0 -j DROP`);
    const c = await bed.caller('owner');
    const address = { address: '10.9.9.1', port: 9 };
    const outcomes = async (...calls: (readonly [name: string, ...ids: number[]])[]) => {
      for (const [name, ...args] of calls) await c.call({ op: 'syscall', name, args });
      const fd = await c.socket('inet', 'dgram');
      const bound = await c.bind(fd, { address: '10.9.9.1' });
      const told = [bound, await c.sendto(fd, address), await c.connect(fd, address)];
      await c.close(fd);
      return told.join(' ');
    };
    const SAME = -1;
    expect(await outcomes()).toBe('ok ok ok');
    // seteuid(2), as a daemon takes a user's rights for a while.
    expect(await outcomes(['setresuid', SAME, 1000, SAME])).toBe('EPERM ok EACCES');
    expect(await outcomes(['setresuid', SAME, 0, SAME])).toBe('ok ok ok');
    expect(await outcomes(['setresuid', 1000, SAME, SAME])).toBe('ok ok ok');
    expect(await outcomes(['setresuid', 0, SAME, SAME], ['setfsuid', 1001])).toBe('EPERM ok ok');
    expect(await outcomes(['setfsuid', 0], ['setresgid', SAME, 100, SAME])).toBe(
      'ok EPERM ENETUNREACH',
    );
    expect(await outcomes(['setresgid', SAME, 0, SAME])).toBe('ok ok ok');
    expect(await outcomes(['setfsgid', 100])).toBe('ok EPERM ENETUNREACH');
  });

  test('sendto', async () => {
    policy.enforce(`-A SENDTO -s 10.9.9.1 -d 10.9.9.2 -j DROP
      -A SENDTO -d fd00:9::1 -p udp --dport 53 -j DROP`);
    const c = await bed.caller('c2');
    const a = await c.open('dgram', { address: '10.9.9.1', port: 0 });
    expect(await c.sendto(a.fd, { address: '10.9.9.2', port: 9 })).toBe('EPERM');
    const b = await c.socket('inet', 'dgram');
    expect(await c.sendto(b, { address: '10.9.9.2', port: 9 })).toBe('ok');
    const six = await c.socket('inet6', 'dgram');
    expect(await c.sendto(six, { address: 'fd00:9::1', port: 53 })).toBe('EPERM');
    expect(await c.sendto(six, { address: 'fd00:9::1', port: 54 })).toBe('ok');
    const sends = policy.counted().filter((line) => line.startsWith('SENDTO'));
    expect(sends).toEqual(['SENDTO 1: 1', 'SENDTO 2: 1', 'SENDTO policy: 2']);
  });

  test('accept and recvfrom', async () => {
    policy.enforce(`-G srv --id 9 --path ${bed.cgroups.path}/srv
      -A ACCEPT -m cgroup --id 9 -s 10.9.9.2 -j ACCEPT
      -A ACCEPT -m cgroup --id 9 -j DROP
      -A RECVFROM -m cgroup --id 9 -s 10.9.9.2 -p udp --dport 500 -j DROP`);
    const srv = await bed.caller('srv');
    const cli = await bed.caller('cli');
    const listener = await srv.open('stream', { address: '10.9.9.1', port: 700 });
    const from = async (address: string) => {
      const fd = await cli.socket('inet', 'stream');
      await cli.bind(fd, { address, port: 0 });
      return cli.connectAndWait(fd, { address: '10.9.9.1', port: 700 }, 200);
    };
    expect(await from('10.9.9.2')).toBe('connected');
    expect(await from('10.9.9.1')).toBe('timeout');
    expect((await srv.acceptWithin(listener.fd, 100)).errno).toBeUndefined();
    expect((await srv.acceptWithin(listener.fd, 100)).errno).toBe('timeout');
    const udp = await srv.open('dgram', { address: '10.9.9.1', port: 500 });
    const send = async (address: string) => {
      const { fd } = await cli.open('dgram', { address, port: 0 });
      expect(await cli.sendto(fd, { address: '10.9.9.1', port: 500 })).toBe('ok');
      return (await srv.recvWithin(udp.fd, 100)).errno;
    };
    expect(await send('10.9.9.2')).toBe('timeout');
    expect(await send('10.9.9.1')).toBeUndefined();
    // A refused peer tries again: its SYNs are counted, each.
    const counted = policy.counted().map((line) => line.replace(/^ACCEPT 2: \d+$/, 'ACCEPT 2: n'));
    expect(counted).toEqual(
      expect.arrayContaining(['ACCEPT 1: 1', 'ACCEPT 2: n', 'RECVFROM 1: 1', 'RECVFROM policy: 1']),
    );
  });

  test('an IPv6 socket that is connected takes IPv4 at 127.0.0.6', async () => {
    const rules = '-A RECVFROM -d 127.0.0.6 -j DROP';
    const peer = await bed.caller('peer');
    const joined = await bed.caller('joined');
    const stranger = await peer.open('dgram', { address: '127.0.0.1', port: 5354 });
    const friend = await peer.open('dgram', { address: 'fd00:9::1', port: 5354 });
    const fd = await joined.socket('inet6', 'dgram');
    expect(await joined.connect(fd, friend.address)).toBe('ok');
    const { port = 0 } = await joined.address(fd);
    const arrives = async (from: number, address: string) => {
      expect(await peer.sendto(from, { address, port })).toBe('ok');
      return (await joined.recvWithin(fd, 100)).errno ?? 'ok';
    };
    policy.enforce('-A RECVFROM -d 127.0.0.7 -j DROP');
    expect(await arrives(stranger.fd, '127.0.0.6')).toBe('ok');
    policy.enforce(rules);
    expect(await arrives(stranger.fd, '127.0.0.6')).toBe('timeout');
    // Its peer is judged by CONNECT, and so is a peer of IPv4 of such a socket.
    policy.enforce('-P RECVFROM DROP');
    expect(await arrives(friend.fd, 'fd00:9::1')).toBe('ok');
    const mapped = await joined.socket('inet6', 'dgram');
    expect(await joined.connect(mapped, { address: '::ffff:127.0.0.1', port: 5354 })).toBe('ok');
    const { port: own = 0 } = await joined.address(mapped);
    await peer.sendto(stranger.fd, { address: '127.0.0.1', port: own });
    expect((await joined.recvWithin(mapped, 100)).errno).toBeUndefined();
  });
});
