/**
 * Why there is no SNAT: what becomes of a socket that a hook of connect(2) binds. The program is none of ours, and
 * docs/language.md tells what it shows.
 */
import {
  addImm,
  attachCgroup,
  callHelper,
  close,
  exit,
  type Fd,
  loadProgram,
  mov,
  movImm,
  openDirectory,
  R0,
  R2,
  R3,
  R10,
  storeImm,
} from '@sockfilter/bpf';
import type { Caller } from '../harness/caller.js';
import { describeKernel } from '../harness/kernel.js';
import { beforeCalls } from '../harness/policedcaller.js';
import type { Policy } from '../harness/policy.js';
import type { Testbed } from '../harness/testbed.js';

const BPF_BIND = 64;
const AF_INET = 2;
const SOURCE = '10.9.9.2';
const OTHER = '10.9.9.1';
const PORT = 7100;
/** Where nobody listens. */
const CLOSED = { address: OTHER, port: 9 };

describeKernel('a bind from the hook of connect(2)', () => {
  let bed: Testbed;
  let policy: Policy;
  let caller: Caller;
  beforeCalls((made) => {
    ({ bed, policy, caller } = made);
  });

  /** Binds all that connects during the body to SOURCE and the port, and then gives the verdict. */
  async function binding<T>(port: number, allowed: 0 | 1, body: () => Promise<T>): Promise<T> {
    const fds: Fd[] = [];
    try {
      const program = loadProgram({
        name: 'binder',
        type: 'cgroup_sock_addr',
        expectedAttachType: 'inet4_connect',
        license: 'GPL',
        items: [
          storeImm(2, R10, -16, AF_INET),
          storeImm(2, R10, -14, Buffer.from([port >> 8, port & 0xff]).readInt16LE()),
          storeImm(4, R10, -12, Buffer.from(SOURCE.split('.').map(Number)).readInt32LE()),
          storeImm(8, R10, -8, 0),
          mov(R2, R10),
          addImm(R2, -16),
          movImm(R3, 16),
          callHelper(BPF_BIND),
          movImm(R0, allowed),
          exit(),
        ],
      });
      fds.push(program);
      const cgroup = openDirectory(bed.cgroups.root);
      fds.push(cgroup);
      fds.push(attachCgroup(program, cgroup, 'inet4_connect'));
      return await body();
    } finally {
      for (const fd of fds.toReversed()) close(fd);
    }
  }

  const sourceOf = async (fd: number): Promise<string> => (await caller.address(fd)).address;

  test.each([
    [0, 'EPERM'],
    [1, 'ECONNREFUSED'],
  ] as const)('stays when the call fails, with verdict %p', async (allowed, outcome) => {
    const opened = { op: 'socket', family: 'inet', type: 'stream', blocking: true } as const;
    const { value: fd = -1 } = await caller.call(opened);
    await binding(0, allowed, async () => {
      expect(await caller.connect(fd, CLOSED)).toBe(outcome);
    });
    const server = await caller.open('stream', { address: OTHER });
    expect(await caller.connect(fd, server.address)).toBe('ok');
    expect(await sourceOf(fd)).toBe(SOURCE);
    for (const each of [fd, server.fd]) await caller.close(each);
  });

  test('is none where a port is bound', async () => {
    const wildcard = await caller.socket('inet', 'dgram');
    await caller.bind(wildcard, { address: '0.0.0.0' });
    const sent = await caller.socket('inet', 'dgram');
    await caller.sendto(sent, CLOSED);
    const fresh = await caller.socket('inet', 'dgram');
    const sources = await binding(0, 1, async () => {
      const all: string[] = [];
      for (const fd of [wildcard, sent, fresh]) {
        expect(await caller.connect(fd, CLOSED)).toBe('ok');
        all.push(await sourceOf(fd));
        await caller.close(fd);
      }
      return all;
    });
    expect(sources).toEqual([OTHER, OTHER, SOURCE]);
  });

  test('to a port gives a listener that BIND was not asked about', async () => {
    policy.enforce('-P BIND DROP');
    const fd = await caller.socket('inet', 'stream');
    await binding(PORT, 0, async () => {
      expect(await caller.connect(fd, CLOSED)).toBe('EPERM');
    });
    expect((await caller.call({ op: 'listen', fd })).errno).toBeUndefined();
    const client = await caller.socket('inet', 'stream');
    expect(await caller.connectAndWait(client, { address: SOURCE, port: PORT })).toBe('connected');
    expect(policy.counted()).toEqual(['ACCEPT policy: 1', 'CONNECT policy: 2']);
    for (const each of [client, fd]) await caller.close(each);
  });
});
