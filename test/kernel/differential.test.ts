/** Real calls over random rules: each is told what evaluate() says, and the counters are exact. */
import { setTimeout as sleep } from 'node:timers/promises';
import { elementAt, evaluator, groupAt, REJECT_ERRNO, type Table } from '@sockfilter/table';
import { seeded } from '../arbitrary/random.js';
import type { Call, Caller, Result } from '../harness/caller.js';
import { describeKernel } from '../harness/kernel.js';
import { Policy, tableOf } from '../harness/policy.js';
import { runSeed } from '../harness/runseed.js';
import { Testbed } from '../harness/testbed.js';
import {
  callsOf,
  interpret,
  type Judged,
  type Kind,
  type Listener,
  makePlan,
  type Plan,
  packetAddress,
  REFUSED_WITH,
} from './realcall.js';
import { makeRules } from './realrules.js';

const ROUNDS = 40;
const CALLS_EACH = 20;

const CLIENTS = [
  { cgroup: 'a', uid: 0, gid: 0 },
  { cgroup: 'a/b', uid: 1000, gid: 100 },
  { cgroup: 'a/c/deep', uid: 0, gid: 100 },
  { cgroup: 'd', uid: 65534, gid: 65534 },
] as const;

const SERVERS = [
  {
    cgroup: 'a',
    uid: 0,
    sockets: [
      ['10.9.9.1', 2001],
      ['::', 2002],
    ],
  },
  {
    cgroup: 'a/c',
    uid: 1000,
    sockets: [
      ['fd00:9::1', 2001],
      ['0.0.0.0', 2003],
    ],
  },
  {
    cgroup: 'd',
    uid: 0,
    sockets: [
      ['::1', 2003],
      ['fd00:9::2', 2004],
    ],
  },
] as const;

const REFUSALS = new Map<number, string>(
  Object.entries(REJECT_ERRNO).map(([name, errno]) => [errno, name]),
);
const SETTLE_MS = 1000;
/** A SYN without an answer is sent again after this. */
const RETRANSMIT_MS = 1000;

interface Server {
  readonly caller: Caller;
  readonly cgroup: string;
  readonly fd: number;
  readonly listener: Omit<Listener, 'group'>;
}

const show = (value: unknown) =>
  JSON.stringify(value, (_, part) => (typeof part === 'bigint' ? `0x${part.toString(16)}` : part));

/** Takes all that has arrived at a server: what datagrams say, or the peers of connections. */
async function drain({ caller, fd, listener }: Server): Promise<readonly string[]> {
  const op = listener.kind === 'tcp' ? 'accept' : 'recvfrom';
  const arrived: string[] = [];
  for (;;) {
    const calls = Array.from({ length: 16 }, (): Call => ({ op, fd }));
    const results = (await caller.batch(calls)).filter(({ errno }) => errno === undefined);
    if (listener.kind === 'tcp')
      await caller.batch(results.map(({ value = -1 }): Call => ({ op: 'close', fd: value })));
    for (const { data, address } of results) {
      const at = packetAddress(address?.address ?? '::');
      arrived.push(data ?? `${at.family} ${at.value} ${address?.port}`);
    }
    if (results.length < calls.length) return arrived;
  }
}

describeKernel('real calls', () => {
  let bed: Testbed;
  let policy: Policy;
  let kinds: readonly Kind[] = [];
  const clients: Caller[] = [];
  const servers: Server[] = [];

  beforeAll(async () => {
    bed = await Testbed.create();
    policy = new Policy(bed.cgroups.path);
    await bed.network.run('sysctl', '-qw', 'net.ipv4.ping_group_range=0 2147483647');
    clients.push(
      ...(await Promise.all(
        CLIENTS.map(({ cgroup, uid, gid }) => bed.caller(cgroup, { uid, gid })),
      )),
    );
    const known: Kind[] = ['tcp', 'udp', 'udplite', 'mptcp', 'icmp', 'icmpv6'];
    const there = await Promise.all(
      known.map(async (kind) => {
        const type = kind === 'tcp' || kind === 'mptcp' ? 'stream' : 'dgram';
        const family = kind === 'icmpv6' ? 'inet6' : 'inet';
        const made = await elementAt(clients, 0).call({
          op: 'socket',
          family,
          type,
          protocol: kind,
        });
        return made.errno === undefined;
      }),
    );
    kinds = known.filter((_, n) => there[n]);
    for (const { cgroup, uid, sockets } of SERVERS) {
      const caller = await bed.caller(cgroup, { uid });
      for (const kind of ['tcp', 'udp', 'udplite'] as const) {
        if (!kinds.includes(kind)) continue;
        for (const [address, port] of sockets) {
          const type = kind === 'tcp' ? 'stream' : 'dgram';
          const { fd } = await caller.open(type, { address, port }, kind);
          servers.push({ caller, cgroup, fd, listener: { kind, address, port, uid } });
        }
      }
    }
  });
  afterAll(async () => {
    policy?.teardown();
    await bed?.close();
  });

  const counters = () => policy.use((firewall) => firewall.read()?.counters ?? []);
  const groupOf = (table: Table, cgroup: string) =>
    groupAt(table.groups, `${bed.cgroups.path}/${cgroup}`)?.id ?? 0;

  /** What is wrong with a round, or undefined. */
  async function differs(table: Table, plans: readonly (readonly Plan[])[]) {
    policy.enforce(table);
    const began = performance.now();
    const results = await Promise.all(
      clients.map((client, n) => client.batch(elementAt(plans, n).flatMap(callsOf))),
    );
    const isSlow = performance.now() - began > RETRANSMIT_MS;
    const listeners = servers.map(
      ({ cgroup, listener }): Listener => ({ ...listener, group: groupOf(table, cgroup) }),
    );
    const judged: Judged[] = [];
    CLIENTS.forEach(({ cgroup, uid, gid }, n) => {
      const who = { group: groupOf(table, cgroup), uid, gid };
      let rest: readonly Result[] = elementAt(results, n);
      for (const plan of elementAt(plans, n)) {
        judged.push(...interpret(plan, rest, who, listeners));
        rest = rest.slice(callsOf(plan).length);
      }
    });
    const evaluate = evaluator(table);
    const wanted: number[] = [];
    const arriving: string[] = [];
    const wrong: string[] = [];
    for (const [n, { packet, step, told, again, arrives }] of judged.entries()) {
      const { errno, counted, decider } = evaluate(packet);
      // What was refused as it was asked for is not judged again.
      const before = again && judged[n - 1];
      if (before && evaluate(before.packet).errno !== 0) continue;
      const counting = !again ? counted : errno === 0 ? [] : [decider];
      for (const counter of counting) wanted[counter] = (wanted[counter] ?? 0) + 1;
      if (errno === 0 && arrives !== undefined) arriving.push(arrives);
      if (told === undefined) continue;
      // Allowed so far: the judging again tells.
      if (errno === 0 && !again && judged[n + 1]?.again) continue;
      const name = errno === 0 ? undefined : REFUSALS.get(errno);
      if (name === undefined ? REFUSED_WITH.includes(told) : told !== name)
        wrong.push(`told ${told}, not ${name ?? 'ok'}: ${show(step)} ${show(packet)}`);
    }
    const off = () =>
      counters().flatMap((packets, n) =>
        packets === BigInt(wanted[n] ?? 0)
          ? []
          : [`counter ${n} is ${packets}, not ${wanted[n] ?? 0}`],
      );
    // Packets on loopback can be a moment late.
    const until = Date.now() + SETTLE_MS;
    while (wrong.length === 0 && off().length > 0 && Date.now() < until) await sleep(20);
    wrong.push(...off());
    const arrived = (await Promise.all(servers.map(drain))).flat();
    const unexpected = arrived.filter((what) => !arriving.includes(what));
    // A connection that its client has reset need not be there any more.
    const missing = arriving.filter((what) => !what.includes(' ') && !arrived.includes(what));
    if (unexpected.length > 0) wrong.push(`arrived although refused: ${unexpected}`);
    if (missing.length > 0) wrong.push(`did not arrive: ${missing}`);
    const inWords = judged.map(
      ({ packet, told, step }) =>
        `${show(packet)} ${told} by ${show(step)}: ${evaluate(packet).counted}`,
    );
    return {
      isSlow,
      judged,
      wrong: wrong.length > 0 ? [...wrong, ...inWords].join('\n') : undefined,
    };
  }

  test(`${ROUNDS * CLIENTS.length * CALLS_EACH} real calls over ${ROUNDS} rule sets`, async () => {
    const random = seeded(runSeed);
    const groups = [
      { id: 5, path: `${bed.cgroups.path}/a` },
      { id: 6, path: `${bed.cgroups.path}/a/c` },
      { id: 7, path: `${bed.cgroups.path}/d` },
    ];
    const seen = new Map<string, number>();
    let calls = 0;
    for (let round = 0; round < ROUNDS; round++) {
      const rules = makeRules(groups, random);
      const table = tableOf(rules);
      const plans = CLIENTS.map((_, client) => {
        const made: Plan[] = [];
        for (let left = CALLS_EACH; left > 0; ) {
          const mark = `${round}-${client}-${made.length}`;
          const plan = makePlan(kinds, random, mark);
          made.push({ ...plan, steps: plan.steps.slice(0, left) });
          left -= Math.min(left, plan.steps.length);
        }
        return made;
      });
      let outcome = await differs(table, plans);
      for (let again = 0; again < 3 && outcome.isSlow && outcome.wrong; again++)
        outcome = await differs(table, plans);
      if (outcome.wrong)
        throw new Error(`seed ${runSeed}, round ${round}:\n${rules}\n${outcome.wrong}`);
      for (const { packet } of outcome.judged) {
        const refused = evaluator(table)(packet).errno === 0 ? 'passes' : 'refused';
        const key = `${packet.chain} IPv${packet.family} ${refused}`;
        seen.set(key, (seen.get(key) ?? 0) + 1);
      }
      calls += plans.flat().reduce((sum, { steps }) => sum + steps.length, 0);
    }
    expect(calls).toBe(ROUNDS * CLIENTS.length * CALLS_EACH);
    // Five chains, two families, two verdicts: all have happened.
    expect(seen.size).toBe(20);
  });
});
