/**
 * What another release has put in force is taken over: its rules, its counts and its control groups, with no
 * call unjudged, whenever that is interrupted. The other release is these sources with another layout.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { mountBpffs } from '@sockfilter/bpf';
import { printSave } from '@sockfilter/iptables';
import { UnsupportedError } from '@sockfilter/kernel';
import { markFormat, readHeader } from '../../packages/kernel/src/generationmap.js';
import { FORMAT } from '../../packages/kernel/src/layout.js';
import { GENERATION_PIN, Pins, using } from '../../packages/kernel/src/pins.js';
import type { Caller } from '../harness/caller.js';
import { describeKernel } from '../harness/kernel.js';
import { forLength } from '../harness/length.js';
import { Policy, tableOf } from '../harness/policy.js';
import { Testbed } from '../harness/testbed.js';
import { Administrator, callsIn, endProcesses, Hammer, type Patch } from './processes/process.js';

/** Of how many steps of an upgrade one is interrupted. */
const STRIDE = forLength({ long: 1, short: 97 });

const FORMAT_LINE = `export const FORMAT = ${FORMAT};`;
const PORTS = [7001, 7002, 7003];

/** Another format: fields, entries and nodes that programs of these sources would misread. */
const OLDER: Patch = [
  [FORMAT_LINE, `export const FORMAT = ${FORMAT - 1};`],
  ['HEADER_BYTES = 256', 'HEADER_BYTES = 512'],
  ['entries: 28,', 'entries: 400,'],
  ['idSlot: 4,', 'idSlot: 440,'],
  ['ids: 16, epochs: 24,', 'ids: 24, epochs: 16,'],
  ['less: 0,', 'less: 1,'],
  ['unequal: 1,', 'unequal: 0,'],
  ['count: 2 }', 'count: 1 }'],
];
const NEWER: Patch = [[FORMAT_LINE, 'export const FORMAT = 99;']];
/** The same format and other programs. */
const REBUILT: Patch = [['MAX_STEPS = 512', 'MAX_STEPS = 520']];

describeKernel('upgrade', () => {
  let bed: Testbed;
  let policy: Policy;
  let older: Administrator;
  let caller: Caller;
  let hammer: Hammer;
  let a: string;
  let b: string;
  beforeAll(async () => {
    bed = await Testbed.create();
    policy = new Policy(bed.cgroups.path);
    older = await Administrator.startOther('older', OLDER);
    const save = (...lines: readonly string[]) => printSave(tableOf(lines.join('\n')));
    const group = (id: number) => `-G in --id ${id} --path ${bed.cgroups.childPath('in')}`;
    const refuse = (id: number, port: number, errno: string) =>
      `-A CONNECT -p udp -m cgroup --id ${id} --dport ${port} -j REJECT --reject-with ${errno}`;
    a = save(group(3), refuse(3, 7001, 'EACCES'), refuse(3, 7003, 'EHOSTUNREACH'));
    b = save(group(4), refuse(4, 7002, 'ECONNREFUSED'), refuse(4, 7003, 'ENETUNREACH'));
    caller = await bed.caller('in');
    hammer = await Hammer.start(
      bed.cgroups.child('in'),
      bed.network.path,
      PORTS.map((port) => ({ call: 'connect', address: '127.0.0.1', port })),
    );
  });
  afterAll(async () => {
    await endProcesses();
    policy?.teardown();
    await bed?.close();
  });

  const replace = (one: Administrator, text: string | undefined, dieAt?: number) =>
    one.ask({
      root: policy.root,
      do: 'replace',
      text,
      ...(dieAt === undefined ? {} : { dieAt }),
    });

  /** Calls that CONNECT has counted. */
  function counted(): number {
    return policy
      .counters()
      .filter(({ owner }) => owner.chain.name === 'CONNECT')
      .reduce((sum, { packets }) => sum + Number(packets), 0);
  }

  /** Of calls that both tables refuse, how many have come to success since the start. */
  async function unfiltered(): Promise<{ readonly calls: number; readonly passed: number }> {
    const tally = await hammer.pause();
    return { calls: callsIn(tally), passed: tally[2]?.[0] ?? 0 };
  }

  async function connect(port: number, from: Caller): Promise<string> {
    const fd = await from.socket('inet', 'dgram');
    const outcome = await from.connect(fd, { address: '127.0.0.1', port });
    await from.close(fd);
    return outcome;
  }

  test('reading shows what an older release enforces, and changes nothing', async () => {
    await replace(older, a);
    expect(await connect(7001, caller)).toBe('EACCES');
    expect(policy.use((firewall) => firewall.read()?.text)).toBe(a);
    expect(counted()).toBe(1);
    expect(policy.status()).toMatchObject({ release: 'older', format: FORMAT - 1, rules: 2 });
    expect(policy.status()?.cgroups).toBeUndefined();
    expect(await replace(older, a)).toBeGreaterThan(0);
  });

  test('a change takes over under calls: none unjudged, all counted, groups kept', async () => {
    await replace(older, a);
    const before = (await unfiltered()).calls - counted();
    await hammer.run();
    const one = await Administrator.start();
    await replace(one, b);
    const { calls, passed } = await unfiltered();
    expect([passed, calls - counted() - before]).toEqual([0, 0]);
    expect(policy.status()).toMatchObject({ release: 'own', cgroups: 2 });
    expect(policy.status()?.hooks.every((hook) => hook.attached || !hook.needed)).toBe(true);
    expect(await connect(7002, caller)).toBe('ECONNREFUSED');
    expect(await connect(7002, await bed.caller('in/below'))).toBe('ECONNREFUSED');
    await one.kill();
  });

  test('the older release leaves it alone from there on', async () => {
    const another = await Administrator.startOther('older', OLDER);
    await expect(replace(another, a)).rejects.toThrow(
      'no older release takes over from a newer one',
    );
    older = await Administrator.startOther('older', OLDER);
  });

  test('what says that an upgrade has begun loses no count', async () => {
    await replace(await Administrator.start(), a);
    const pins = Pins.of(mountBpffs(), policy.root);
    const fd = pins.open(pins.list().find((pin) => GENERATION_PIN.test(pin)) ?? '');
    if (fd === undefined) throw new Error('no generation is pinned');
    const before = (await unfiltered()).calls - counted();
    await hammer.run();
    using(fd, () => {
      for (let n = 0; n < 5000; n++) markFormat({ fd, header: readHeader(fd) });
    });
    const { calls } = await unfiltered();
    expect(calls - counted() - before).toBe(0);
  });

  test('kill -9 at steps of an upgrade: rules, counts and the way on are there', async () => {
    for (let step = 1, died = true; died; step += STRIDE) {
      await replace(older, undefined);
      await replace(older, a);
      const before = (await unfiltered()).calls - counted();
      const passed = (await unfiltered()).passed;
      await hammer.run();
      const one = await Administrator.start();
      died = (await replace(one, b, step)) === undefined;
      await one.kill();
      const seen = policy.use((firewall) => firewall.read()?.text);
      expect([step, [a, b].includes(seen ?? '')]).toEqual([step, true]);
      const middle = await unfiltered();
      expect([step, middle.passed - passed]).toEqual([step, 0]);
      expect([step, middle.calls - counted() - before]).toEqual([step, 0]);
      await hammer.run();
      // The other release has been told when it may not go on.
      const next = await Administrator.start();
      await replace(next, b);
      await next.kill();
      const end = await unfiltered();
      expect([step, end.passed - passed]).toEqual([step, 0]);
      expect([step, end.calls - counted() - before]).toEqual([step, 0]);
      expect(policy.status()).toMatchObject({ release: 'own' });
      policy.teardown();
    }
  });

  test('programs of another build are replaced, under calls', async () => {
    const other = await Administrator.startOther('rebuilt', REBUILT);
    await replace(other, a);
    const programs = () => policy.status()?.hooks.map(({ programId }) => programId) ?? [];
    const old = programs();
    const start = await unfiltered();
    const before = start.calls - counted();
    await hammer.run();
    policy.use((firewall) => {
      const table = tableOf(a);
      firewall.commit({ table, text: a, origins: [0, 1, 2, 3, 4, 5, 6] });
    });
    const end = await unfiltered();
    expect([end.passed - start.passed, end.calls - counted() - before]).toEqual([0, 0]);
    const now = programs();
    expect(now.filter((id) => id !== undefined && old.includes(id))).toEqual([]);
    policy.enforce(b);
    expect(programs()).toEqual(now);
    await other.kill();
    // Of one build, whether it has been told the digest of its programs or computes it.
    const alike = [await Administrator.start(), await Administrator.startOther('alike', [])];
    for (const one of alike) {
      await replace(one, a);
      expect(programs()).toEqual(now);
      await one.kill();
    }
  });

  test('a teardown over what an older release enforces refuses nothing that it lets pass', async () => {
    policy.teardown();
    const another = await Administrator.startOther('older', OLDER);
    await replace(another, a);
    const refused = async () => {
      const passing = (await hammer.pause())[PORTS.indexOf(7002)] ?? {};
      return callsIn([passing]) - (passing[0] ?? 0);
    };
    const before = await refused();
    const start = (await unfiltered()).passed;
    await hammer.run();
    policy.teardown();
    let passed = (await unfiltered()).passed - start;
    // On a busy machine no call need have been made yet.
    for (let n = 0; n < 1000 && passed === 0; n++) {
      await hammer.run();
      await sleep(10);
      passed = (await unfiltered()).passed - start;
    }
    expect([await refused(), passed > 0]).toEqual([before, true]);
    await another.kill();
  });

  test('what a newer release has made is refused, with the way out', async () => {
    policy.teardown();
    const newer = await Administrator.startOther('newer', NEWER);
    await replace(newer, a);
    for (const use of [policy.status, () => policy.enforce(b)].map((each) => each.bind(policy))) {
      expect(use).toThrow(UnsupportedError);
      expect(use).toThrow('format 99');
    }
    expect(await connect(7001, caller)).toBe('EACCES');
    await newer.kill();
    policy.teardown();
    expect(await connect(7001, caller)).toBe('ok');
  });
});
