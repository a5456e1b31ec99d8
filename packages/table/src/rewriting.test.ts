/** Rewritings as functions of calls, held against what each is said to be. */
import fc, { type Arbitrary } from 'fast-check';
import { PACKET } from '../../../test/arbitrary/ordinary.js';
import { propertyRuns } from '../../../test/harness/length.js';
import { holds, type Test } from './clause.js';
import {
  agreement,
  clausesBefore,
  isNeverMet,
  isUnchanged,
  type Rewriting,
  rewrite,
  rewriteTwice,
  rewritingKey,
  rewritingText,
  UNCHANGED,
} from './rewriting.js';
import { rewritingOf } from './targets.js';

/** Of few bits, so that two are often alike. */
const marks = fc.constantFrom(0, 1, 2, 3, 0x8000_0001, 0xffff_ffff);
const rewritings: Arbitrary<Rewriting> = fc
  .tuple(marks, marks)
  .map(([value, mask]) => rewritingOf({ kind: 'mark', value, mask }));
const calls = marks.map((mark) => ({ ...PACKET, mark }));
const tests: Arbitrary<Test> = fc
  .tuple(marks, marks, fc.boolean())
  .map(([value, bits, negated]) => {
    const mask = BigInt(bits);
    const set = { kind: 'masked', value: BigInt(value) & mask, mask } as const;
    return { field: 'mark', set, negated };
  });
const runs = { numRuns: propertyRuns(500) };

test('one after the other is one', () => {
  fc.assert(
    fc.property(rewritings, rewritings, calls, (first, second, call) => {
      expect(rewrite(call, rewriteTwice(first, second))).toEqual(
        rewrite(rewrite(call, first), second),
      );
    }),
    runs,
  );
});

test('a test holds of what was asked for where it holds of what that becomes', () => {
  fc.assert(
    fc.property(rewritings, tests, calls, (rewriting, one, call) => {
      const [[before] = []] = clausesBefore([[one]], rewriting);
      expect(before && holds(before, call)).toBe(holds(one, rewrite(call, rewriting)));
    }),
    runs,
  );
});

test('what is never met, no call meets; and what a constant fails is never met', () => {
  const clauses = fc.array(fc.array(tests, { minLength: 1, maxLength: 2 }), { maxLength: 2 });
  fc.assert(
    fc.property(rewritings, clauses, calls, (rewriting, some, call) => {
      const become = rewrite(call, rewriting);
      const isMet = some.every((clause) => clause.some((one) => holds(one, become)));
      const isNever = isNeverMet(some, rewriting);
      expect(isMet && isNever).toBe(false);
      if (rewriting.mark?.keep === 0n) expect(isNever).toBe(!isMet);
    }),
    runs,
  );
});

test('two agree on the calls that they make the same', () => {
  fc.assert(
    fc.property(rewritings, rewritings, calls, (first, second, call) => {
      const clauses = agreement(first, second);
      const same = clauses?.every((clause) => clause.some((one) => holds(one, call))) ?? false;
      expect(same).toBe(rewrite(call, first).mark === rewrite(call, second).mark);
      if (rewritingKey(first) === rewritingKey(second)) expect(clauses).toEqual([]);
    }),
    runs,
  );
});

test('what changes nothing is no rewriting', () => {
  expect(rewritingOf({ kind: 'mark', value: 0, mask: 0 })).toBe(UNCHANGED);
  expect(rewritingOf({ kind: 'accept' })).toBe(UNCHANGED);
  const turned = rewritingOf({ kind: 'mark', value: 6, mask: 0 });
  expect(isUnchanged(turned)).toBe(false);
  expect(isUnchanged(rewriteTwice(turned, turned))).toBe(true);
});

test.each([
  [0x1f, 0xffff_ffff, 'mark 0x1f'],
  [0x3, 0, 'mark ^ 0x3'],
  [0, 0xff, 'mark & 0xffffff00'],
  [0x3, 0x3, 'mark & 0xfffffffc ^ 0x3'],
])('%d/%d in words', (value, mask, text) => {
  expect(rewritingText(rewritingOf({ kind: 'mark', value, mask }))).toBe(text);
});
