/** What describes an opaque question to the programs. */
import type { Item } from '@sockfilter/bpf';

/** Where opaque questions look at what is neither in their node nor in their state; each keeps r6 to r9. */
export interface World {
  /** r0 = nanoseconds since the machine started. */
  readonly uptime: readonly Item[];
  /** r0 = nanoseconds since 1970 by atomic time. */
  readonly atomicTime: readonly Item[];
  /** r0 = a random number of 32 bits. */
  readonly random: readonly Item[];
}

/** Where the instructions of a question go on. */
interface Answering extends World {
  /** Begins the names of labels of its own. */
  readonly name: string;
  readonly holds: string;
  readonly fails: string;
}

export interface QuestionRow<Q> {
  /** At most ASK_NODES - 2 unsigned integers of 64 bits. */
  readonly parameters: (question: Q) => readonly bigint[];
  /** Whether it looks at the state of slot 0, how clocks stand to each other. */
  readonly readsClock?: boolean;
  /** See program/ask.ts for what the registers hold. */
  readonly answer: (answering: Answering) => readonly Item[];
}
