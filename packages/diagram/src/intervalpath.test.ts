/** Conditions that are one path, held against the same compiled. */
import { type Clause, type Field, ruleCondition, type ValueSet } from '@sockfilter/table';
import fc from 'fast-check';
import { tables } from '../../../test/arbitrary/table.js';
import { makeConditions } from '../../../test/harness/conditions.js';
import { propertyRuns } from '../../../test/harness/length.js';
import { IntervalPaths, intervalPath } from './intervalpath.js';
import { terminalRef } from './store.js';

const HIT = terminalRef(3);

function makeBoth(clauses: readonly Clause[]) {
  const { store, conditions } = makeConditions();
  const paths = new IntervalPaths();
  const path = intervalPath(clauses);
  return {
    compiled: conditions.compile(clauses, HIT),
    made: path && paths.made(paths.add(path, HIT), store),
  };
}

test('the path of a rule is what its condition comes to', () => {
  let found = 0;
  fc.assert(
    fc.property(tables(4), (table) => {
      for (const { rules } of table.chains)
        for (const rule of rules) {
          const { compiled, made } = makeBoth(ruleCondition(rule, table));
          if (made === undefined) continue;
          expect(made).toBe(compiled);
          found++;
        }
    }),
    { numRuns: propertyRuns(40) },
  );
  expect(found).toBeGreaterThan(propertyRuns(40));
});

test('so is the path of a rule that is told without sets', () => {
  let found = 0;
  fc.assert(
    fc.property(tables(4), (table) => {
      for (const { rules } of table.chains)
        for (const rule of rules) {
          const { store, conditions } = makeConditions();
          const paths = new IntervalPaths();
          const path = paths.addPlain(rule, HIT);
          if (path === undefined) continue;
          expect(paths.made(path, store)).toBe(conditions.compile(ruleCondition(rule, table), HIT));
          found++;
        }
    }),
    { numRuns: propertyRuns(40) },
  );
  expect(found).toBeGreaterThan(propertyRuns(40));
});

const value = (bits: number) =>
  fc.oneof(
    fc.bigInt(0n, 2n ** BigInt(bits) - 1n),
    fc.integer({ min: 0, max: bits }).map((n) => 2n ** BigInt(n) - 1n),
    fc.integer({ min: 0, max: bits - 1 }).map((n) => 2n ** BigInt(n)),
  );

const sets = (bits: number): fc.Arbitrary<ValueSet> =>
  fc.oneof(
    fc
      .tuple(value(bits), value(bits))
      .map(([a, b]): ValueSet => ({ kind: 'ranges', ranges: [a < b ? [a, b] : [b, a]] })),
    fc
      .tuple(value(bits), fc.oneof(value(bits), fc.integer({ min: 0, max: bits })))
      .map(([address, wanted]): ValueSet => {
        const all = 2n ** BigInt(bits) - 1n;
        const mask = typeof wanted === 'bigint' ? wanted : all - (2n ** BigInt(wanted) - 1n);
        return { kind: 'masked', value: address & mask, mask };
      }),
  );

const testOf = (field: Field, bits: number) =>
  sets(bits).map((set): Clause => [{ field, set, negated: false }]);

const addresses = fc
  .constantFrom(4n, 6n)
  .chain((family) =>
    testOf('destination', family === 4n ? 32 : 128).map((clause): Clause[] => [
      [{ field: 'family', set: { kind: 'ranges', ranges: [[family, family]] }, negated: false }],
      clause,
    ]),
  );

test('so is that of any intervals and bits of addresses, ports and marks', () => {
  let found = 0;
  fc.assert(
    fc.property(
      fc.oneof(
        addresses,
        testOf('mark', 32).map((clause) => [clause]),
        fc.tuple(addresses, testOf('destinationPort', 16)).map(([some, port]) => [port, ...some]),
      ),
      (clauses) => {
        const { compiled, made } = makeBoth(clauses);
        if (made === undefined) return;
        expect(made).toBe(compiled);
        found++;
      },
    ),
    { numRuns: propertyRuns(300) },
  );
  expect(found).toBeGreaterThan(propertyRuns(40));
});
