/** Which network_id a call has: of its task's control group, from that one's first instant. */
import { existsSync, mkdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import type { Caller } from '../harness/caller.js';
import { describeKernel } from '../harness/kernel.js';
import { Policy } from '../harness/policy.js';
import { Testbed } from '../harness/testbed.js';
import type { Outcomes } from './processes/messages.js';
import { endProcesses, Settler } from './processes/process.js';

const V1 = '/sys/fs/cgroup/pids';
const { EACCES, ECONNREFUSED } = constants.errno;

/** Each id is refused with an errno of its own. */
const BY_ID = `-A CONNECT -m cgroup --id 0 -j REJECT --reject-with EHOSTUNREACH
  -A CONNECT -m cgroup --id 3 -j REJECT --reject-with EACCES
  -A CONNECT -m cgroup --id 4 -j REJECT --reject-with ECONNREFUSED`;
/** Longer than any call takes. */
const LONG = { depth: 20, name: 'n'.repeat(250) };
/** How long a slow machine works, at most, on what others do more of. */
const ENOUGH_MS = 20_000;
const ID: Readonly<Record<string, number>> = { EHOSTUNREACH: 0, EACCES: 3, ECONNREFUSED: 4 };

describeKernel('groups', () => {
  let bed: Testbed;
  /** Polices `policed`, a child of the testbed's tree. */
  let policy: Policy;
  let settler: Settler;
  beforeAll(async () => {
    bed = await Testbed.create();
    bed.cgroups.child('policed');
    policy = new Policy(bed.cgroups.childPath('policed'));
    settler = await Settler.start(bed.cgroups.child('policed/home'), bed.network.path);
  });
  afterAll(async () => {
    await endProcesses();
    policy?.teardown();
    await bed?.close();
  });

  const group = (name: string, id: number, path = `policed/${name}`) =>
    `-G ${name} --id ${id} --path ${bed.cgroups.childPath(path)}\n`;

  /** The id that the caller's calls have, or what else they come to. */
  async function idOf(caller: Caller): Promise<number | string> {
    const fd = await caller.socket('inet', 'dgram');
    const outcome = await caller.connect(fd, { address: '127.0.0.1', port: 7001 });
    await caller.close(fd);
    return ID[outcome] ?? outcome;
  }

  test('inherited from the nearest ancestor; from the next when a group is deleted', async () => {
    const callers = await Promise.all(
      ['policed/other', 'policed/web', 'policed/web/a/b', 'policed/web/inner/a'].map((name) =>
        bed.caller(name),
      ),
    );
    const ids = () => Promise.all(callers.map(idOf));
    // The rules name ids before there is a group.
    policy.enforce(BY_ID);
    expect(await ids()).toEqual([0, 0, 0, 0]);
    policy.enforce(group('web', 3) + group('inner', 4, 'policed/web/inner') + BY_ID);
    expect(await ids()).toEqual([0, 3, 3, 4]);
    policy.enforce(group('web', 4) + group('inner', 3, 'policed/web/inner') + BY_ID);
    expect(await ids()).toEqual([0, 4, 4, 3]);
    policy.enforce(group('web', 3) + BY_ID);
    expect(await ids()).toEqual([0, 3, 3, 3]);
    policy.enforce(group('all', 4, '') + group('web', 3) + BY_ID);
    expect(await ids()).toEqual([4, 3, 3, 3]);
    policy.enforce(BY_ID);
    expect(await ids()).toEqual([0, 0, 0, 0]);
  });

  test('a rule with a path holds for all below it, groups of their own too', async () => {
    const path = bed.cgroups.childPath('policed/web');
    policy.enforce(`${group('web', 3)}${group('inner', 4, 'policed/web/inner')}
      -A CONNECT -m cgroup --path ${path} -j REJECT --reject-with EACCES`);
    const callers = await Promise.all(
      ['policed/web/inner/a', 'policed/web', 'policed/webber'].map((name) => bed.caller(name)),
    );
    expect(await Promise.all(callers.map(idOf))).toEqual([3, 3, 'ok']);
  });

  test('made again 200 times, a registered path has its id at once', async () => {
    policy.enforce(group('again', 3) + BY_ID);
    const folder = join(bed.cgroups.root, 'policed/again');
    expect(await settler.ask({ do: 'churn', folder, times: 200 })).toEqual({ [EACCES]: 400 });
  });

  /**
   * Has a process do a piece of work over and over while groups change, and gives what the pieces came to. There are
   * so many pieces, or as many as a slow machine does in the time, and so many commits at least.
   */
  async function whileGroupsChange(
    commit: (number: number) => void,
    work: () => Promise<Outcomes>,
    least: { readonly pieces: number; readonly commits: number },
  ): Promise<readonly Outcomes[]> {
    let commits = 0;
    let over = false;
    const until = Date.now() + ENOUGH_MS;
    const isEnough = (pieces: number) =>
      commits >= least.commits && (pieces >= least.pieces || Date.now() > until);
    const pieces: Outcomes[] = [];
    const keepAtIt = async () => {
      while (!isEnough(pieces.length)) pieces.push(await work());
    };
    // One piece waits while another is at work, so that no commit finds the process idle.
    const working = Promise.all([keepAtIt(), keepAtIt()]).finally(() => {
      over = true;
    });
    while (!over) {
      commit(commits++);
      await new Promise(setImmediate);
    }
    await working;
    return pieces;
  }

  test('control groups that are made while groups change have one id or the other', async () => {
    const folder = bed.cgroups.child('policed/growing');
    const use = (id: 3 | 4) =>
      policy.enforce(
        group('growing', id) + group('churned', 7 - id, 'policed/growing/churned') + BY_ID,
      );
    use(3);
    const other = await Settler.start(bed.cgroups.child('policed/home'), bed.network.path);
    const grown = other.ask({ do: 'grow', folder, count: 600 });
    const outcomes = await whileGroupsChange(
      (number) => use(number % 2 === 0 ? 4 : 3),
      () => settler.ask({ do: 'churn', folder: join(folder, 'churned'), times: 100 }),
      { pieces: 30, commits: 6 },
    );
    await grown;
    const met = new Set(outcomes.flatMap((each) => Object.keys(each)).map(Number));
    expect(met).toEqual(new Set([EACCES, ECONNREFUSED]));
    use(4);
    expect(await settler.ask({ do: 'visit', folder })).toEqual({ [ECONNREFUSED]: 601 });
    use(3);
    expect(await settler.ask({ do: 'visit', folder })).toEqual({ [EACCES]: 601 });
  });

  test('a process that moves while groups change has the rules of where it is, each time', async () => {
    const folders = ['policed/one', 'policed/two'].map((name) => bed.cgroups.child(name));
    const use = (one: number, two: number) =>
      policy.enforce(`${group('one', one)}${group('two', two)}
        -A CONNECT -m cgroup --id ${one} -j REJECT --reject-with EACCES
        -A CONNECT -m cgroup --id ${two} -j REJECT --reject-with ECONNREFUSED`);
    use(3, 4);
    const outcomes = await whileGroupsChange(
      // Each id goes from one group to the other.
      (number) => (number % 2 === 0 ? use(4, 3) : use(3, 4)),
      () => settler.ask({ do: 'shuttle', folders, times: 50 }),
      { pieces: 20, commits: 4 },
    );
    for (const met of outcomes) expect(met).toEqual({ [EACCES]: 50, [ECONNREFUSED]: 50 });
  });

  test('any name and any depth', async () => {
    policy.enforce(group('deep', 3) + BY_ID);
    const folder = bed.cgroups.child('policed/deep');
    const odd = Buffer.concat([Buffer.from(`${folder}/`), Buffer.from([0xff])]);
    mkdirSync(odd);
    const caller = await bed.caller('policed/deep');
    writeFileSync(Buffer.concat([odd, Buffer.from('/cgroup.procs')]), String(caller.pid));
    expect(await settler.ask({ do: 'dive', folder, ...LONG })).toEqual({ [EACCES]: 1 });
    policy.enforce(group('deep', 4) + BY_ID);
    expect(await settler.ask({ do: 'call' })).toEqual({ [ECONNREFUSED]: 1 });
    expect(await idOf(caller)).toBe(4);
    await settler.ask({ do: 'surface' });
    await caller.stop();
    rmdirSync(odd);
  });

  test('without an entry, chains that ask for the id refuse, others do not', async () => {
    policy.enforce(BY_ID);
    const caller = await bed.caller('policed/leaver');
    const fd = await caller.socket('inet', 'dgram');
    const fd2 = await caller.socket('inet', 'dgram');
    await caller.call({ op: 'moveTo', cgroup: bed.cgroups.child('outside') });
    expect(await caller.connect(fd, { address: '127.0.0.1', port: 7001 })).toBe('EPERM');
    expect(await caller.bind(fd, { address: '127.0.0.1', port: 0 })).toBe('ok');
    policy.enforce('-A CONNECT -p udp --dport 7002 -j DROP');
    expect(await caller.connect(fd2, { address: '127.0.0.1', port: 7001 })).toBe('ok');
    expect(await caller.connect(fd2, { address: '127.0.0.1', port: 7002 })).toBe('EPERM');
  });

  test('a listener keeps the group that it was made in', async () => {
    policy.enforce(`${group('srv', 3)}${group('elsewhere', 4)}
      -A ACCEPT -m cgroup --id 3 -j DROP`);
    const server = await bed.caller('policed/srv');
    const made = await server.open('stream', { address: '10.9.9.1', port: 7001 });
    await server.call({ op: 'moveTo', cgroup: bed.cgroups.child('policed/elsewhere') });
    const later = await server.open('stream', { address: '10.9.9.1', port: 7002 });
    const client = await bed.caller('policed/other');
    const reach = async (port: number) => {
      const fd = await client.socket('inet', 'stream');
      return client.connectAndWait(fd, { address: '10.9.9.1', port });
    };
    expect(await reach(made.address.port ?? 0)).toBe('timeout');
    expect(await reach(later.address.port ?? 0)).toBe('connected');
  });

  test('control groups of version 1 change nothing', async () => {
    if (!existsSync(`${V1}/cgroup.procs`)) {
      console.info(`not tried: there is no version 1 hierarchy at ${V1}`);
      return;
    }
    policy.enforce(group('web', 3) + BY_ID);
    const caller = await bed.caller('policed/web');
    const count = () => policy.status()?.cgroups;
    const before = count();
    const folder = `${V1}${bed.cgroups.path}`;
    const made = [folder, `${folder}/policed`, `${folder}/policed/web`];
    for (let n = 0; n < 50; n++) {
      for (const path of made) mkdirSync(path);
      if (n === 0) expect(count()).toBe(before);
      for (const path of made.toReversed()) rmdirSync(path);
    }
    expect(count()).toBe(before);
    expect(await idOf(caller)).toBe(3);
  });
});
