/** Tables with several destinations for a call: what is drawn decides, and answers are about all that can be. */
import { counterOwners, evaluator, type Packet, rewrite } from '@sockfilter/table';
import fc from 'fast-check';
import { decisionWords, goesOnAs } from '../../../test/arbitrary/decision.js';
import { choosingTables, DRAWN, smallSpace } from '../../../test/arbitrary/smalltable.js';
import { leastHits } from '../../../test/harness/chance.js';
import { propertyRuns } from '../../../test/harness/length.js';
import { difference } from './analysis/difference.js';
import { includes } from './analysis/packetset.js';
import { Universe } from './analysis/universe.js';
import { buildDiagram } from './build.js';
import { decide } from './diagram.js';

/** Some of them: each is tried with all that it can draw. */
function sample(space: readonly Packet[]): readonly Packet[] {
  const step = Math.max(1, Math.floor(space.length / 300));
  return space.filter((_, n) => n % step === 0);
}

const RUNS = propertyRuns(40);

test('the diagram says what evaluate() says, whatever is drawn', () => {
  let told = 0;
  fc.assert(
    fc.property(choosingTables, ([table]) => {
      const evaluate = evaluator(table);
      const diagram = buildDiagram(table);
      for (const packet of sample(smallSpace(table))) {
        const found = DRAWN.map((drawn) => {
          const call = { ...packet, ...drawn };
          const expected = evaluate(call);
          expect(decisionWords(decide(diagram, call))).toBe(decisionWords(expected));
          return expected.errno;
        });
        if (new Set(found).size > 1) told++;
      }
    }),
    { numRuns: RUNS },
  );
  expect(told).toBeGreaterThanOrEqual(leastHits(RUNS, 0.5));
});

test('answers are about all that can be drawn', () => {
  fc.assert(
    fc.property(choosingTables, ([table, other]) => {
      const universe = new Universe();
      const [loaded, changed] = [universe.load(table), universe.load(other)];
      const [evaluate, evaluateOther] = [evaluator(table), evaluator(other)];
      const told = difference(loaded, changed);
      const owners = counterOwners(table);
      const rewritten = loaded.rewritten();
      for (const packet of sample(smallSpace(table, other))) {
        const calls = DRAWN.map((drawn) => ({ ...packet, ...drawn }));
        const decisions = calls.map((call) => evaluate(call));
        const others = calls.map((call) => evaluateOther(call));
        const some = (wanted: (n: number) => boolean) => calls.some((_, n) => wanted(n));
        expect([includes(loaded.mayAccept, packet), includes(loaded.mayRefuse, packet)]).toEqual([
          some((n) => decisions[n]?.errno === 0),
          some((n) => decisions[n]?.errno !== 0),
        ]);
        const accepted = some((n) => decisions[n]?.errno !== 0 && others[n]?.errno === 0);
        const refused = some((n) => decisions[n]?.errno === 0 && others[n]?.errno !== 0);
        expect([
          includes(told.newlyAccepted, packet),
          includes(told.newlyRefused, packet),
          includes(told.otherTest, packet),
        ]).toEqual([accepted && !refused, refused && !accepted, accepted && refused]);
        if (
          some(
            (n) =>
              decisions[n]?.errno === 0 &&
              others[n]?.errno === 0 &&
              goesOnAs(decisions[n].packet) !== goesOnAs(others[n].packet),
          )
        )
          expect(includes(told.otherRewriting, packet)).toBe(true);
        for (const [n, { errno, packet: goesOn }] of decisions.entries()) {
          if (errno !== 0 || goesOnAs(goesOn) === goesOnAs({ ...packet, ...DRAWN[n] })) continue;
          const names = rewritten.some(
            ({ rewriting, set }) =>
              includes(set, packet) &&
              goesOnAs(rewrite({ ...packet, ...DRAWN[n] }, rewriting)) === goesOnAs(goesOn),
          );
          expect(names).toBe(true);
        }
        for (const [counter] of owners.entries()) {
          const counts = some((n) => decisions[n]?.counted.includes(counter) === true);
          expect([counter, includes(loaded.countedBy(counter), packet)]).toEqual([counter, counts]);
          if (counts) expect(loaded.deadCounters()).not.toContain(counter);
        }
      }
    }),
    { numRuns: Math.ceil(RUNS / 4) },
  );
});
