/** DNAT and REDIRECT by real calls: where they go, what is told, and what is refused that can't be given another way. */
import type {
  Caller,
  Descriptor,
  SocketAddress,
  SocketFamily,
  SocketType,
} from '../harness/caller.js';
import { describeKernel } from '../harness/kernel.js';
import { beforeCalls } from '../harness/policedcaller.js';
import type { Policy } from '../harness/policy.js';
import type { Testbed } from '../harness/testbed.js';

describeKernel('other destinations', () => {
  let bed: Testbed;
  let policy: Policy;
  let caller: Caller;
  beforeCalls((made) => {
    ({ bed, policy, caller } = made);
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

  describe('answers', () => {
    /** A server that sends each datagram back; what `ask` hears comes from it. */
    async function echoes(server: string, count: number, ask: (n: number) => Promise<string>) {
      const heard: string[] = [];
      const { fd } = listeners.get(server) ?? (await listen(server));
      for (let n = 0; n < count; n++) {
        const answer = ask(n);
        const { address } = await other.call({ op: 'recvWithin', fd, ms: 1000 });
        if (address) await other.call({ op: 'sendto', fd, to: address, data: 'back' });
        heard.push(await answer);
      }
      return heard;
    }

    let other: Caller;
    const listeners = new Map<string, { readonly fd: Descriptor; readonly port: number }>();
    async function listen(address: string) {
      const { fd, address: own } = await other.open('dgram', { address, port: 0 });
      const opened = { fd, port: own.port ?? 0 };
      listeners.set(address, opened);
      return opened;
    }
    beforeAll(async () => {
      other = await bed.caller('out');
    });

    const written = ({ address, port }: SocketAddress = { address: '?' }) => `${address} ${port}`;

    test.each([
      ['inet', '10.1.1.1', '127.0.0.1', '127.0.0.1'],
      ['inet6', 'fd00::9', '::1', '[::1]'],
      ['inet6', '::ffff:10.1.1.1', '127.0.0.1', '127.0.0.1'],
    ] as const)(
      'come from the peer that was asked for: %s %s',
      async (family, asked, server, to) => {
        const { port } = await listen(server);
        for (const chain of ['CONNECT', 'SENDTO'] as const) {
          policy.enforce(
            `-A ${chain} -p udp -d ${asked.replace('::ffff:', '')} -j DNAT --to-destination ${to}:${port}`,
          );
          const fd = await caller.socket(family, 'dgram');
          const named = { address: asked, port: 9 };
          if (chain === 'CONNECT') expect(await caller.connect(fd, named)).toBe('ok');
          const heard = await echoes(server, 2, async () => {
            if (chain === 'CONNECT') await caller.call({ op: 'send', fd });
            else await caller.sendto(fd, named);
            return written((await caller.recvWithin(fd, 1000)).address);
          });
          expect([chain, heard]).toEqual([chain, [`${asked} 9`, `${asked} 9`]]);
          if (chain === 'CONNECT')
            expect(written((await caller.call({ op: 'getpeername', fd })).address)).toBe(
              `${asked} 9`,
            );
          await caller.close(fd);
        }
      },
    );

    test('of several peers each has its own, and who was not asked for by another name has the one it has', async () => {
      const ports = new Map<string, number>();
      for (const n of [1, 2, 3, 4, 5, 6])
        ports.set(`127.0.1.${n}`, (await listen(`127.0.1.${n}`)).port);
      policy.enforce(
        [1, 2, 3, 4, 5]
          .map(
            (n) =>
              `-A SENDTO -p udp -d 10.9.9.${n} -j DNAT --to-destination 127.0.1.${n}:${ports.get(`127.0.1.${n}`)}`,
          )
          .join('\n'),
      );
      const fd = await caller.socket('inet', 'dgram');
      const ask = async (address: string, port: number, server: string) =>
        (
          await echoes(server, 1, async () => {
            await caller.sendto(fd, { address, port });
            return written((await caller.recvWithin(fd, 1000)).address);
          })
        )[0];
      // A fifth peer takes the place of the first, which has it again when it is asked for again.
      for (const n of [1, 2, 3, 4, 5, 1])
        expect(await ask(`10.9.9.${n}`, 50 + n, `127.0.1.${n}`)).toBe(`10.9.9.${n} ${50 + n}`);
      expect(await ask('10.9.9.3', 99, '127.0.1.3')).toBe('10.9.9.3 99');
      const direct = ports.get('127.0.1.6') ?? 0;
      expect(await ask('127.0.1.6', direct, '127.0.1.6')).toBe(`127.0.1.6 ${direct}`);
      await caller.close(fd);
    });

    test('a connection tells the peer that was asked for, also when its rule has gone', async () => {
      policy.enforce('');
      const { fd: listener, address } = await other.open('stream', {
        address: '127.0.0.1',
        port: 0,
      });
      policy.enforce(`
        -A CONNECT -p tcp -d 10.1.1.1 -j DNAT --to-destination 127.0.0.1:${address.port}
        -A CONNECT -p tcp -d 10.1.1.2 -j DNAT --to-destination 127.0.0.1:${address.port}`);
      const peerOf = async (family: SocketFamily, to: string, protocol?: 'mptcp') => {
        const fd = await caller.socket(family, 'stream', protocol);
        expect(await caller.connectAndWait(fd, { address: to, port: 9 })).toBe('connected');
        const peer = written((await caller.call({ op: 'getpeername', fd })).address);
        return { fd, peer };
      };
      const first = await peerOf('inet', '10.1.1.1');
      expect(first.peer).toBe('10.1.1.1 9');
      expect((await peerOf('inet6', '::ffff:10.1.1.2')).peer).toBe('::ffff:10.1.1.2 9');
      // What keeps it is the subflow, and what is asked is the connection.
      expect((await peerOf('inet', '10.1.1.2', 'mptcp')).peer).toBe(`127.0.0.1 ${address.port}`);
      policy.enforce('-A CONNECT -d 10.1.1.9 -j DNAT --to-destination 127.0.0.1');
      const again = await caller.call({ op: 'getpeername', fd: first.fd });
      expect(written(again.address)).toBe('10.1.1.1 9');
      policy.enforce('-A CONNECT -j ACCEPT');
      const real = await caller.call({ op: 'getpeername', fd: first.fd });
      expect(written(real.address)).toBe(`127.0.0.1 ${address.port}`);
      await other.close(listener);
    });
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

  describe('of several destinations', () => {
    /** What comes of so many connects of datagram sockets to an address that is another's. */
    async function connects(count: number, source?: string): Promise<readonly string[]> {
      const found: string[] = [];
      for (let n = 0; n < count; n++) {
        const fd = await caller.socket('inet', 'dgram');
        if (source !== undefined) await caller.bind(fd, { address: source, port: 0 });
        found.push(await caller.connect(fd, { address: '10.1.1.1', port: 9 }));
        await caller.close(fd);
      }
      return found;
    }

    const counts = () =>
      policy
        .counters()
        .filter(({ owner }) => owner.chain.name === 'CONNECT' && owner.rule)
        .map(({ packets }) => Number(packets));

    test('each call gets one, and rules look at that one', async () => {
      policy.enforce(`
        -A CONNECT -p udp -d 10.1.1.1 -j DNAT --to-destination 127.0.0.5-127.0.0.8
        -A CONNECT -d 127.0.0.5
        -A CONNECT -d 127.0.0.6
        -A CONNECT -d 127.0.0.7 -j REJECT --reject-with EACCES
        -A CONNECT -d 127.0.0.8 -j REJECT --reject-with ENETUNREACH`);
      const outcomes = await connects(100);
      const [all, first = 0, second = 0, third, fourth] = counts();
      const times = (outcome: string) => outcomes.filter((each) => each === outcome).length;
      expect([all, first + second, third, fourth]).toEqual([
        100,
        times('ok'),
        times('EACCES'),
        times('ENETUNREACH'),
      ]);
      for (const count of [first, second, third, fourth]) expect(count).toBeGreaterThan(5);
    });

    test.each([
      ['inet', '127.0.0.1', '-p tcp -j DNAT --to-destination 127.0.0.5-127.0.0.6:PORTS', 2],
      ['inet6', '::1', '-p tcp -j DNAT --to-destination [::1]:PORTS', 1],
      ['inet', '127.0.0.1', '-p tcp -j REDIRECT --to-ports PORTS', 1],
    ] as const)('BIND: %s %s %s', async (family, asked, rule, addresses) => {
      policy.enforce(`-P BIND DROP
        -A BIND -d ${asked} ${rule.replace('PORTS', '41000-41003')}
        -A BIND -p tcp -m tcp --dport 41000:41003 -j ACCEPT`);
      const found = new Set<string>();
      for (let n = 0; n < 60; n++) {
        const fd = await caller.socket(family, 'stream');
        expect(await caller.bind(fd, { address: asked, port: 0 })).toBe('ok');
        const { address, port } = await caller.address(fd);
        found.add(`${address} ${port}`);
        await caller.close(fd);
      }
      expect(found.size).toBe(4 * addresses);
      for (const each of found) expect(each).toMatch(/ 4100[0-3]$/);
    });

    /** Servers at the addresses, all of one port. */
    async function servers(type: 'stream' | 'dgram', addresses: readonly string[]) {
      const open: Descriptor[] = [];
      let port = 0;
      for (const address of addresses) {
        const { fd, address: own } = await caller.open(type, { address, port });
        port = own.port ?? 0;
        open.push(fd);
      }
      return { port, open };
    }

    const written = ({ address, port }: SocketAddress = { address: '?' }) => `${address} ${port}`;

    test.each([
      ['inet', '10.1.1.1', [1, 2, 3, 4, 5, 6].map((n) => `127.0.2.${n}`), '127.0.2.1-127.0.2.6'],
      ['inet6', '::ffff:10.1.1.1', ['127.0.2.1', '127.0.2.2'], '127.0.2.1-127.0.2.2'],
    ] as const)('connections are spread: %s %s', async (family, asked, addresses, range) => {
      policy.enforce('');
      const { port, open } = await servers('stream', addresses);
      policy.enforce(`-P CONNECT DROP
        -A CONNECT -p tcp -d 10.1.1.1 -j DNAT --to-destination ${range}:${port}
        ${addresses.map((address) => `-A CONNECT -p tcp -d ${address} --dport ${port} -j ACCEPT`).join('\n')}`);
      const calls = 12 * addresses.length;
      const taken = open.map(() => 0);
      for (let n = 0; n < calls; n++) {
        const fd = await caller.socket(family, 'stream');
        expect(await caller.connectAndWait(fd, { address: asked, port: 9 })).toBe('connected');
        expect(written((await caller.call({ op: 'getpeername', fd })).address)).toBe(`${asked} 9`);
        for (const [server, listener] of open.entries()) {
          const accepted = await caller.call({ op: 'acceptWithin', fd: listener, ms: 5 });
          if (accepted.errno !== undefined) continue;
          taken[server] = (taken[server] ?? 0) + 1;
          if (accepted.value !== undefined) await caller.close(accepted.value);
          break;
        }
        await caller.close(fd);
      }
      // Each server has the connections that its own rule has let through.
      const [all, ...each] = counts();
      expect([all, each]).toEqual([calls, taken]);
      for (const count of taken) expect(count).toBeGreaterThan(0);
      for (const fd of open) await caller.close(fd);
    });

    test('datagrams are spread over more peers than a socket remembers, and answers are of the one asked for', async () => {
      policy.enforce('');
      const addresses = [1, 2, 3, 4, 5, 6].map((n) => `127.0.2.${n}`);
      const { port, open } = await servers('dgram', addresses);
      policy.enforce(
        `-A SENDTO -p udp -d 10.1.1.1 -j DNAT --to-destination 127.0.2.1-127.0.2.6:${port}`,
      );
      const client = await caller.socket('inet', 'dgram');
      const met = new Set<number>();
      for (let n = 0; n < 90; n++) {
        expect(await caller.sendto(client, { address: '10.1.1.1', port: 9 })).toBe('ok');
        // One of them has it, and answers before the next is asked.
        let from: SocketAddress | undefined;
        for (const [server, fd] of open.entries()) {
          from = (await caller.recvWithin(fd, 0)).address;
          if (!from) continue;
          met.add(server);
          await caller.sendto(fd, from, 'back');
          break;
        }
        expect(from).toBeDefined();
        expect(written((await caller.recvWithin(client, 1000)).address)).toBe('10.1.1.1 9');
      }
      expect(met.size).toBe(addresses.length);
      for (const fd of [client, ...open]) await caller.close(fd);
    });

    test('the same caller gets the same with --persistent', async () => {
      policy.enforce(`
        -A CONNECT -p udp -d 10.1.1.1 -j DNAT --to-destination 127.0.0.2-127.0.0.255 --persistent
        ${Array.from({ length: 16 }, (_, n) => `-A CONNECT -d 127.0.0.${16 * n}/28`).join('\n')}`);
      const met = () => counts().filter((count) => count > 0).length;
      await connects(8, '127.0.0.1');
      expect(met()).toBe(2);
      for (let n = 1; n < 30; n++) await connects(1, `127.0.1.${n}`);
      expect(met()).toBeGreaterThan(8);
    });
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
