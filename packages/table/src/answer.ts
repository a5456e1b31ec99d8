/** The reference meaning of opaque questions, apart from whatever answers them faster. */
import { bucketOf } from './bucketkey.js';
import type { Packet } from './packet.js';
import type { OpaqueTest, QuestionKind, QuestionOf } from './question.js';
import { isOpen } from './schedule.js';
import { isMember } from './sets/membership.js';
import { requireSet } from './sets/namedset.js';
import type { Table } from './table.js';

/** What a question with a state remembers: numbers whose meaning is its own. */
export type State = readonly bigint[];

/** What opaque tests look at beside their states. */
export interface World {
  /** Nanoseconds since the machine started, suspended time included. */
  readonly uptime: bigint;
  /** Seconds since 1970 by UTC, and minutes by which the time zone is west of it. */
  readonly time: number;
  readonly minutesWest: number;
  /** A random integer of 32 bits. */
  readonly random: () => number;
}

/** What tests see that look at nothing of the world. */
export const NO_WORLD: World = { uptime: 0n, time: 0, minutesWest: 0, random: () => 0 };

/** The call that a test is asked about, and the sets of its table. */
export interface Subject {
  readonly packet: Packet;
  readonly sets: Table['sets'];
}

const NS_PER_SECOND = 1_000_000_000n;

interface Answer {
  readonly holds: boolean;
  readonly next?: State;
}

/** Takes a token of a bucket that had the credit then, if there is one; a new bucket is full. */
function take(
  { cost, burst }: { readonly cost: bigint; readonly burst: number },
  now: bigint,
  left: bigint = cost * BigInt(burst),
  since: bigint = now,
) {
  const full = cost * BigInt(burst);
  const refilled = left + now - since;
  const credit = refilled < full ? refilled : full;
  return credit < cost ? { holds: false, credit } : { holds: true, credit: credit - cost };
}

/** What each question says; `state` is undefined before it was asked the first time. */
const ANSWERS: {
  readonly [K in QuestionKind]: (
    question: QuestionOf<K>,
    state: State | undefined,
    world: World,
    subject: Subject,
  ) => Answer;
} = {
  chance: ({ threshold }, _, { random }) => ({ holds: random() % 2 ** 31 < threshold }),
  turn: ({ every, at }, [turn = 0n] = []) => ({
    holds: turn === BigInt(at),
    next: [turn + 1n === BigInt(every) ? 0n : turn + 1n],
  }),
  budget: ({ calls }, [spent = 0n] = []) => ({ holds: spent < calls, next: [spent + 1n] }),
  schedule: (schedule, _, { time, minutesWest }) => ({
    holds: isOpen(schedule, time - (schedule.isLocal ? 60 * minutesWest : 0)),
  }),
  // Timeouts run from when the machine was started: the table was loaded then.
  member: (question, _, { uptime }, { packet, sets }) => ({
    holds: isMember(
      requireSet({ sets }, question.set),
      question,
      packet,
      (timeout) => uptime >= BigInt(timeout) * NS_PER_SECOND,
    ),
  }),
  bucket: (question, [left, since] = [], { uptime }) => {
    const { holds, credit } = take(question, uptime, left, since);
    return { holds, next: [credit, uptime] };
  },
  // Three numbers a bucket: its key, and what one alone has. Those that are full again are as good as none; there is
  // room for all.
  buckets: (question, state = [], { uptime }, { packet }) => {
    const key = bucketOf(question, packet);
    const full = question.cost * BigInt(question.burst);
    const others: bigint[] = [];
    let own: readonly bigint[] = [];
    for (let n = 0; n < state.length; n += 3) {
      const [each = 0n, left = 0n, since = 0n] = state.slice(n, n + 3);
      if (each === key) own = [left, since];
      else if (left + uptime - since < full) others.push(each, left, since);
    }
    const { holds, credit } = take(question, uptime, ...own);
    return { holds, next: [...others, key, credit, uptime] };
  },
};

function answerTo<K extends QuestionKind>(
  question: QuestionOf<K>,
  state: State | undefined,
  world: World,
  subject: Subject,
): Answer {
  return ANSWERS[question.kind](question, state, world, subject);
}

/** Whether the test holds, and its next state if it has one. */
export function askTest(
  { question, negated }: OpaqueTest,
  state: State | undefined,
  world: World,
  subject: Subject,
): Answer {
  const { holds, ...rest } = answerTo(question, state, world, subject);
  return { holds: holds !== negated, ...rest };
}
