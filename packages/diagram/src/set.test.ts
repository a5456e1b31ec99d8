/** Named sets whose elements stay are exact to the analysis, and one look-up to the diagram of the kernel. */
import { assumeFor, elementAt, evaluator, placedTests, type Table } from '@sockfilter/table';
import fc from 'fast-check';
import { decisionWords } from '../../../test/arbitrary/decision.js';
import { PACKET } from '../../../test/arbitrary/ordinary.js';
import { setTables } from '../../../test/arbitrary/set.js';
import { smallTables } from '../../../test/arbitrary/smalltable.js';
import { packets, tables } from '../../../test/arbitrary/table.js';
import { forLength } from '../../../test/harness/length.js';
import { tableOf } from '../../../test/harness/policy.js';
import { difference, includes, isEmpty, Universe } from './analysis/index.js';
import { buildDiagram, decide } from './index.js';

const small = setTables(smallTables.map(([table]) => table));
const someCalls = fc.array(packets, { minLength: 60, maxLength: 60 });
const RUNS = forLength({ long: 200, short: 20 });

test('what is told of all calls is what becomes of each', () => {
  fc.assert(
    fc.property(small, someCalls, (table, calls) => {
      const loaded = new Universe().load(table);
      const evaluate = evaluator(table);
      const [accepted, refused] = [loaded.mayAccept, loaded.mayRefuse];
      const counted = loaded.owners.map((_, counter) => loaded.countedBy(counter));
      for (const packet of calls) {
        const { errno, decider, counted: wanted } = evaluate(packet);
        const counting = counted.flatMap((set, n) => (includes(set, packet) ? [n] : []));

        expect({
          accepts: includes(accepted, packet),
          refuses: includes(refused, packet),
          decides: includes(loaded.decidedBy(decider), packet),
          counting,
        }).toEqual({
          accepts: errno === 0,
          refuses: errno !== 0,
          decides: true,
          counting: [...new Set(wanted)].sort((x, y) => x - y),
        });
      }
    }),
    { numRuns: RUNS },
  );
});

test('a rule is redundant exactly if no call has another verdict without it', () => {
  fc.assert(
    fc.property(small, someCalls, (table, calls) => {
      const loaded = new Universe().load(table);
      const redundant = new Set(loaded.redundantCounters());
      const verdicts = (each: Table) => {
        const evaluate = evaluator(each);
        return calls.map((packet) => evaluate(packet).errno).join();
      };
      const whole = verdicts(table);
      for (const counter of redundant) {
        const { rule: removed } = loaded.ownerOf(counter);
        const chains = table.chains.map((chain) => ({
          ...chain,
          rules: chain.rules.filter((rule) => rule !== removed),
        }));
        expect(verdicts({ ...table, chains })).toBe(whole);
      }
    }),
    { numRuns: RUNS },
  );
});

test('the diagram that asks decides as what the sets hold says', () => {
  fc.assert(
    fc.property(setTables(tables(4)), someCalls, (table, calls) => {
      const diagram = buildDiagram(table);
      const evaluate = evaluator(table);
      const tests = placedTests(table);
      for (const packet of calls) {
        const known = assumeFor({ packet, sets: table.sets });
        const answers = (n: number) => known(elementAt(tests, n).test) ?? false;
        expect(decisionWords(decide(diagram, packet, answers))).toBe(
          decisionWords(evaluate(packet)),
        );
      }
    }),
    { numRuns: RUNS },
  );
});

test('a set of another content is another table, and the same one none', () => {
  const table = (...elements: readonly string[]) =>
    tableOf(
      `create s net,port\n${elements.map((each) => `add s ${each}\n`).join('')}-A CONNECT -m set --match-set s dst,dst -j DROP`,
    );
  const universe = new Universe();
  const load = (...elements: readonly string[]) => universe.load(table(...elements));
  const a = load('10.0.0.0/8,tcp:80');
  const b = load('10.0.0.0/9,tcp:80', '10.128.0.0/9,tcp:80');
  const c = load('10.0.0.0/8,tcp:80', '10.0.0.5,udp:53');
  expect(Object.values(difference(a, b)).every(isEmpty)).toBe(true);
  const { newlyRefused, newlyAccepted } = difference(a, c);
  expect([isEmpty(newlyRefused), isEmpty(newlyAccepted)]).toEqual([false, true]);
});

test('what a set with timeouts holds makes a difference that a test makes, and no other', () => {
  const table = (element: string) =>
    tableOf(`create s ip timeout 60
      add s ${element}
      -A CONNECT -m set --match-set s dst -j ACCEPT
      -P CONNECT DROP`);
  const universe = new Universe();
  const load = (element: string) => universe.load(table(element));
  const a = load('10.0.0.5 timeout 60');
  for (const other of [load('10.0.0.6 timeout 60'), load('10.0.0.5 timeout 0')]) {
    const { otherTest, ...plain } = difference(a, other);
    expect([isEmpty(otherTest), Object.values(plain).every(isEmpty)]).toEqual([false, true]);
  }
  expect(Object.values(difference(a, load('10.0.0.5'))).every(isEmpty)).toBe(true);
});

test('the diagram of a table is the same whatever its sets hold', () => {
  const edges = (elements: string) =>
    buildDiagram(tableOf(`create s net\n${elements}-A CONNECT -m set --match-set s dst -j DROP`))
      .store.edgeCount;
  const many = Array.from({ length: 3000 }, (_, n) => `add s 10.${n >> 8}.${n & 255}.0/24\n`);
  expect(edges(many.join(''))).toBe(edges(''));
});

test.each([
  ['10.0.0.2', [true, true, false]],
  ['10.0.0.1', [false, false, false]],
])('a set of %s is asked for the destination that DNAT has made', (element, wanted) => {
  const table = tableOf(`create s ip
    add s ${element}
    -A CONNECT -d 10.0.0.1 -j DNAT --to-destination 10.0.0.2
    -A CONNECT -m set --match-set s dst -j DROP`);
  const { mayRefuse } = new Universe().load(table);
  const evaluate = evaluator(table);
  const refused = [1n, 2n, 3n].map((last) => {
    const packet = { ...PACKET, destination: 0x0a00_0000n + last };
    return [includes(mayRefuse, packet), evaluate(packet).errno !== 0];
  });
  expect(refused).toEqual(wanted.map((each) => [each, each]));
});
