/** DNAT and REDIRECT by real calls: where they go, what is told, and what is refused that can't be given another way. */
import type { Caller, SocketFamily, SocketType } from '../harness/caller.js';
import { describeKernel } from '../harness/kernel.js';
import { Policy } from '../harness/policy.js';
import { Testbed } from '../harness/testbed.js';

describeKernel('other destinations', () => {
  let bed: Testbed;
  let policy: Policy;
  let caller: Caller;
  beforeAll(async () => {
    bed = await Testbed.create();
    policy = new Policy(bed.cgroups.path);
    caller = await bed.caller('in');
  });
  afterAll(async () => {
    policy?.teardown();
    await bed?.close();
  });

  /** A bind(2), and the socket's address then. */
  async function bound(family: SocketFamily, type: SocketType, address: string, port = 0) {
    const fd = await caller.socket(family, type);
    const outcome = await caller.bind(fd, { address, port });
    const now = outcome === 'ok' ? await caller.address(fd) : undefined;
    await caller.close(fd);
    return now?.address ?? outcome;
  }

  test('the habit of 2007: who binds the wildcard gets an address', async () => {
    policy.enforce(
      `-G web --id 3 --path ${bed.cgroups.path}/in
      -A BIND -m cgroup --id 3 -d 0.0.0.0 -j DNAT --to-destination 127.0.0.5
      -A BIND -m cgroup --id 3 -d :: -j DNAT --to-destination ::1`,
    );
    for (const type of ['stream', 'dgram'] as const) {
      expect([type, await bound('inet', type, '0.0.0.0')]).toEqual([type, '127.0.0.5']);
      expect([type, await bound('inet', type, '127.0.0.6')]).toEqual([type, '127.0.0.6']);
      expect([type, await bound('inet6', type, '::')]).toEqual([type, '::1']);
      expect([type, await bound('inet6', type, '::ffff:0.0.0.0')]).toEqual([
        type,
        '::ffff:127.0.0.5',
      ]);
    }
  });

  test('what bind(2) asked for is judged again, not what it was given', async () => {
    policy.enforce(`
      -P BIND DROP
      -A BIND -d 127.0.0.5 -j REJECT --reject-with EACCES
      -A BIND -d 0.0.0.0 -j DNAT --to-destination 127.0.0.5
      -A BIND -d 127.0.0.5 -p udp -m udp --dport 0 -j DROP
      -A BIND -d 127.0.0.5 -p tcp -m multiport --dports 0,1024:65535 -j ACCEPT`);
    expect(await bound('inet', 'stream', '0.0.0.0')).toBe('127.0.0.5');
    expect(await bound('inet6', 'stream', '::ffff:0.0.0.0')).toBe('::ffff:127.0.0.5');
    expect(await bound('inet', 'stream', '127.0.0.5')).toBe('EACCES');
    expect(await bound('inet', 'dgram', '0.0.0.0')).toBe('EPERM');
    expect(await bound('inet', 'stream', '0.0.0.0', 80)).toBe('EPERM');
    // Port 0 is let through, the one that the kernel chooses is not.
    policy.enforce(`
      -P BIND DROP
      -A BIND -d 0.0.0.0 -j DNAT --to-destination 127.0.0.5
      -A BIND -d 127.0.0.5 -p tcp -m tcp --dport 0 -j ACCEPT`);
    expect(await bound('inet', 'stream', '0.0.0.0')).toBe('EPERM');
    // The port that the kernel chooses would be given another address than port 0 was.
    policy.enforce('-A BIND -p tcp -m tcp --dport 1024: -j DNAT --to-destination 127.0.0.5');
    expect(await bound('inet', 'stream', '127.0.0.6')).toBe('EPERM');
    policy.enforce('-A BIND -p tcp -j DNAT --to-destination 127.0.0.5:4321');
    expect(await bound('inet', 'stream', '127.0.0.6')).toBe('127.0.0.5');
    expect(await bound('inet', 'stream', '127.0.0.6', 99)).toBe('127.0.0.5');
  });

  test('a chain that never refuses and gives no other destination lets bind(2) be', async () => {
    policy.enforce('-P BIND DROP\n-A BIND -j ACCEPT');
    expect(await bound('inet', 'stream', '127.0.0.6')).toBe('127.0.0.6');
  });

  test('a socket that is refused one bind(2) is judged by the next alone', async () => {
    policy.enforce(`
      -A BIND -d 127.0.0.7 -j DNAT --to-destination 127.0.0.5
      -A BIND -p tcp -m tcp --dport 1024: -d 127.0.0.7 -j DROP`);
    const holder = await caller.open('stream', { address: '127.0.0.5', port: 0 });
    const fd = await caller.socket('inet', 'stream');
    const { port = 0 } = holder.address;
    expect(await caller.bind(fd, { address: '127.0.0.7', port })).toBe('EADDRINUSE');
    expect(await caller.bind(fd, { address: '127.0.0.5', port: 0 })).toBe('ok');
    for (const each of [fd, holder.fd]) await caller.close(each);
  });

  test('a listener without bind(2) can not be given another address, and takes nobody', async () => {
    for (const [rule, expected] of [
      ['-A BIND -d 0.0.0.0 -j DNAT --to-destination 127.0.0.5', 'EAGAIN'],
      ['-A BIND -d 127.0.0.9 -j DNAT --to-destination 127.0.0.5', 'connected'],
    ] as const) {
      policy.enforce(rule);
      const fd = await caller.socket('inet', 'stream');
      await caller.call({ op: 'listen', fd });
      const { port = 0 } = await caller.address(fd);
      const client = await caller.socket('inet', 'stream');
      const outcome = await caller.connectAndWait(client, { address: '127.0.0.1', port });
      expect([rule, outcome === 'connected' ? outcome : 'EAGAIN']).toEqual([rule, expected]);
      for (const each of [fd, client]) await caller.close(each);
    }
  });

  test.each([
    ['inet', '10.1.1.1', '127.0.0.1', '127.0.0.1'],
    ['inet6', 'fd00::9', '::1', '[::1]'],
    ['inet6', '::ffff:10.1.1.1', '127.0.0.1', '127.0.0.1'],
  ] as const)('connections and datagrams go there: %s %s', async (family, asked, server, to) => {
    for (const [type, protocol, chain] of [
      ['stream', 'tcp', 'CONNECT'],
      ['stream', 'mptcp', 'CONNECT'],
      ['dgram', 'udp', 'CONNECT'],
      ['dgram', 'udp', 'SENDTO'],
    ] as const) {
      policy.enforce('');
      const { fd: listener, address } = await caller.open(type, { address: server, port: 0 });
      const known = protocol === 'mptcp' ? 'tcp' : protocol;
      policy.enforce(`
        -P ${chain} DROP
        -A ${chain} -p ${known} -d ${asked.replace('::ffff:', '')} -j DNAT --to-destination ${to}:${address.port}
        -A ${chain} -p ${known} -d ${server} --dport ${address.port} -j ACCEPT`);
      const fd = await caller.socket(family, type, protocol);
      const named = { address: asked, port: 9 };
      const outcome =
        chain === 'CONNECT'
          ? await caller.connectAndWait(fd, named)
          : await caller.sendto(fd, named);
      expect([type, protocol, outcome]).toEqual([
        type,
        protocol,
        chain === 'CONNECT' ? 'connected' : 'ok',
      ]);
      if (type === 'dgram' && chain === 'CONNECT') await caller.call({ op: 'send', fd });
      const taken = await caller.call(
        type === 'stream'
          ? { op: 'acceptWithin', fd: listener, ms: 500 }
          : { op: 'recvfrom', fd: listener },
      );
      expect([type, chain, taken.errno]).toEqual([type, chain, undefined]);
      for (const each of [fd, listener]) await caller.close(each);
    }
  });

  test('a set is asked for the destination of then', async () => {
    policy.enforce(`
      create good hash:ip
      add good 127.0.0.1
      -P CONNECT DROP
      -A CONNECT -m set --match-set good dst -j REJECT --reject-with EACCES
      -A CONNECT -p udp -d 10.0.0.0/8 -j DNAT --to-destination 127.0.0.1
      -A CONNECT -p udp -d 11.0.0.0/8 -j DNAT --to-destination 127.0.0.2
      -A CONNECT -m set --match-set good dst -j ACCEPT`);
    const outcomes: string[] = [];
    for (const address of ['127.0.0.1', '10.0.0.1', '11.0.0.1', '127.0.0.3']) {
      const fd = await caller.socket('inet', 'dgram');
      outcomes.push(await caller.connect(fd, { address, port: 9 }));
      await caller.close(fd);
    }
    expect(outcomes).toEqual(['EACCES', 'ok', 'EPERM', 'EPERM']);
  });

  test('what can not be given another destination is refused', async () => {
    policy.enforce('-A SENDTO -j REDIRECT');
    const connected = await caller.socket('inet', 'dgram');
    await caller.connect(connected, { address: '127.0.0.1', port: 9 });
    const told = await caller.call({
      op: 'sendmsg',
      fd: connected,
      from: { address: '127.0.0.3' },
    });
    expect(told.errno).toBe('EPERM');
    const raw = await caller.socket('inet', 'raw', 'udp');
    expect(await caller.sendto(raw, { address: '127.0.0.1' }, 'xxxxxxxx')).toBe('EPERM');
    for (const each of [connected, raw]) await caller.close(each);
  });
});
