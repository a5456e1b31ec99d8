/** MARK, and the match of marks, by real calls: what the socket has then, and where its packets go. */
import type { Caller } from '../harness/caller.js';
import { describeKernel } from '../harness/kernel.js';
import { beforeCalls } from '../harness/policedcaller.js';
import type { Policy } from '../harness/policy.js';
import type { Testbed } from '../harness/testbed.js';

const SOL_SOCKET = 1;
const SO_MARK = 36;

describeKernel('marks', () => {
  let bed: Testbed;
  let policy: Policy;
  let caller: Caller;
  beforeCalls((made) => {
    ({ bed, policy, caller } = made);
  });
  beforeAll(async () => {
    // What has mark 7 has no way: a call whose own packets have it fails.
    for (const family of ['-4', '-6'])
      for (const rule of ['add pref 1 fwmark 7 prohibit', 'add pref 2 lookup local', 'del pref 0'])
        await bed.network.run('ip', family, 'rule', ...rule.split(' '));
  });

  const markOf = async (fd: number): Promise<number | undefined> => {
    const result = await caller.call({ op: 'getsockopt', fd, level: SOL_SOCKET, name: SO_MARK });
    return result.value;
  };

  /** A socket with the mark. */
  async function marked(family: 'inet' | 'inet6', type: 'stream' | 'dgram', mark: number) {
    const fd = await caller.socket(family, type);
    await caller.call({ op: 'setsockopt', fd, level: SOL_SOCKET, name: SO_MARK, value: mark | 0 });
    return fd;
  }

  test.each([
    ['inet', '127.0.0.1'],
    ['inet6', '::1'],
    ['inet6', '::ffff:127.0.0.1'],
  ] as const)('the very call that is marked has the mark: %s %s', async (family, address) => {
    const to = { address, port: 9 };
    for (const type of ['stream', 'dgram'] as const) {
      policy.enforce('-A CONNECT -j MARK --set-mark 7');
      const fd = await caller.socket(family, type);
      expect([type, await caller.connect(fd, to), await markOf(fd)]).toEqual([type, 'EACCES', 7]);
      policy.enforce('-A CONNECT -j MARK --set-mark 8');
      const other = await caller.socket(family, type);
      const outcome = type === 'stream' ? 'ECONNREFUSED' : 'connected';
      expect([type, await caller.connectAndWait(other, to), await markOf(other)]).toEqual([
        type,
        outcome,
        8,
      ]);
      for (const each of [fd, other]) await caller.close(each);
    }
  });

  test.each([
    ['inet', '10.9.9.1', '10.9.9.2', '0.0.0.0'],
    ['inet6', 'fd00:9::1', 'fd00:9::2', '::'],
    ['inet6', '::ffff:10.9.9.1', '::ffff:10.9.9.2', '::'],
  ] as const)(
    'the route of a mark gives a call its source: %s %s',
    async (family, to, source, any) => {
      const version = to.startsWith('fd') ? '-6' : '-4';
      const [own, given] = [to, source].map((address) => address.replace('::ffff:', ''));
      const ip = (...words: string[]) =>
        bed.network.run('ip', version, ...words.join(' ').split(' '));
      await ip(`route replace local ${own} dev lo src ${given} table 100`);
      await ip('rule add pref 1 fwmark 9 lookup 100');
      policy.enforce(`-A CONNECT -p tcp --dport 9 -j MARK --set-mark 9
      -A CONNECT -p udp --dport 9 -j MARK --set-mark 9`);
      for (const type of ['stream', 'dgram'] as const) {
        const server = await caller.open(type, { address: any, port: 9 });
        const other = await caller.open(type, { address: any, port: 10 });
        const sourceOf = async (port: number, bound?: string): Promise<string> => {
          const fd = await caller.socket(family, type);
          if (bound !== undefined) await caller.bind(fd, { address: bound });
          await caller.connectAndWait(fd, { address: to, port });
          const { address } = await caller.address(fd);
          await caller.close(fd);
          return address;
        };
        expect(await sourceOf(9)).toBe(source);
        expect(await sourceOf(9, any)).toBe(source);
        expect(await sourceOf(9, to)).toBe(to);
        expect(await sourceOf(10)).toBe(to);
        for (const { fd } of [server, other]) await caller.close(fd);
      }
      await ip('rule del pref 1 fwmark 9 lookup 100');
    },
  );

  test('of MPTCP the subflow that the call makes has the mark', async () => {
    policy.enforce('-A CONNECT -j MARK --set-mark 7');
    const fd = await caller.socket('inet', 'stream', 'mptcp');
    const to = { address: '127.0.0.1', port: 9 };
    expect(await caller.connectAndWait(fd, to)).toBe('EACCES');
    await caller.close(fd);
  });

  test('who has no right to can not set or clear the mark that rules look at', async () => {
    policy.enforce('-P CONNECT DROP\n-A CONNECT -m mark --mark 5 -j ACCEPT');
    const user = await bed.caller('in', { uid: 65_534 });
    const fd = await user.socket('inet', 'dgram');
    const set = await user.call({
      op: 'setsockopt',
      fd,
      level: SOL_SOCKET,
      name: SO_MARK,
      value: 5,
    });
    expect(set.errno).toBe('EPERM');
    expect(await user.connect(fd, { address: '127.0.0.1', port: 9 })).toBe('EPERM');
    await user.close(fd);
  });

  test('bits that are not named stay, and rules behind look at what it is then', async () => {
    policy.enforce(`
      -P CONNECT DROP
      -A CONNECT -m mark --mark 0x10/0xf0 -j MARK --set-xmark 0x3/0xf
      -A CONNECT -m mark --mark 0x100/0x100 -j MARK --xor-mark 0x110
      -A CONNECT -m mark --mark 0x13 -j ACCEPT
      -A CONNECT -m mark --mark 0x20/0xfff -j REJECT --reject-with EACCES
      -A CONNECT -m mark ! --mark 0/0xffff -j ACCEPT`);
    const results: (readonly [string, number | undefined])[] = [];
    for (const mark of [0x10, 0x1f, 0x110, 0x130, 0x20, 0x120, 0x8000_0000, 0x8000_0040]) {
      const fd = await marked('inet', 'dgram', mark);
      const outcome = await caller.connect(fd, { address: '127.0.0.1', port: 9 });
      results.push([outcome, await markOf(fd)]);
      await caller.close(fd);
    }
    expect(results).toEqual([
      ['ok', 0x13],
      ['ok', 0x13],
      ['ok', 0x3],
      ['EACCES', 0x130],
      ['EACCES', 0x20],
      ['ok', 0x30],
      ['EPERM', -0x8000_0000],
      ['ok', -0x7fff_ffc0],
    ]);
  });

  test('a call that is refused leaves the socket as it was', async () => {
    policy.enforce('-A CONNECT -j MARK --set-mark 8\n-A CONNECT -j DROP');
    const fd = await marked('inet', 'dgram', 5);
    expect(await caller.connect(fd, { address: '127.0.0.1', port: 9 })).toBe('EPERM');
    expect(await markOf(fd)).toBe(5);
    await caller.close(fd);
  });

  test('bind(2) marks the socket, once, though the port is judged too', async () => {
    policy.enforce('-P BIND DROP\n-A BIND -j MARK --xor-mark 6\n-A BIND -j ACCEPT');
    const fd = await marked('inet6', 'stream', 4);
    expect(await caller.bind(fd, { address: '::1', port: 0 })).toBe('ok');
    expect(await markOf(fd)).toBe(2);
    await caller.close(fd);
  });

  test.each(['0x1/0x1', '0x100/0x100', '0x10000/0x10000', '0x1000000/0x1000000'])(
    'a rule that looks at no bit but one sees it: %s',
    async (word) => {
      policy.enforce(`-A BIND -m mark --mark ${word} -j DROP`);
      const mark = Number(word.split('/', 1)[0]);
      for (const [each, outcome] of [
        [mark, 'EPERM'],
        [~mark & 0x7fff_ffff, 'ok'],
      ] as const) {
        const fd = await marked('inet', 'dgram', each);
        expect(await caller.bind(fd, { address: '127.0.0.1', port: 0 })).toBe(outcome);
        await caller.close(fd);
      }
    },
  );

  test('each chain sees the mark of the socket', async () => {
    policy.enforce(`
      -A BIND -m mark --mark 3 -j REJECT --reject-with EACCES
      -A SENDTO -m mark --mark 3 -j REJECT --reject-with EACCES
      -A RECVFROM -m mark --mark 3 -j DROP
      -A ACCEPT -m mark --mark 3 -j DROP`);
    const [plain, three] = [await marked('inet', 'dgram', 0), await marked('inet', 'dgram', 3)];
    const here = { address: '127.0.0.1', port: 0 };
    expect(await caller.bind(three, here)).toBe('EACCES');
    expect(await caller.bind(plain, here)).toBe('ok');
    const to = await caller.address(plain);
    expect(await caller.sendto(three, to)).toBe('EACCES');
    expect(policy.counted()).toEqual(['BIND 1: 1', 'BIND policy: 1', 'SENDTO 1: 1']);
    // A port that the kernel chose is judged once more when a packet comes, with the mark of then.
    policy.enforce('-A RECVFROM -m mark --mark 3 -j DROP\n-A ACCEPT -m mark --mark 3 -j DROP');
    for (const type of ['stream', 'dgram'] as const) {
      const server = await caller.open(type, here);
      for (const mark of [0, 3]) {
        const { fd, address } = server;
        await caller.call({ op: 'setsockopt', fd, level: SOL_SOCKET, name: SO_MARK, value: mark });
        const client = await marked('inet', type, 0);
        if (type === 'stream') await caller.connectAndWait(client, address);
        else await caller.sendto(client, address);
        await caller.close(client);
      }
      await caller.close(server.fd);
    }
    expect(policy.counted().toSorted()).toEqual([
      'ACCEPT 1: 1',
      'ACCEPT policy: 1',
      'BIND policy: 2',
      'CONNECT policy: 2',
      'RECVFROM 1: 1',
      'RECVFROM policy: 1',
      'SENDTO policy: 2',
    ]);
    for (const each of [plain, three]) await caller.close(each);
  });
});
