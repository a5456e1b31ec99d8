/**
 * What the terminals of diagrams mean, numbered so that equal meanings are one terminal.
 *
 * An outcome counts, and then it is a verdict, goes on, or asks an opaque test: what becomes of the packet
 * where that holds, and where it does not, are outcomes again. So outcomes are a graph without loops, in
 * which tests stand in the order in which rules ask them, and what comes after several is there once.
 */
import { type Errno, elementAt, type Rewriting, rewritingKey, UNCHANGED } from '@sockfilter/table';
import { LimitError, type Limits } from './limit.js';
import { type Ref, terminalNumber, terminalRef } from './store.js';

export interface Verdict {
  readonly errno: Errno;
  /** Index of the counter of the rule or policy that decided. */
  readonly decider: number;
  /** How the call is rewritten with which it goes on; one that fails is as it was. */
  readonly rewriting: Rewriting;
}

/** A question to an opaque test, by its number, and the terminals where it leads. */
export interface Ask {
  readonly test: number;
  /** How the call stands of which it is asked, as far as the test looks at that. */
  readonly as: Rewriting;
  readonly holds: Ref;
  readonly fails: Ref;
}

/** What becomes of a packet, as far as the diagram tells. */
export interface Outcome {
  /** Undefined in diagrams that only count, and where a test is asked. */
  readonly verdict: Verdict | undefined;
  /** Indexes of the counters that the packet adds one to, in walking order; one may stand there twice. */
  readonly counted: readonly number[];
  /** What is asked once all that is counted. */
  readonly ask: Ask | undefined;
  /** In a layer: the rank of the rule that is the first so far. */
  readonly rank?: number | undefined;
}

/** What has become of a packet after some rules. */
export interface PartialOutcome extends Outcome {
  /** Whether its walk goes on behind the rules, leaves their chain or is over; or what it asks says so. */
  readonly onward: 'next' | 'leave' | 'over' | 'asks';
  /** How it is rewritten with which it goes on or leaves; undefined if as it came. */
  readonly becomes: Rewriting | undefined;
}

const rewritten = (rewriting: Rewriting) =>
  rewriting === UNCHANGED ? '' : ` as ${rewritingKey(rewriting)}`;

function keyOf({ onward, verdict, counted, ask, becomes, rank }: PartialOutcome): string {
  const end = verdict
    ? `${verdict.errno} ${verdict.decider}${rewritten(verdict.rewriting)}`
    : ask
      ? `${ask.test} ${ask.holds} ${ask.fails}${rewritten(ask.as)}`
      : becomes
        ? `- as ${rewritingKey(becomes)}`
        : '-';
  const ranked = rank === undefined ? '' : ` at ${rank}`;
  return `${onward} ${end}${ranked} ${counted.join()}`;
}

/** What terminals mean. */
export interface Outcomes {
  /** How many there are, by the numbers of terminals. */
  readonly length: number;
  readonly of: (terminal: Ref) => Outcome;
}

/** The outcome that is a verdict, and counts the decider alone. */
export function decided(errno: Errno, decider: number, rewriting: Rewriting): PartialOutcome {
  const verdict = { errno, decider, rewriting };
  return { onward: 'over', verdict, counted: [decider], ask: undefined, becomes: undefined };
}

/** The verdict of an outcome that counts its rule alone, as nearly all do; undefined for another outcome. */
function plainVerdict({ onward, verdict, counted, ask, becomes }: PartialOutcome) {
  if (!verdict || ask || becomes || onward !== 'over' || counted.length !== 1) return undefined;
  const isPlain = counted[0] === verdict.decider && verdict.rewriting === UNCHANGED;
  return isPlain ? verdict : undefined;
}

const PAIR = 2 ** 26;

/** One more than any errno. */
const ERRNOS = 2 ** 12;

/** How long the lists of counters may be together, with one for each question, and how many tests one way may ask. */
type OutcomeLimits = Pick<Limits, 'counted' | 'asked'>;

/** What is known of an outcome beside what it is. */
interface Known {
  readonly counted: number;
  readonly isOpen: boolean;
  readonly asked: number;
}

export class OutcomeTable implements Outcomes {
  /** A plain verdict is a number: its errno, and its decider times ERRNOS. */
  readonly #outcomes: (PartialOutcome | number)[] = [];
  readonly #numbers = new Map<string, number>();
  /** The plain verdict of each decider that came first: one more than its number, or 0. */
  #plain = new Int32Array(1024);
  /** By number: whether some way through it goes on behind the rules. */
  readonly #isOpen: boolean[] = [];
  /** By number: how many tests may be asked there one after the other. */
  readonly #asked: number[] = [];
  readonly #limits: OutcomeLimits;
  /** What joins have come to, by the rewriting of what goes on; undefined for all that does. */
  readonly #joined = new Map<Rewriting | undefined, Map<number, Ref>>();
  #counted = 0;

  constructor(limits: OutcomeLimits) {
    this.#limits = limits;
  }

  get length(): number {
    return this.#outcomes.length;
  }

  of(terminal: Ref): PartialOutcome {
    const outcome = elementAt(this.#outcomes, terminalNumber(terminal));
    if (typeof outcome !== 'number') return outcome;
    return decided(outcome % ERRNOS, Math.floor(outcome / ERRNOS), UNCHANGED);
  }

  /** True if some of its packets go on behind the rules. */
  isOpen(terminal: Ref): boolean {
    return elementAt(this.#isOpen, terminalNumber(terminal));
  }

  intern(outcome: PartialOutcome): Ref {
    const plain = plainVerdict(outcome);
    if (plain) return this.verdict(plain.errno, plain.decider);
    const key = keyOf(outcome);
    const known = this.#numbers.get(key);
    if (known !== undefined) return terminalRef(known);
    const { counted, ask, onward } = outcome;
    const isOpen = ask ? this.isOpen(ask.holds) || this.isOpen(ask.fails) : onward === 'next';
    const asked = ask ? 1 + Math.max(this.#askedFrom(ask.holds), this.#askedFrom(ask.fails)) : 0;
    if (asked > this.#limits.asked) throw new LimitError('asked', this.#limits.asked);
    const number = this.#add(outcome, { counted: counted.length + (ask ? 1 : 0), isOpen, asked });
    this.#numbers.set(key, number);
    return terminalRef(number);
  }

  /** The outcome that is a verdict on a call as it was asked for, and counts the decider alone. */
  verdict(errno: Errno, decider: number): Ref {
    const outcome = decider * ERRNOS + errno;
    const first = this.#plain[decider];
    if (first && this.#outcomes[first - 1] === outcome) return terminalRef(first - 1);
    const key = first ? keyOf(decided(errno, decider, UNCHANGED)) : undefined;
    const known = key === undefined ? undefined : this.#numbers.get(key);
    if (known !== undefined) return terminalRef(known);
    const number = this.#add(outcome, { counted: 1, isOpen: false, asked: 0 });
    if (key === undefined) this.#keepPlain(decider, number);
    else this.#numbers.set(key, number);
    return terminalRef(number);
  }

  #askedFrom(terminal: Ref): number {
    return elementAt(this.#asked, terminalNumber(terminal));
  }

  #add(outcome: PartialOutcome | number, { counted, isOpen, asked }: Known): number {
    this.#counted += counted;
    if (this.#counted > this.#limits.counted) throw new LimitError('counted', this.#limits.counted);
    this.#isOpen.push(isOpen);
    this.#asked.push(asked);
    return this.#outcomes.push(outcome) - 1;
  }

  #keepPlain(decider: number, number: number): void {
    if (decider >= this.#plain.length) {
      const grown = new Int32Array(2 ** Math.ceil(Math.log2(decider + 1)));
      grown.set(this.#plain);
      this.#plain = grown;
    }
    this.#plain[decider] = number + 1;
  }

  /** The outcome that asks the test; what is the same either way need not be asked. */
  ask(ask: Ask, counted: readonly number[] = []): Ref {
    if (ask.holds === ask.fails) return this.counting(counted, ask.holds);
    return this.intern({ onward: 'asks', verdict: undefined, counted, ask, becomes: undefined });
  }

  /** What becomes of packets where the second follows the first; or only what of the first goes on rewritten so. */
  join(first: Ref, second: Ref, only?: Rewriting): Ref {
    const { onward, counted, ask, becomes } = this.of(first);
    if (!this.isOpen(first)) return first;
    if (!ask) {
      const isFollowed = onward === 'next' && (!only || becomes === only);
      return isFollowed ? this.counting(counted, second) : first;
    }
    const joinedAlike = this.#joined.get(only) ?? new Map<number, Ref>();
    this.#joined.set(only, joinedAlike);
    const key = terminalNumber(first) * PAIR + terminalNumber(second);
    const known = joinedAlike.get(key);
    if (known !== undefined) return known;
    const holds = this.join(ask.holds, second, only);
    const fails = this.join(ask.fails, second, only);
    const joined = this.ask({ ...ask, holds, fails }, counted);
    joinedAlike.set(key, joined);
    return joined;
  }

  /** How packets are rewritten that the outcomes rewrite and let go on. */
  rewritings(terminals: readonly Ref[]): ReadonlySet<Rewriting> {
    const found = new Set<Rewriting>();
    const open = new Set(terminals.filter((ref) => this.isOpen(ref)));
    for (const ref of open) {
      const { ask, onward, becomes } = this.of(ref);
      if (onward === 'next' && becomes) found.add(becomes);
      for (const next of ask ? [ask.holds, ask.fails] : []) if (this.isOpen(next)) open.add(next);
    }
    return found;
  }

  /** The outcome with each end replaced; `known` remembers what has been done. */
  map(
    terminal: Ref,
    change: (end: PartialOutcome) => PartialOutcome,
    known = new Map<Ref, Ref>(),
  ): Ref {
    return this.take(this, terminal, change, known);
  }

  /** The same of an outcome of another table. */
  take(
    from: OutcomeTable,
    terminal: Ref,
    change: (end: PartialOutcome) => PartialOutcome,
    known = new Map<Ref, Ref>(),
  ): Ref {
    const outcome = from.of(terminal);
    const { ask, counted } = outcome;
    if (!ask) return this.intern(change(outcome));
    const before = known.get(terminal);
    if (before !== undefined) return before;
    const holds = this.take(from, ask.holds, change, known);
    const fails = this.take(from, ask.fails, change, known);
    const made = this.ask({ ...ask, holds, fails }, counted);
    known.set(terminal, made);
    return made;
  }

  /** The outcome that counts so much first. */
  counting(counted: readonly number[], then: Ref): Ref {
    if (counted.length === 0) return then;
    const outcome = this.of(then);
    return this.intern({ ...outcome, counted: [...counted, ...outcome.counted] });
  }
}
