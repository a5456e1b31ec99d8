/** A commit that is killed for want of memory, wherever that meets it: the old table is in force, or the new one. */
import { printSave } from '@sockfilter/iptables';
import { kernelMissing, kernelTitle } from '../harness/kernel.js';
import { forLength } from '../harness/length.js';
import { MemoryGroup, memoryMissing } from '../harness/memorygroup.js';
import { describeNeeding } from '../harness/needing.js';
import { Policy, tableOf } from '../harness/policy.js';
import { Testbed } from '../harness/testbed.js';
import { Administrator, callsIn, endProcesses, Hammer } from './processes/process.js';

const MEGABYTE = 2 ** 20;
/** From a bound that no commit keeps to one that each does. */
const LEAST = 8 * MEGABYTE;
const FACTOR = forLength({ long: 12, short: 24 }) / 10;
const RULES = 4000;
const REFUSED = { call: 'connect', address: '127.0.0.1', port: 7001 } as const;

describeNeeding(kernelMissing() ?? memoryMissing(), kernelTitle('want of memory'), () => {
  let bed: Testbed;
  let policy: Policy;
  let memory: MemoryGroup;
  let hammer: Hammer;
  beforeAll(async () => {
    bed = await Testbed.create();
    policy = new Policy(bed.cgroups.path);
    memory = new MemoryGroup('commit');
    hammer = await Hammer.start(bed.cgroups.child('in'), bed.network.path, [REFUSED]);
  });
  afterAll(async () => {
    await endProcesses();
    await memory?.remove();
    policy?.teardown();
    await bed?.close();
  });

  test('kills at any point of a commit: no call is unjudged, none is uncounted, the next commit works', async () => {
    const small = printSave(policy.enforce('-A CONNECT -p udp --dport 7001 -j DROP'));
    const more = Array.from(
      { length: RULES },
      (_, n) => `-A CONNECT -d 10.${n >> 8}.${n & 255}.1 -p udp --dport ${n + 1} -j DROP`,
    );
    const big = printSave(tableOf(['-A CONNECT -p udp --dport 7001 -j DROP', ...more].join('\n')));
    const steady = await Administrator.start();
    const inForce = () => policy.use((firewall) => firewall.read()?.text);
    const counted = () => policy.counters().reduce((sum, { packets }) => sum + Number(packets), 0);
    let died = 0;
    for (let bytes = LEAST; ; bytes = Math.round(bytes * FACTOR)) {
      const one = await Administrator.start();
      memory.bytes = bytes;
      memory.enter(one.pid);
      const kills = memory.kills;
      await hammer.run();
      const steps = await one.ask({ root: policy.root, do: 'replace', text: big });
      await one.kill();
      const tally = await hammer.pause();
      expect(steps === undefined ? memory.kills - kills : 1).toBe(1);
      expect([small, big]).toContain(inForce());
      expect(tally[0]?.[0]).toBeUndefined();
      expect(counted()).toBe(callsIn(tally));
      expect(policy.status()?.hooks.filter(({ needed, attached }) => needed && !attached)).toEqual(
        [],
      );
      if (steps !== undefined) break;
      died += 1;
      await steady.ask({ root: policy.root, do: 'replace', text: small });
    }
    expect(inForce()).toBe(big);
    expect(died).toBeGreaterThan(0);
  });
});
