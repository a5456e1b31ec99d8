/** Several administrators and several callers at once: no edit and no count is lost. */

import { printSave } from '@sockfilter/iptables';
import { Firewall, LockedError } from '@sockfilter/kernel';
import { describeKernel } from '../harness/kernel.js';
import { Policy, tableOf } from '../harness/policy.js';
import { Testbed } from '../harness/testbed.js';
import { Administrator, callsIn, endProcesses, Hammer } from './processes/process.js';

const ADMINISTRATORS = 4;
const RULES_EACH = 25;

describeKernel('administrators at once', () => {
  let bed: Testbed;
  let policy: Policy;
  beforeAll(async () => {
    bed = await Testbed.create();
    policy = new Policy(bed.cgroups.path);
  });
  afterAll(async () => {
    await endProcesses();
    policy?.teardown();
    await bed?.close();
  });

  const startAll = (count: number) =>
    Promise.all(Array.from({ length: count }, () => Administrator.start()));

  /** Calls that the chain has counted. */
  const counted = (chain: string) =>
    policy
      .counters()
      .filter(({ owner }) => owner.chain.name === chain)
      .reduce((sum, { packets }) => sum + Number(packets), 0);

  test('no rule and no call is lost', async () => {
    policy.enforce('-A CONNECT -p udp --dport 7001 -j DROP');
    const hammers = await Promise.all(
      ['one', 'two', 'three'].map((name) =>
        Hammer.start(bed.cgroups.child(name), bed.network.path, [
          { call: 'connect', address: '127.0.0.1', port: 7001 },
          { call: 'connect', address: '127.0.0.1', port: 7002 },
          { call: 'bind', address: '127.0.0.1', port: 0 },
          { call: 'sendto', address: '127.0.0.1', port: 7003 },
        ]),
      ),
    );
    const administrators = await startAll(ADMINISTRATORS);
    await Promise.all(hammers.map((hammer) => hammer.run()));
    await Promise.all(
      administrators.map((one, n) =>
        one.ask({ root: policy.root, do: 'append', times: RULES_EACH, port: 10_000 + 100 * n }),
      ),
    );
    const tallies = await Promise.all(hammers.map((hammer) => hammer.pause()));
    const text = policy.use((firewall) => firewall.read()?.text ?? '');
    const ports = [...text.matchAll(/--dport (\d+)/g)].map(([, port]) => Number(port));
    const expected = administrators.flatMap((_, n) =>
      Array.from({ length: RULES_EACH }, (__, rule) => 10_000 + 100 * n + rule),
    );
    expect(ports.toSorted((a, b) => a - b)).toEqual([7001, ...expected]);
    expect(policy.status()?.rules).toBe(ports.length);
    const made = (from: number, to: number) =>
      tallies.reduce((sum, tally) => sum + callsIn(tally.slice(from, to)), 0);
    expect([counted('CONNECT'), counted('BIND'), counted('SENDTO')]).toEqual([
      made(0, 2),
      made(2, 3),
      made(3, 4),
    ]);
  });

  test('first commits and teardowns of other roots at the same time', async () => {
    const administrators = await startAll(3);
    const text = printSave(tableOf('-P BIND DROP'));
    const done = await Promise.all(
      administrators.map((one, n) => {
        bed.cgroups.child(`root${n}`);
        return one.ask({ root: bed.cgroups.childPath(`root${n}`), do: 'cycle', text, times: 2 });
      }),
    );
    expect(done).toEqual([2, 2, 2]);
  });

  test('a lock that is held', () => {
    const open = (wait: number) =>
      Firewall.open({ root: policy.root, wait, parse: tableOf }).close();
    policy.use(() => {
      expect(() => open(0)).toThrow(LockedError);
      const begin = performance.now();
      expect(() => open(0.2)).toThrow(LockedError);
      expect(performance.now() - begin).toBeGreaterThan(190);
    });
    open(0);
  });
});
