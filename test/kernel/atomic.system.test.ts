/** A call sees one rule set or the other: never half of one, never none, never ids of the wrong one. */
import { constants } from 'node:os';
import { describeKernel } from '../harness/kernel.js';
import { forLength } from '../harness/length.js';
import { Policy, tableOf } from '../harness/policy.js';
import { Testbed } from '../harness/testbed.js';
import type { HammerCall } from './processes/messages.js';
import { callsIn, endProcesses, Hammer } from './processes/process.js';

const SWAPS = forLength({ long: 1000, short: 300 });
const { EACCES, ECONNREFUSED, EHOSTUNREACH, ENETUNREACH } = constants.errno;

/** For each chain: what is called, and the rule without its verdict. */
const CALLS = [
  ['connect', 'CONNECT'],
  ['bind', 'BIND'],
  ['sendto', 'SENDTO'],
] as const;

/** Rules that refuse two ports for callers with the id, and no other packet. */
const rulesFor = (id: number, first: [port: number, errno: string], both: string) =>
  CALLS.map(
    ([
      ,
      chain,
    ]) => `-A ${chain} -p udp --dport ${first[0]} -m cgroup --id ${id} -j REJECT --reject-with ${first[1]}
      -A ${chain} -p udp --dport 7003 -m cgroup --id ${id} -j REJECT --reject-with ${both}`,
  ).join('\n');

describeKernel('atomic replacement', () => {
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

  test(`${SWAPS} swaps of rules and ids under calls`, async () => {
    const path = bed.cgroups.childPath('caller');
    // The id of the caller's group changes with the rules, so that new rules with an old id show.
    const a = tableOf(`-G caller --id 3 --path ${path}
      ${rulesFor(3, [7001, 'EACCES'], 'EHOSTUNREACH')}`);
    const b = tableOf(`-G caller --id 4 --path ${path}
      ${rulesFor(4, [7002, 'ECONNREFUSED'], 'ENETUNREACH')}`);
    policy.enforce(a);
    const calls = CALLS.flatMap(([call]) =>
      [7001, 7002, 7003].map((port): HammerCall => ({ call, address: '127.0.0.1', port })),
    );
    const hammer = await Hammer.start(bed.cgroups.child('caller'), bed.network.path, calls);
    await hammer.run();
    const begin = performance.now();
    for (let n = 0; n < SWAPS; n++) policy.enforce(n % 2 === 0 ? b : a);
    const seconds = (performance.now() - begin) / 1000;
    const tally = await hammer.pause();
    const errnos = tally.map((results) => Object.keys(results).map(Number));
    const either = [
      [0, EACCES],
      [0, ECONNREFUSED],
      [ENETUNREACH, EHOSTUNREACH],
    ];
    expect(errnos).toEqual(CALLS.flatMap(() => either.map((set) => set.toSorted((x, y) => x - y))));
    console.info(
      `${(SWAPS / seconds).toFixed(0)} swaps a second, ${(callsIn(tally) / seconds).toFixed(0)} calls a second`,
    );
  });
});
