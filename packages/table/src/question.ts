/**
 * What an opaque test asks: chance, a clock, a state of its own, or a named set.
 *
 * A match that asks one of these questions is a row in matches/. A new question is a member here: whoever
 * answers has a record over QuestionKind, so that evaluate() and the kernel do not compile without it.
 */
import type { BucketKey } from './bucketkey.js';
import type { Family } from './packet.js';
import { isOpen, type Schedule } from './schedule.js';
import type { SetType, Side } from './sets/settype.js';

interface Questions {
  /** Holds in `threshold` of 2^31 cases. */
  readonly chance: { readonly threshold: number };
  /** Of each `every` calls that ask, holds for the one with the number `at`, from 0. */
  readonly turn: { readonly every: number; readonly at: number };
  /**
   * A bucket of `burst` tokens, full at first, that gets one each `cost` nanoseconds. Holds if there is a
   * token, and takes it. Time that the machine was suspended counts.
   */
  readonly bucket: { readonly cost: bigint; readonly burst: number };
  /**
   * A bucket as above for each value of the key; `room` of them find a place, in each group where that is part of
   * the key. One that is full again needs none. Where there is no place for another one, it has no token.
   */
  readonly buckets: BucketKey & {
    readonly cost: bigint;
    readonly burst: number;
    readonly room: number;
  };
  /** Holds so often, and never again. */
  readonly budget: { readonly calls: bigint };
  /** Holds at certain hours of certain days. Asks the time of day, and has no state. */
  readonly schedule: Schedule;
  /**
   * Holds for packets that the named set has or, of `exceptions`, for those of which an exception says that it has
   * them not. `changes`: by itself, since elements time out. `counts`: in the element that is found.
   */
  readonly member: {
    readonly set: string;
    readonly type: SetType;
    readonly family: Family;
    readonly sides: readonly Side[];
    readonly exceptions: boolean;
    readonly changes: boolean;
    readonly counts: boolean;
  };
}

export type QuestionKind = keyof Questions;

export type QuestionOf<K extends QuestionKind> = {
  readonly [P in K]: { readonly kind: P } & Questions[P];
}[K];

export type Question = QuestionOf<QuestionKind>;

/** A question of a rule, and whether the rule wants it to hold not. */
export interface OpaqueTest {
  readonly question: Question;
  readonly negated: boolean;
}

/** What an opaque test stands to say where nothing but a state in words is known. */
export type StateName = 'fresh' | 'exhausted';

interface QuestionRow<Q> {
  /** Whether being asked changes what it says next. */
  readonly hasState: boolean;
  /**
   * What it says where a call is judged once more: there nothing is taken, so what gives is taken not to be
   * used up, and what picks not to pick. Undefined: it is asked as ever.
   */
  readonly again: boolean | undefined;
  /** What it says at a time of day, in seconds since 1970, if that is all that it asks. */
  readonly at?: (question: Q, seconds: number) => boolean;
  /** What the question says in its first state, and when all that it gives has been taken; undefined: either. */
  readonly says: (question: Q) => Partial<Readonly<Record<StateName, boolean>>>;
}

const QUESTIONS: { readonly [K in QuestionKind]: QuestionRow<QuestionOf<K>> } = {
  chance: {
    hasState: false,
    again: false,
    says: ({ threshold }) => always(threshold === 0, threshold === 2 ** 31),
  },
  turn: {
    hasState: true,
    again: false,
    says: ({ every, at }) => (every === 1 ? always(false, true) : { fresh: at === 0 }),
  },
  budget: {
    hasState: true,
    again: true,
    says: ({ calls }) => (calls === 0n ? always(true, false) : { fresh: true, exhausted: false }),
  },
  schedule: { hasState: false, again: undefined, says: () => ({}), at: isOpen },
  member: { hasState: false, again: undefined, says: () => ({}) },
  bucket: { hasState: true, again: true, says: () => ({ fresh: true, exhausted: false }) },
  buckets: { hasState: true, again: true, says: () => ({ fresh: true, exhausted: false }) },
};

function always(never: boolean, ever: boolean) {
  return never || ever ? { fresh: ever, exhausted: ever } : {};
}

function rowOf<K extends QuestionKind>(question: QuestionOf<K>): QuestionRow<QuestionOf<K>> {
  return QUESTIONS[question.kind];
}

export function hasState({ question }: OpaqueTest): boolean {
  return questionHasState(question.kind);
}

export function questionHasState(kind: QuestionKind): boolean {
  return QUESTIONS[kind].hasState;
}

/** What a question of the kind says where a call is judged once more; undefined: what it says ever. */
export function saysAgain(kind: QuestionKind): boolean | undefined {
  return QUESTIONS[kind].again;
}

/** Whether a test is taken to hold; undefined if it may hold or not. */
export type Assume = (test: OpaqueTest) => boolean | undefined;

/** What may be known about the moment of a call. */
export interface Circumstances {
  readonly state?: StateName | undefined;
  /** Seconds since 1970 by the clock on the wall, whatever its time zone is. */
  readonly time?: number | undefined;
}

/** What is known of opaque tests in such circumstances. */
export function assumeIn({ state, time }: Circumstances): Assume {
  return (test) =>
    (time === undefined ? undefined : saysAt(test, time)) ??
    (state === undefined ? undefined : saysIn(test, state));
}

/** Whether the test is known to hold at the time of day. */
function saysAt({ question, negated }: OpaqueTest, seconds: number): boolean | undefined {
  const holds = rowOf(question).at?.(question, seconds);
  return holds === undefined ? undefined : holds !== negated;
}

export const STATE_NAMES: readonly StateName[] = ['fresh', 'exhausted'];

/** Whether the test is known to hold in such a state; undefined if it may hold or not. */
function saysIn({ question, negated }: OpaqueTest, state: StateName): boolean | undefined {
  const holds = rowOf(question).says(question)[state];
  return holds === undefined ? undefined : holds !== negated;
}
