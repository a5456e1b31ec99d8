/** What is known of a test whose state, or time of day, is told in words: no other than what it says then. */
import fc from 'fast-check';
import { PACKET } from '../../../test/arbitrary/ordinary.js';
import { askTest, NO_WORLD, type State, type World } from './answer.js';
import { assumeIn, hasState, type OpaqueTest, type Question } from './question.js';

const CASES = 2 ** 31;
/** More than any of these gives. */
const MANY = 9;
/** Seconds since midnight. */
const [FROM, TO] = [36_000, 39_600];

const few = fc.integer({ min: 1, max: 4 });
const questions: fc.Arbitrary<Question> = fc.oneof(
  fc
    .constantFrom(0, 1, CASES / 2, CASES - 1, CASES)
    .map((threshold): Question => ({ kind: 'chance', threshold })),
  few.chain((every) =>
    fc.nat({ max: every - 1 }).map((at): Question => ({ kind: 'turn', every, at })),
  ),
  fc.bigInt({ min: 0n, max: 4n }).map((calls): Question => ({ kind: 'budget', calls })),
  few.map((burst): Question => ({ kind: 'bucket', cost: 1_000_000_000n, burst })),
  few.map((burst): Question => {
    const key = { fields: [], sourceBits: 128, destinationBits: 128 };
    return { kind: 'buckets', cost: 1_000_000_000n, burst, room: 1, ...key };
  }),
);
const opaque = fc.record({ question: questions, negated: fc.boolean() });

const subject = { packet: PACKET, sets: [] };
const drawing = (number: number): World => ({ ...NO_WORLD, random: () => number });
/** What the test says in the state, whatever is drawn. */
const saysIn = (test: OpaqueTest, state: State | undefined) =>
  new Set([0, CASES - 1].map((number) => askTest(test, state, drawing(number), subject).holds));

test('fresh, and exhausted', () => {
  fc.assert(
    fc.property(opaque, (asked) => {
      const fresh = assumeIn({ state: 'fresh' })(asked);
      const says = saysIn(asked, undefined);
      expect(fresh).toBe(says.size === 1 ? [...says][0] : undefined);

      const exhausted = assumeIn({ state: 'exhausted' })(asked);
      let state: State | undefined;
      const answers: boolean[] = [];
      for (let n = 0; n < MANY; n++) {
        const { holds, next } = askTest(asked, state, NO_WORLD, subject);
        state = next;
        if (n >= MANY / 2) answers.push(holds);
      }
      const always = new Set(answers).size === 1;
      if (hasState(asked)) expect(exhausted).toBe(always ? answers[0] : undefined);
      else expect(exhausted).toBe(fresh);
    }),
  );
});

test.each([
  [FROM - 1, false],
  [FROM, true],
  [TO, true],
  [TO + 1, false],
])('at the second %i of a day', (time, holds) => {
  const question: Question = {
    kind: 'schedule',
    from: FROM,
    to: TO,
    isContiguous: false,
    weekdays: 0xfe,
    monthdays: 0xffff_fffe,
    begin: 0,
    end: CASES - 1,
    isLocal: false,
  };
  const known = [false, true].map((negated) => assumeIn({ time })({ question, negated }));
  expect(known).toEqual([holds, !holds]);
  expect(
    askTest({ question, negated: false }, undefined, { ...NO_WORLD, time }, subject).holds,
  ).toBe(holds);
});

test('of a test that asks no clock nothing is known by the time of day', () => {
  const question: Question = { kind: 'budget', calls: 0n };
  expect(assumeIn({ time: 0 })({ question, negated: false })).toBeUndefined();
  expect(assumeIn({ time: 0, state: 'fresh' })({ question, negated: false })).toBe(false);
});
