/**
 * kill -9 at every step and at random moments: the old table or the new one is in force, the next
 * command works, and no count is lost.
 */
import { readdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { printSave } from '@sockfilter/iptables';
import { seeded } from '../arbitrary/random.js';
import type { Caller } from '../harness/caller.js';
import { leastHits } from '../harness/chance.js';
import { describeKernel } from '../harness/kernel.js';
import { forLength } from '../harness/length.js';
import { Policy, tableOf } from '../harness/policy.js';
import { runSeed } from '../harness/runseed.js';
import { Testbed } from '../harness/testbed.js';
import type { AdministratorQuestion } from './processes/messages.js';
import { Administrator, callsIn, endProcesses, Hammer } from './processes/process.js';

const RANDOM_KILLS = forLength({ long: 120, short: 10 });
/** Of how many steps of a commit one is interrupted, times what the test says. */
const STRIDE = forLength({ long: 1, short: 8 });
/** The same of trials, which have fewer tries. */
const TRIAL_STRIDE = forLength({ long: 1, short: 3 });
/** A loop of commits is killed at the latest after the time of so many. */
const RANDOM_COMMITS = 6;
const TRIAL_SECONDS = 3600;
/** The number of no step. */
const NEVER = 0;
const PORTS = [7001, 7002, 7003];
const ALL_PASS = ['ok', 'ok', 'ok'];

describeKernel('kill -9', () => {
  const random = seeded(runSeed);
  let bed: Testbed;
  let policy: Policy;
  /** It never dies. */
  let steady: Administrator;
  let spare: Promise<Administrator>;
  let caller: Caller;
  let hammer: Hammer;
  let socket: number;
  /** Two tables, and what calls to PORTS come to under each. `c` has work for the ingress hook. */
  let a: string;
  let b: string;
  let c: string;
  let outcomes: ReadonlyMap<string | undefined, readonly string[]>;
  /** Calls of `caller`. */
  let probes = 0;

  beforeAll(async () => {
    bed = await Testbed.create();
    policy = new Policy(bed.cgroups.path);
    steady = await Administrator.start();
    spare = Administrator.start();
    const save = (...lines: readonly string[]) => printSave(tableOf(lines.join('\n')));
    const group = (id: number) => `-G in --id ${id} --path ${bed.cgroups.childPath('in')}`;
    const refuse = (id: number, port: number, errno: string) =>
      `-A CONNECT -p udp -m cgroup --id ${id} --dport ${port} -j REJECT --reject-with ${errno}`;
    const setOf = (port: number) => ['create ports port', `add ports ${port}`];
    const refuseSet = (id: number, errno: string) =>
      `-A CONNECT -p udp -m cgroup --id ${id} -m set --match-set ports dst -j REJECT --reject-with ${errno}`;
    a = save(...setOf(7001), group(3), refuseSet(3, 'EACCES'), refuse(3, 7003, 'EHOSTUNREACH'));
    b = save(
      ...setOf(7002),
      group(4),
      refuseSet(4, 'ECONNREFUSED'),
      refuse(4, 7003, 'ENETUNREACH'),
    );
    c = save(group(3), refuse(3, 7001, 'EPERM'), refuse(3, 7003, 'EPERM'), '-A RECVFROM -j DROP');
    outcomes = new Map([
      [undefined, ALL_PASS],
      [a, ['EACCES', 'ok', 'EHOSTUNREACH']],
      [b, ['ok', 'ECONNREFUSED', 'ENETUNREACH']],
      [c, ['EPERM', 'ok', 'EPERM']],
    ]);
    caller = await bed.caller('in');
    socket = await caller.socket('inet', 'dgram');
    hammer = await Hammer.start(
      bed.cgroups.child('in'),
      bed.network.path,
      PORTS.map((port) => ({ call: 'connect', address: '127.0.0.1', port })),
    );
  });
  afterAll(async () => {
    await spare;
    await endProcesses();
    policy?.teardown();
    await bed?.close();
  });

  /** A process that has started already; the next one starts while this one works. */
  function administrator(): Promise<Administrator> {
    const ready = spare;
    spare = Administrator.start();
    return ready;
  }

  /** Puts a table in force, or nothing. */
  async function replace(text: string | undefined): Promise<void> {
    await steady.ask({ root: policy.root, do: 'replace', text });
  }

  /** The same in a process that dies at the step; false if it has come to its end before. */
  function dieReplacing(text: string | undefined, dieAt: number): Promise<boolean> {
    return dieOf((root) => ({ root, do: 'replace', text, dieAt }));
  }

  async function dieOf(question: (root: string) => AdministratorQuestion): Promise<boolean> {
    const one = await administrator();
    const steps = await one.ask(question(policy.root));
    await one.kill();
    return steps === undefined;
  }

  const inForce = () => policy.use((firewall) => firewall.read()?.text);

  async function probe(): Promise<readonly string[]> {
    const results: string[] = [];
    for (const port of PORTS) {
      results.push(await caller.connect(socket, { address: '127.0.0.1', port }));
      probes += 1;
    }
    return results;
  }

  /** Calls that CONNECT has counted. */
  function counted(): number {
    return policy
      .counters()
      .filter(({ owner }) => owner.chain.name === 'CONNECT')
      .reduce((sum, { packets }) => sum + Number(packets), 0);
  }

  /** What is wrong with the state that a command has left behind, in words. */
  async function faults(allowed: readonly (string | undefined)[]): Promise<readonly string[]> {
    const wrong: string[] = [];
    const text = policy.use((firewall) => firewall.read()?.text);
    if (!allowed.includes(text)) wrong.push(`this is in force: ${text}`);
    const results = await probe();
    if (results.join() !== outcomes.get(text)?.join()) wrong.push(`calls come to ${results}`);
    const folders = readdirSync(bed.cgroups.root, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name);
    if (folders.join() !== 'in') wrong.push(`control groups: ${folders}`);
    const status = policy.status();
    if (text === undefined && status !== undefined) wrong.push(`pins are left: ${status.pins}`);
    const detached = status?.hooks.filter((hook) => hook.needed && !hook.attached) ?? [];
    if (detached.length > 0) wrong.push(`detached: ${detached.map(({ name }) => name)}`);
    return wrong;
  }

  /** One of the first steps, so that many runs come to all. */
  const firstStep = (stride: number) => 1 + random.below(stride);

  /** Under calls, kills the replacement of one table by the other at some of its steps; how many. */
  async function killAtSteps(from: string, to: string, stride: number): Promise<number> {
    await replace(from);
    const lost = callsIn(await hammer.pause()) + probes - counted();
    for (let step = firstStep(stride), kills = 0; ; step += stride, kills++) {
      await hammer.run();
      const died = await dieReplacing(to, step);
      const calls = callsIn(await hammer.pause());
      const wrong = [...(await faults(died ? [from, to] : [to]))];
      const missing = calls + probes - counted() - lost;
      if (missing !== 0) wrong.push(`${missing} calls are not counted`);
      if (wrong.length > 0)
        throw new Error(`seed ${runSeed}, after step ${step}: ${wrong.join('; ')}`);
      if (!died) return kills;
      // Through `to`, so that what is left of the command that died saves the next one no step.
      await replace(to);
      await replace(from);
    }
  }

  const isOnTrial = () => policy.use((firewall) => firewall.trial !== undefined);

  /** `b` on trial, in a process that dies at the step. */
  const dieTrying = (dieAt: number) =>
    dieOf((root) => ({ root, do: 'replace', text: b, confirmWithin: TRIAL_SECONDS, dieAt }));

  /**
   * Under calls, kills a step in the life of a trial of `b` over `a`. What stays is one of the tables, all
   * calls that both refuse are refused, and the trial, if it is one, can be ended either way.
   */
  async function killTrialAtSteps(work: 'begin' | 'confirm' | 'abort', stride: number) {
    await replace(a);
    // Never behind the last step: each of these takes ten.
    for (let step = firstStep(Math.min(stride, 10)), turn = 0; ; step += stride, turn += 1) {
      if (work !== 'begin') await dieTrying(NEVER);
      const passes = (await hammer.pause())[2]?.[0] ?? 0;
      const lost = callsIn(await hammer.pause()) + probes - counted();
      await hammer.run();
      const died = await (work === 'begin'
        ? dieTrying(step)
        : dieOf((root) => ({ root, do: work, dieAt: step })));
      const tally = await hammer.pause();
      const after = { begin: b, confirm: b, abort: a }[work];
      const wrong = [...(await faults(died ? [a, b] : [after]))];
      // What was counted on trial goes with it.
      const missing = callsIn(tally) + probes - counted() - lost;
      if (work !== 'abort' && missing !== 0) wrong.push(`${missing} calls are not counted`);
      if (work === 'confirm' && inForce() !== b) wrong.push('it is undone');
      if (work !== 'confirm' && isOnTrial() !== (inForce() === b)) wrong.push('the trial is lost');
      if (isOnTrial()) {
        const how = turn % 2 === 0 ? 'confirm' : 'abort';
        await steady.ask({ root: policy.root, do: how });
        wrong.push(...(await faults([how === 'confirm' ? b : a])));
      }
      if (isOnTrial()) wrong.push('the trial does not end');
      await replace(a);
      wrong.push(...(await faults([a])));
      const passed = tally[2]?.[0] ?? 0;
      if (passed > passes) wrong.push(`${passed - passes} calls pass that both refuse`);
      if (wrong.length > 0)
        throw new Error(`seed ${runSeed}, ${work}, after step ${step}: ${wrong.join('; ')}`);
      if (!died) return turn;
    }
  }

  test.each([
    ['begin', 17 * TRIAL_STRIDE, 1],
    ['confirm', 13 * TRIAL_STRIDE, 1],
    ['abort', 3 * TRIAL_STRIDE, 1],
  ] as const)('at steps of a trial: %s', async (work, stride, least) => {
    expect(await killTrialAtSteps(work, stride)).toBeGreaterThanOrEqual(least);
  });

  test('at every step of a commit that changes groups', async () => {
    expect(await killAtSteps(a, b, STRIDE)).toBeGreaterThan(50 / STRIDE - 1);
  });

  test('at steps of a commit that attaches a hook', async () => {
    expect(await killAtSteps(b, c, 4 * STRIDE)).toBeGreaterThan(15 / STRIDE - 1);
  });

  test('at steps of a commit that detaches a hook', async () => {
    expect(await killAtSteps(c, a, 10 * STRIDE)).toBeGreaterThan(4 / STRIDE - 1);
  });

  /** Milliseconds that a process just started takes to go to `b` and back, on this machine as it is now. */
  async function timeTwoCommits(): Promise<number> {
    const one = await administrator();
    const begin = performance.now();
    for (const text of [b, a]) await one.ask({ root: policy.root, do: 'replace', text });
    const time = performance.now() - begin;
    await one.kill();
    return time;
  }

  test(`${RANDOM_KILLS} times at random moments of commits`, async () => {
    await replace(a);
    const lost = callsIn(await hammer.pause()) + probes - counted();
    const most = (RANDOM_COMMITS / 2) * (await timeTwoCommits());
    const wrong: string[] = [];
    const seen = new Map<string | undefined, number>();
    for (let kill = 0; kill < RANDOM_KILLS; kill++) {
      const one = await administrator();
      await hammer.run();
      one.tell({ root: policy.root, do: 'loop', texts: kill % 2 === 0 ? [a, b] : [b, a] });
      await sleep(random.below(Math.ceil(most)));
      await one.kill();
      const calls = callsIn(await hammer.pause());
      wrong.push(...(await faults([a, b])));
      const missing = calls + probes - counted() - lost;
      if (missing !== 0) wrong.push(`${missing} calls are not counted`);
      const text = policy.use((firewall) => firewall.read()?.text);
      seen.set(text, (seen.get(text) ?? 0) + 1);
    }
    expect(wrong).toEqual([]);
    const [one = 0, other = 0] = seen.values();
    expect(Math.min(one, other)).toBeGreaterThanOrEqual(leastHits(RANDOM_KILLS, 0.25));
  });

  test('at steps of the first commit', async () => {
    await replace(undefined);
    let step = firstStep(4 * STRIDE);
    for (let died = true; died; step += 4 * STRIDE) {
      died = await dieReplacing(a, step);
      expect([step, ...(await faults(died ? [undefined, a] : [a]))]).toEqual([step]);
      if (died && policy.use((firewall) => firewall.read()) !== undefined) await replace(undefined);
    }
    expect(step).toBeGreaterThan(100);
  });

  test('at steps of a teardown', async () => {
    const stride = forLength({ long: 3, short: 7 });
    let step = firstStep(stride);
    for (let died = true; died; step += stride) {
      await replace(a);
      expect([step, ...(await faults([a]))]).toEqual([step]);
      died = await dieReplacing(undefined, step);
      // Of every second one the next command finds the remains as they are.
      if (!died || step % 2 === 0)
        expect([step, ...(await faults(died ? [a, undefined] : [undefined]))]).toEqual([step]);
    }
    expect(step).toBeGreaterThan(20);
  });
});
