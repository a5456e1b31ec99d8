/** What stands beside a policy: programs of others, another policy below it, sockets that are open. */
import {
  attachCgroup,
  close,
  exit,
  type Fd,
  loadProgram,
  movImm,
  openDirectory,
  R0,
} from '@sockfilter/bpf';
import type { Caller } from '../harness/caller.js';
import { describeKernel } from '../harness/kernel.js';
import { Policy } from '../harness/policy.js';
import { Testbed } from '../harness/testbed.js';

describeKernel('neighbours', () => {
  let bed: Testbed;
  let outer: Policy;
  let inner: Policy;
  let caller: Caller;
  beforeAll(async () => {
    bed = await Testbed.create();
    bed.cgroups.child('in');
    outer = new Policy(bed.cgroups.path);
    inner = new Policy(bed.cgroups.childPath('in'));
    caller = await bed.caller('in');
  });
  afterEach(() => {
    inner.teardown();
    outer.teardown();
  });
  afterAll(async () => {
    await bed?.close();
  });

  async function connect(port: number): Promise<string> {
    const fd = await caller.socket('inet', 'dgram');
    const outcome = await caller.connect(fd, { address: '127.0.0.1', port });
    await caller.close(fd);
    return outcome;
  }
  const outcomes = async () => [await connect(7001), await connect(7002), await connect(7003)];

  /** Attaches a program of somebody else's that refuses or allows every connect, for the body. */
  async function beside<T>(allowed: 0 | 1, body: () => Promise<T>): Promise<T> {
    const fds: Fd[] = [];
    try {
      const program = loadProgram(
        {
          name: 'theirs',
          type: 'cgroup_sock_addr',
          expectedAttachType: 'inet4_connect',
          license: 'GPL',
          items: [movImm(R0, allowed), exit()],
        },
        {},
      );
      fds.push(program, openDirectory(bed.cgroups.root));
      const [, cgroup = 0] = fds;
      fds.push(attachCgroup(program, cgroup, 'inet4_connect'));
      return await body();
    } finally {
      for (const fd of fds.toReversed()) close(fd);
    }
  }

  test('a root below another: what either refuses is refused, and each has its own ids and life', async () => {
    const group = (id: number) => `-G in --id ${id} --path ${bed.cgroups.childPath('in')}`;
    outer.enforce(`${group(3)}\n-A CONNECT -p udp -m cgroup --id 3 --dport 7001 -j DROP`);
    inner.enforce(`${group(9)}\n-A CONNECT -p udp -m cgroup --id 9 --dport 7002 -j DROP`);
    expect(await outcomes()).toEqual(['EPERM', 'EPERM', 'ok']);
    expect(outer.status()?.root).toBe(outer.root);
    outer.enforce(`${group(3)}\n-A CONNECT -p udp -m cgroup --id 3 --dport 7003 -j DROP`);
    expect(await outcomes()).toEqual(['ok', 'EPERM', 'EPERM']);
    inner.teardown();
    expect(await outcomes()).toEqual(['ok', 'ok', 'EPERM']);
    inner.enforce('-A CONNECT -p udp --dport 7001 -j DROP');
    outer.teardown();
    expect(await outcomes()).toEqual(['EPERM', 'ok', 'ok']);
  });

  test.each([0, 1] as const)(
    'programs of others before and after ours, with verdict %p',
    async (allowed) => {
      const theirs = allowed === 1 ? 'ok' : 'EPERM';
      await beside(allowed, async () => {
        outer.enforce('-A CONNECT -p udp --dport 7001 -j DROP');
        expect(await outcomes()).toEqual(['EPERM', theirs, theirs]);
        expect(outer.status()?.later).toEqual([]);
        await beside(allowed, async () => {
          expect(await outcomes()).toEqual(['EPERM', theirs, theirs]);
          expect(outer.status()?.later).toHaveLength(1);
          outer.enforce('-A CONNECT -p udp --dport 7002 -j DROP');
          expect(await outcomes()).toEqual([theirs, 'EPERM', theirs]);
          outer.teardown();
          expect(await outcomes()).toEqual([theirs, theirs, theirs]);
        });
      });
      expect(await outcomes()).toEqual(['ok', 'ok', 'ok']);
    },
  );

  test('a teardown leaves open sockets as they are, and what was refused passes on the same socket', async () => {
    outer.enforce('-A CONNECT -p udp --dport 7001 -j DROP\n-A RECVFROM -p udp -j DROP');
    const fd = await caller.socket('inet', 'dgram');
    expect(await caller.connect(fd, { address: '127.0.0.1', port: 7002 })).toBe('ok');
    expect(await caller.connect(fd, { address: '127.0.0.1', port: 7001 })).toBe('EPERM');
    outer.teardown();
    expect(outer.status()).toBeUndefined();
    expect(await caller.connect(fd, { address: '127.0.0.1', port: 7001 })).toBe('ok');
    await caller.close(fd);
  });
});
