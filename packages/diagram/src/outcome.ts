/** What the terminals of diagrams mean, numbered so that equal meanings are one terminal. */
import { type Errno, elementAt } from '@sockfilter/table';
import { LimitError } from './limit.js';
import { type Ref, terminalNumber, terminalRef } from './store.js';

export interface Verdict {
  readonly errno: Errno;
  /** Index of the counter of the rule or policy that decided. */
  readonly decider: number;
}

/** What becomes of a packet, as far as the diagram tells. */
export interface Outcome {
  /** Undefined in diagrams that only count. */
  readonly verdict: Verdict | undefined;
  /** Indexes of the counters that the packet adds one to, in walking order; one may stand there twice. */
  readonly counted: readonly number[];
}

/** What has become of a packet after some rules. */
export interface PartialOutcome extends Outcome {
  /** Whether its walk goes on behind the rules, leaves their chain or is over. */
  readonly onward: 'next' | 'leave' | 'over';
}

function keyOf({ onward, verdict, counted }: PartialOutcome): string {
  return `${onward} ${verdict ? `${verdict.errno} ${verdict.decider}` : '-'} ${counted.join()}`;
}

export class OutcomeTable {
  readonly #outcomes: PartialOutcome[] = [];
  readonly #numbers = new Map<string, number>();
  readonly #limit: number;
  #counted = 0;

  /** @param countedLimit how long the lists of counters may be together */
  constructor(countedLimit: number) {
    this.#limit = countedLimit;
  }

  /** All outcomes, by terminal number. */
  get all(): readonly PartialOutcome[] {
    return this.#outcomes;
  }

  of(terminal: Ref): PartialOutcome {
    return elementAt(this.#outcomes, terminalNumber(terminal));
  }

  intern(outcome: PartialOutcome): Ref {
    const key = keyOf(outcome);
    const known = this.#numbers.get(key);
    if (known !== undefined) return terminalRef(known);
    this.#counted += outcome.counted.length;
    if (this.#counted > this.#limit) throw new LimitError('counted', this.#limit);
    const number = this.#outcomes.length;
    this.#outcomes.push(outcome);
    this.#numbers.set(key, number);
    return terminalRef(number);
  }
}
