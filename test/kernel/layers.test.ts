/** Rules that cross too much for one diagram, in force: by real calls, with counters and status. */
import type { Caller } from '../harness/caller.js';
import { describeKernel } from '../harness/kernel.js';
import { beforeCalls } from '../harness/policedcaller.js';
import { type Policy, tableOf } from '../harness/policy.js';

/** Sources alone with a port, and destinations alone with another: as one diagram some million edges. */
const ENDS = 1100;
const end = (n: number) => `127.${1 + (n >> 8)}.${n & 255}.9`;
const RULES = [
  '-A CONNECT -p udp --dport 9999',
  ...Array.from({ length: ENDS }, (_, n) => [
    `-A CONNECT -p udp -s ${end(n)} --dport ${n} -j ACCEPT`,
    `-A CONNECT -p udp -d ${end(n)} --dport ${n ^ 1} -j REJECT --reject-with EACCES`,
  ]).flat(),
  '-A CONNECT -p udp --dport 9998 -j REJECT --reject-with ENETUNREACH',
];

describeKernel('rules that cross', () => {
  let policy: Policy;
  let caller: Caller;
  beforeCalls((made) => {
    ({ policy, caller } = made);
  });

  async function connect(source: string, address: string, port: number): Promise<string> {
    const fd = await caller.socket('inet', 'dgram');
    await caller.bind(fd, { address: source, port: 0 });
    const outcome = await caller.connect(fd, { address, port });
    await caller.close(fd);
    return outcome;
  }

  test('are in layers, told by status, and the first that matches decides and counts', async () => {
    const table = tableOf(RULES.join('\n'));
    policy.enforce(table);
    expect(policy.status()?.layers).toEqual({ CONNECT: 2 });
    const [free, other] = ['127.99.0.1', '127.99.0.2'];
    const calls: readonly (readonly [
      source: string,
      address: string,
      port: number,
      was: string,
    ])[] = [
      // Rules 23 and 24: the destination's comes first; 22 and 25: the source's.
      [end(11), end(10), 11, 'EACCES'],
      [end(10), end(11), 10, 'ok'],
      [free, end(700), 701, 'EACCES'],
      [end(700), other, 700, 'ok'],
      [free, other, 9998, 'ENETUNREACH'],
      [free, other, 9999, 'ok'],
    ];
    for (const [source, address, port, was] of calls)
      expect([source, address, port, await connect(source, address, port)]).toEqual([
        source,
        address,
        port,
        was,
      ]);
    expect(policy.counted().filter((line) => line.startsWith('CONNECT'))).toEqual([
      'CONNECT 1: 1',
      'CONNECT 22: 1',
      'CONNECT 23: 1',
      'CONNECT 1402: 1',
      'CONNECT 1403: 1',
      'CONNECT 2202: 1',
      'CONNECT policy: 1',
    ]);
  });
});
