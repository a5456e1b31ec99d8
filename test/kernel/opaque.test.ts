/** Opaque tests in the kernel's JIT: the same calls at the same moments as evaluate() decides them. */
import { type Decision, elementAt, evaluator, type State, type Table } from '@sockfilter/table';
import fc from 'fast-check';
import { compileTable } from '../../packages/kernel/src/generation.js';
import { opaqueTables, pauses } from '../arbitrary/opaque.js';
import { PACKET } from '../arbitrary/ordinary.js';
import { packetSource } from '../arbitrary/packet.js';
import { seeded } from '../arbitrary/random.js';
import { setTables } from '../arbitrary/set.js';
import { tables } from '../arbitrary/table.js';
import { describeKernel } from '../harness/kernel.js';
import { forLength } from '../harness/length.js';
import { tableOf } from '../harness/policy.js';
import { MINUTES_WEST, nextRandom } from './jitprogram.js';
import { JitWalk } from './jitwalk.js';

const START = 10n ** 12n;
/** Seconds that elements have left: of some it is over at the start, of others sooner or later. */
const TIMEOUTS = [999, 1000, 1001, 1003, 1010, 100_000];

function withoutExceptions(table: Table): Table {
  const sets = table.sets.map((set) => {
    const elements = set.elements.filter(({ nomatch }) => !nomatch);
    return { ...set, elements };
  });
  return { ...table, sets };
}

const told = ({ errno, counted }: Decision) => `${errno} ${counted}`;

describeKernel('opaque tests in the JIT', () => {
  let jit: JitWalk;
  beforeAll(() => {
    jit = new JitWalk();
  });
  afterAll(() => jit?.close());

  test('sequences of calls', () => {
    let wrong: string | undefined;
    let excepted = 0;
    const check = (table: Table, calls: readonly (readonly [number, bigint])[], seed: number) => {
      const [evaluate, evaluateAll] = [evaluator(table), evaluator(withoutExceptions(table))];
      const packet = Array.from({ length: 8 }, packetSource(table, seeded(seed)));
      jit.enforce(compileTable(table), [], table.sets);
      let states: ReadonlyMap<number, State> = new Map();
      let uptime = START;
      const base = seed % 2_000_000_000;
      let random = seed;
      for (const [n, pause] of calls) {
        uptime += pause;
        const first = random;
        const call = elementAt(packet, n % packet.length);
        const time = Number(BigInt(base) + uptime / 1_000_000_000n);
        const moment = () => {
          random = first;
          const next = () => {
            random = nextRandom(random);
            return random;
          };
          return { uptime, time, minutesWest: MINUTES_WEST, random: next, states };
        };
        const every = evaluateAll(call, moment());
        const wanted = evaluate(call, moment());
        if (told(every) !== told(wanted)) excepted++;
        states = wanted.states;
        const { errno, counts } = jit.run(call, { uptime, time, random: first });
        for (const counter of wanted.counted) counts[counter] = elementAt(counts, counter) - 1;
        if (errno !== wanted.errno || counts.some((count) => count !== 0))
          wrong ??= `${errno}, not ${wanted.errno}; counts ${counts}`;
      }
    };
    const calls = fc.array(fc.tuple(fc.nat(), pauses), { minLength: 60, maxLength: 100 });
    fc.assert(
      fc.property(
        opaqueTables(setTables(tables(4), TIMEOUTS)),
        calls,
        fc.nat({ max: 2 ** 32 - 1 }),
        check,
      ),
      {
        numRuns: forLength({ long: 400, short: 60 }),
      },
    );
    expect(wrong).toBeUndefined();
    // Exceptions of sets decide what some of them come to.
    expect(excepted).toBeGreaterThan(20);
  });

  test('a state stays where the next table goes on with it, and is new elsewhere', () => {
    const table = tableOf(
      '-A CONNECT -m limit --limit 1/s --limit-burst 2 -j ACCEPT\n-P CONNECT DROP',
    );
    const more = tableOf(
      `-A CONNECT -p udp -m statistic --mode nth --every 2 --packet 1 -j DROP
       -A CONNECT -p tcp -m limit --limit 1/s --limit-burst 2 -j ACCEPT
       -P CONNECT DROP`,
    );
    const call = () => jit.run(PACKET, { uptime: START }).errno;
    jit.enforce(compileTable(table));
    expect([call(), call(), call()]).toEqual([0, 0, 1]);
    jit.enforce(compileTable(more), [undefined, 0]);
    expect(call()).toBe(1);
    jit.enforce(compileTable(table), [1]);
    expect(call()).toBe(1);
    jit.enforce(compileTable(table));
    expect([call(), call(), call()]).toEqual([0, 0, 1]);
  });
});
