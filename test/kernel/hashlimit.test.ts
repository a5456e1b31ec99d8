/** Buckets of `-m hashlimit`: who shares one, what a full table of them does, and that a tenant fills no other's. */
import { KEY_FIELDS, type KeyField, type Packet } from '@sockfilter/table';
import { compileTable } from '../../packages/kernel/src/generation.js';
import { PACKET } from '../arbitrary/ordinary.js';
import type { Caller } from '../harness/caller.js';
import { describeKernel } from '../harness/kernel.js';
import { Policy, tableOf } from '../harness/policy.js';
import { Testbed } from '../harness/testbed.js';
import { JitWalk } from './jitwalk.js';

const START = 10n ** 12n;
const SECOND = 10n ** 9n;

/** All that can be asked for is 0. */
const NOBODY: Packet = { ...PACKET, chain: 'CONNECT', destinationPort: 0 };

const rules = (options: string) =>
  tableOf(`-A CONNECT -m hashlimit ${options} --hashlimit-name x -j ACCEPT\n-P CONNECT DROP`);

describeKernel('buckets in the JIT', () => {
  let jit: JitWalk;
  beforeAll(() => {
    jit = new JitWalk();
  });
  afterAll(() => jit?.close());

  const call = (packet: Partial<Packet>, uptime = START) =>
    jit.run({ ...NOBODY, ...packet }, { uptime }).errno;
  const to = (destination: bigint, more: Partial<Packet> = {}, uptime = START) =>
    call({ destination, ...more }, uptime);

  test('calls that agree in what is asked for share one', () => {
    jit.enforce(
      compileTable(
        rules(
          '--hashlimit-upto 1/min --hashlimit-burst 1 --hashlimit-mode dstip --hashlimit-dstmask 24',
        ),
      ),
    );
    expect([to(0x0a00_0001n), to(0x0a00_00ffn), to(0x0a00_0101n)]).toEqual([0, 1, 0]);
    const [near, far] = [0x2001_0db8n << 96n, 0x2001_0dc8n << 96n];
    const six = { family: 6 } as const;
    expect([to(near, six), to(far, six), to(1n, six), to(near, six)]).toEqual([0, 1, 0, 1]);
    expect(to(0x0a00_0001n, {}, START + 60n * SECOND)).toBe(0);
  });

  const OTHER: Readonly<Record<KeyField, Partial<Packet>>> = {
    srcip: { source: 0x0a00_0109n },
    srcport: { sourcePort: 7 },
    dstip: { destination: 0x0a00_0209n },
    dstport: { destinationPort: 7 },
    group: { group: 70_007 },
  };

  test.each(KEY_FIELDS)('%s alone is asked for', (field) => {
    const masks = '--hashlimit-srcmask 25 --hashlimit-dstmask 26';
    const rate = '--hashlimit-upto 1/min --hashlimit-burst 1';
    jit.enforce(compileTable(rules(`${rate} ${masks} --hashlimit-mode ${field}`)));
    expect(call({})).toBe(0);
    for (const [each, other] of Object.entries(OTHER))
      expect([each, call(other), call(other)]).toEqual([each, each === field ? 0 : 1, 1]);
    // Beyond the mask nothing counts.
    expect(call({ source: 127n, destination: 63n })).toBe(1);
    expect(call({ source: 128n, destination: 64n })).toBe(/ip$/.test(field) ? 0 : 1);
  });

  test('where there is no place for another one, the call is above the rate', () => {
    const room = '--hashlimit-htable-max 1 --hashlimit-mode dstip';
    const rate = '1/min --hashlimit-burst 2';
    jit.enforce(compileTable(rules(`--hashlimit-upto ${rate} ${room}`)));
    const said = Array.from({ length: 40 }, (_, n) => to(BigInt(n + 1)));
    expect(said.filter((errno) => errno === 0)).toHaveLength(16);
    // Those that have one keep it, and its tokens; when they are full again, others find a place.
    expect([to(1n), to(1n), to(40n)]).toEqual([0, 1, 1]);
    expect(to(40n, {}, START + 60n * SECOND)).toBe(0);
    jit.enforce(
      compileTable(
        tableOf(
          `-A CONNECT -m hashlimit --hashlimit-above ${rate} ${room} --hashlimit-name x -j DROP`,
        ),
      ),
    );
    const above = Array.from({ length: 40 }, (_, n) => to(BigInt(n + 1)));
    expect(above.filter((errno) => errno === 1)).toHaveLength(24);
  });

  test('a group that fills its own leaves those of others alone', () => {
    const rate = '--hashlimit-upto 1/min --hashlimit-burst 1 --hashlimit-htable-max 8';
    jit.enforce(compileTable(rules(`${rate} --hashlimit-mode dstip,group`)));
    for (let n = 1n; n <= 40n; n++) to(n, { group: 1 });
    expect(to(41n, { group: 1 })).toBe(1);
    expect([to(41n, { group: 2 }), to(41n, { group: 2 })]).toEqual([0, 1]);
  });

  test('behind DNAT the new destination is looked at', () => {
    const rate = '--hashlimit-upto 1/min --hashlimit-burst 1 --hashlimit-mode dstip';
    const table = rules(rate);
    const led = tableOf(
      `-A CONNECT -d 10.0.0.1 -p tcp -j DNAT --to-destination 10.0.0.9
       -A CONNECT -m hashlimit ${rate} --hashlimit-name x -j ACCEPT
       -P CONNECT DROP`,
    );
    for (const [each, last] of [[table, 0] as const, [led, 1] as const]) {
      jit.enforce(compileTable(each));
      expect([to(0x0a00_0001n), to(0x0a00_0009n)]).toEqual([0, last]);
    }
  });

  test('of an address nothing may count, of either half', () => {
    const six = { family: 6 } as const;
    const said = (bits: number, addresses: readonly bigint[]) => {
      const rate = '--hashlimit-upto 1/min --hashlimit-burst 1 --hashlimit-mode dstip';
      jit.enforce(compileTable(rules(`${rate} --hashlimit-dstmask ${bits}`)));
      return addresses.map((address) => to(address, six));
    };
    const top = 1n << 127n;
    expect(said(0, [1n, top, top | (1n << 64n)])).toEqual([0, 1, 1]);
    expect(said(1, [1n, top, top | (1n << 64n)])).toEqual([0, 0, 1]);
    expect(said(64, [1n, 1n << 63n, 1n << 64n])).toEqual([0, 1, 0]);
    expect(said(65, [1n, 1n << 63n, 1n << 62n])).toEqual([0, 0, 1]);
  });

  test('a control group without an entry is refused where its group is asked for', () => {
    const unknown = (mode: string) => {
      const rate = '--hashlimit-upto 1/min --hashlimit-name x';
      const rule = `-A CONNECT -m hashlimit ${rate} --hashlimit-mode ${mode} -j ACCEPT`;
      jit.enforce(compileTable(tableOf(rule)));
      return jit.run(NOBODY, { uptime: START, cgroup: 5n }).errno;
    };
    expect([unknown('dstip'), unknown('dstip,group')]).toEqual([0, undefined]);
  });

  test('stay with their rule, and go with it', () => {
    const table = rules(
      '--hashlimit-upto 1/min --hashlimit-burst 1 --hashlimit-mode dstip --hashlimit-htable-max 8',
    );
    jit.enforce(compileTable(table));
    expect([to(1n), to(1n)]).toEqual([0, 1]);
    jit.enforce(compileTable(table), [0]);
    expect(to(1n)).toBe(1);
    jit.enforce(compileTable(tableOf('-P CONNECT DROP')));
    jit.enforce(compileTable(tableOf('-P CONNECT DROP')));
    jit.enforce(compileTable(table));
    expect([to(1n), to(1n)]).toEqual([0, 1]);
  });
});

test('tests whose buckets one group could fill all entries with are refused', () => {
  const rule = '-A CONNECT -m hashlimit --hashlimit-upto 1/s --hashlimit-name x';
  const many = (count: number) =>
    tableOf(Array.from({ length: count }, () => `${rule} --hashlimit-htable-max 32768`).join('\n'));
  expect(() => compileTable(many(4))).not.toThrow();
  expect(() => compileTable(many(5))).toThrow('entries of buckets: 20480 are needed');
});

describeKernel('hashlimit in the kernel', () => {
  let bed: Testbed;
  let policy: Policy;
  let guest: Caller;
  beforeAll(async () => {
    bed = await Testbed.create();
    bed.cgroups.child('policed');
    policy = new Policy(bed.cgroups.childPath('policed'));
    guest = await bed.caller('policed/guest');
  });
  afterAll(async () => {
    policy?.teardown();
    await bed?.close();
  });

  test('each port has calls of its own', async () => {
    policy.enforce(
      [
        '-A SENDTO -p udp -m hashlimit --hashlimit-upto 1/day --hashlimit-burst 2 --hashlimit-mode dstport --hashlimit-name x -j ACCEPT',
        '-P SENDTO DROP',
      ].join('\n'),
    );
    const fd = await guest.socket('inet', 'dgram');
    const said: string[] = [];
    for (const port of [5301, 5301, 5301, 5302])
      said.push(await guest.sendto(fd, { address: '127.0.0.1', port }));
    await guest.close(fd);
    expect(said).toEqual(['ok', 'ok', 'EPERM', 'ok']);
  });
});
