/** Opaque tests in diagrams and in the answers about them. */
import {
  askTest,
  chainNumber,
  counterOwners,
  EMPTY_TABLE,
  elementAt,
  evaluator,
  type Moment,
  type Packet,
  placedTests,
  type State,
  type Table,
  valueSet,
} from '@sockfilter/table';
import fc from 'fast-check';
import { decisionWords } from '../../../test/arbitrary/decision.js';
import { chance, opaqueTables, pauses } from '../../../test/arbitrary/opaque.js';
import { seeded } from '../../../test/arbitrary/random.js';
import { smallSpace, smallTables } from '../../../test/arbitrary/smalltable.js';
import { packets, tables } from '../../../test/arbitrary/table.js';
import { forLength } from '../../../test/harness/length.js';
import { difference, includes, Universe } from './analysis/index.js';
import { buildDiagram } from './build.js';
import { type Answers, decide } from './diagram.js';

const NS = 1_000_000_000n;
const RUNS = forLength({ long: 300, short: 40 });

test('calls one after the other are decided as evaluate() says, and leave the same states', () => {
  let asked = 0;
  fc.assert(
    fc.property(
      opaqueTables(tables(5)),
      fc.array(fc.tuple(packets, pauses), { minLength: 20, maxLength: 40 }),
      fc.nat(),
      (table, calls, seed) => {
        const diagram = buildDiagram(table);
        const evaluate = evaluator(table);
        const tests = placedTests(table);
        const [here, there] = [seeded(seed), seeded(seed)];
        let wanted: ReadonlyMap<number, State> = new Map();
        const states = new Map<number, State>();
        let uptime = 0n;
        for (const [packet, pause] of calls) {
          uptime += pause;
          const clock = { uptime, time: Number(uptime / NS), minutesWest: 60 };
          const moment: Moment = { ...clock, random: () => Number(here.bits(32)), states: wanted };
          const decision = evaluate(packet, moment);
          wanted = decision.states;
          const answers: Answers = (n) => {
            asked++;
            const random = () => Number(there.bits(32));
            const world = { ...clock, random };
            const subject = { packet, sets: table.sets };
            const { holds, next } = askTest(
              elementAt(tests, n).test,
              states.get(n),
              world,
              subject,
            );
            if (next) states.set(n, next);
            return holds;
          };
          expect(decisionWords(decide(diagram, packet, answers))).toBe(decisionWords(decision));
          expect(states).toEqual(wanted);
        }
      },
    ),
    { numRuns: RUNS },
  );
  expect(asked).toBeGreaterThan(RUNS);
});

/** Small tables with few tests: all answers of all of them can be tried. */
const MOST_TESTS = 4;
const fewTests = (table: Table) => placedTests(table).length <= MOST_TESTS;
const asksLittle = opaqueTables(smallTables.map(([table]) => table)).filter(fewTests);

/** CONNECT that refuses by chance, and then has a rule that nothing needs. */
const refusingByChance = (threshold: number): Table => ({
  ...EMPTY_TABLE,
  chains: EMPTY_TABLE.chains.map((chain) =>
    chain.name === 'CONNECT'
      ? {
          ...chain,
          rules: [
            { matches: [chance(threshold, false)], target: { kind: 'drop' }, packets: 0n },
            { matches: [chance(threshold, false)], target: { kind: 'accept' }, packets: 0n },
          ],
        }
      : chain,
  ),
});
const BY_CHANCE = refusingByChance(2 ** 30);

/** All answers that the tests of the table can give. */
function allAnswers(table: Table): readonly Answers[] {
  const { length } = placedTests(table);
  return Array.from(
    { length: 1 << length },
    (_, bits): Answers =>
      (n) =>
        (bits & (1 << n)) !== 0,
  );
}

function errnosOf(table: Table, space: readonly Packet[]) {
  const diagram = buildDiagram(table);
  const answers = allAnswers(table);
  return space.map((packet) => answers.map((each) => decide(diagram, packet, each)));
}

test('a call may be accepted or refused if some answers make it so', () => {
  let undecided = 0;
  fc.assert(
    fc.property(asksLittle, (table) => {
      const loaded = new Universe().load(table);
      const space = smallSpace(table);
      const decisions = errnosOf(table, space);
      const counted = counterOwners(table).map((_, counter) => loaded.countedBy(counter));
      const wrong = space.filter((packet, n) => {
        const errnos = elementAt(decisions, n).map(({ errno }) => errno);
        const [accept, refuse] = [errnos.includes(0), errnos.some((errno) => errno > 0)];
        if (accept && refuse) undecided++;
        const met = new Set(elementAt(decisions, n).flatMap((decision) => decision.counted));
        return (
          includes(loaded.mayAccept, packet) !== accept ||
          includes(loaded.mayRefuse, packet) !== refuse ||
          counted.some((set, counter) => includes(set, packet) !== met.has(counter))
        );
      });
      expect(wrong).toEqual([]);
    }),
    { numRuns: forLength({ long: 100, short: 15 }), examples: [[BY_CHANCE]] },
  );
  expect(undecided).toBeGreaterThan(0);
});

test('a rule is redundant only if no answers make a difference without it', () => {
  let redundant = 0;
  fc.assert(
    fc.property(asksLittle, (table) => {
      const space = smallSpace(table);
      const whole = errnosOf(table, space);
      const owners = counterOwners(table);
      for (const counter of new Universe().load(table).redundantCounters()) {
        const { rule: removed } = elementAt(owners, counter);
        redundant++;
        // The rule stays, with its tests and their numbers, and does nothing.
        const without = {
          ...table,
          chains: table.chains.map((chain) => ({
            ...chain,
            rules: chain.rules.map((rule) =>
              rule === removed ? { ...rule, target: undefined } : rule,
            ),
          })),
        };
        const other = errnosOf(without, space);
        expect(other.map((each) => each.map(({ errno }) => errno))).toEqual(
          whole.map((each) => each.map(({ errno }) => errno)),
        );
      }
    }),
    { numRuns: forLength({ long: 100, short: 15 }), examples: [[BY_CHANCE]] },
  );
  expect(redundant).toBeGreaterThan(0);
});

test('a test alone makes a difference of its own kind', () => {
  const universe = new Universe();
  const before = universe.load(BY_CHANCE);
  const after = universe.load(refusingByChance(2 ** 29));
  const { newlyAccepted, newlyRefused, otherTest } = difference(before, after);
  expect([newlyAccepted, newlyRefused]).toEqual([universe.empty, universe.empty]);
  expect(otherTest).toEqual(
    universe.matching([
      [{ field: 'chain', set: valueSet(chainNumber('CONNECT')), negated: false }],
    ]),
  );
});

test('a table has no difference from itself', () => {
  fc.assert(
    fc.property(asksLittle, (table) => {
      const universe = new Universe();
      const same = difference(universe.load(table), universe.load(table));
      const { empty } = universe;
      expect(same).toEqual({
        newlyAccepted: empty,
        newlyRefused: empty,
        otherTest: empty,
        otherErrno: empty,
        otherRewriting: empty,
      });
    }),
    { numRuns: forLength({ long: 100, short: 15 }) },
  );
});
