/**
 * What becomes of a packet in some rules as they are, and in the same rules with one of them changed,
 * for each whose change makes a difference so far. Equal meanings are one terminal.
 */
import {
  agreement,
  type Clause,
  type Errno,
  elementAt,
  type Rewriting,
  rewritingKey,
  wholeRewriting,
} from '@sockfilter/table';
import { LimitError } from '../limit.js';
import type { Ref } from '../store.js';
import { markOf, markRef, OUT } from './setstore.js';

/**
 * A number: of packets that are decided the errno and the rewriting; else NEXT or LEAVE, or one of those with the
 * rewriting if there is another one than when the packet came.
 */
export type Fate = number;
/** The walk goes on with the rule after. */
export const NEXT: Fate = -1;
/** The walk leaves the chain. */
export const LEAVE: Fate = -2;

/** No errno is so high. */
const ERRNOS = 4096;

/** The number of each rewriting, and fates with them. */
export class Fates {
  readonly #all: Rewriting[] = [];
  readonly #numbers = new Map<string, number>();

  decided(errno: Errno, rewriting: Rewriting): Fate {
    return errno === 0 ? ERRNOS * this.#number(wholeRewriting(rewriting)) : errno;
  }

  /** The packets for which two fates are the same, as clauses; undefined if they are so for none. */
  agreement(one: Fate, other: Fate): readonly Clause[] | undefined {
    if (one < 0 || other < 0 || one % ERRNOS !== 0 || other % ERRNOS !== 0) return undefined;
    const [first, second] = [one, other].map((fate) => elementAt(this.#all, fate / ERRNOS));
    return first && second && agreement(first, second);
  }

  /** The walk goes on, the packet being rewritten so. */
  next(rewriting: Rewriting): Fate {
    return NEXT - 2 * (1 + this.#number(rewriting));
  }

  /** The same packet leaves the chain in the stead of going on; `as` is how it came. */
  leaving(fate: Fate): Fate {
    return isNext(fate) ? fate - 1 : fate;
  }

  /** The rewriting of packets that go on, if it is another than when they came. */
  rewritingOf(fate: Fate): Rewriting | undefined {
    return isNext(fate) && fate !== NEXT ? elementAt(this.#all, (NEXT - fate) / 2 - 1) : undefined;
  }

  #number(rewriting: Rewriting): number {
    const key = rewritingKey(rewriting);
    const known = this.#numbers.get(key);
    if (known !== undefined) return known;
    const number = this.#all.length;
    this.#all.push(rewriting);
    this.#numbers.set(key, number);
    return number;
  }
}

/** Whether the walk goes on with the rule after, however the packet is rewritten. */
function isNext(fate: Fate): boolean {
  return fate < 0 && fate % 2 !== 0;
}

/** What leaves the chain goes on where it was called. */
export function returned(fate: Fate): Fate {
  return fate < 0 && fate % 2 === 0 ? fate + 1 : fate;
}

export interface Variants {
  readonly actual: Fate;
  /** By counter: the fate in that rule's variant, where it is another than `actual`. */
  readonly others: ReadonlyMap<number, Fate>;
}

const NONE: Variants = { actual: NEXT, others: new Map() };

function makeVariants(actual: Fate, fates: Iterable<readonly [number, Fate]>): Variants {
  const others = [...fates].filter(([, fate]) => fate !== actual);
  return { actual, others: new Map(others.sort(([a], [b]) => a - b)) };
}

/** No rule's counter. */
const NOBODY = -1;

/** Numbers what terminals mean; OUT means that nothing has happened. */
export class VariantTable {
  readonly #actuals: Fate[] = [];
  /** The rule of a terminal in whose variant alone the fate is another, and that fate; else NOBODY. */
  readonly #counters: number[] = [];
  readonly #fates: Fate[] = [];
  /** By number, what is no such terminal. */
  readonly #all = new Map<number, Variants>();
  readonly #isOver: boolean[] = [];
  readonly #refs = new Map<string, Ref>();
  /** Terminals with one variant, by the fates as they are and there, and the counter. */
  readonly #lone = new Map<Fate, Map<Fate, Map<number, Ref>>>();
  readonly #joined = new Map<Fate, Map<number, Ref>>();
  readonly #limit: number;
  #count = 0;

  /** @param limit how many rules all terminals may list together */
  constructor(limit: number) {
    this.#limit = limit;
  }

  of(terminal: Ref): Variants {
    if (terminal === OUT) return NONE;
    const number = markOf(terminal);
    const known = this.#all.get(number);
    if (known) return known;
    const others = new Map([[elementAt(this.#counters, number), elementAt(this.#fates, number)]]);
    return { actual: elementAt(this.#actuals, number), others };
  }

  /** True if the packet has the fate, in one variant or as it is. */
  has(terminal: Ref, fate: Fate): boolean {
    const { actual, others } = this.of(terminal);
    return actual === fate || [...others.values()].includes(fate);
  }

  /** True if no rule after can change anything. */
  isOver(terminal: Ref): boolean {
    return terminal !== OUT && elementAt(this.#isOver, markOf(terminal));
  }

  intern(actual: Fate, others: Iterable<readonly [number, Fate]>): Ref {
    const variants = makeVariants(actual, others);
    const [only, other] = variants.others;
    if (only && !other) return this.alone(actual, ...only);
    if (actual === NEXT && variants.others.size === 0) return OUT;
    const key = `${actual} ${[...variants.others].join(' ')}`;
    const known = this.#refs.get(key);
    if (known !== undefined) return known;
    const isOver = ![actual, ...variants.others.values()].some(isNext);
    const ref = this.#add(actual, NOBODY, actual, isOver, 1 + variants.others.size);
    this.#all.set(markOf(ref), variants);
    this.#refs.set(key, ref);
    return ref;
  }

  #add(actual: Fate, counter: number, fate: Fate, isOver: boolean, listed: number): Ref {
    this.#count += listed;
    if (this.#count > this.#limit) throw new LimitError('counted', this.#limit);
    const ref = markRef(this.#actuals.length);
    this.#actuals.push(actual);
    this.#counters.push(counter);
    this.#fates.push(fate);
    this.#isOver.push(isOver);
    return ref;
  }

  /** The terminal with one variant, as nearly all have before rules that overlap are joined. */
  alone(actual: Fate, counter: number, fate: Fate): Ref {
    if (actual === fate) return this.intern(actual, []);
    const byFate = this.#lone.get(actual) ?? new Map<Fate, Map<number, Ref>>();
    this.#lone.set(actual, byFate);
    const byCounter = byFate.get(fate) ?? new Map<number, Ref>();
    byFate.set(fate, byCounter);
    const known = byCounter.get(counter);
    if (known !== undefined) return known;
    const ref = this.#add(actual, counter, fate, !isNext(actual) && !isNext(fate), 2);
    byCounter.set(counter, ref);
    return ref;
  }

  /** What a terminal with one variant, followed by one with none, comes to; undefined for others. */
  #joinLone(first: Ref, second: Ref, open: Fate): Ref | undefined {
    const [one, other] = [markOf(first), markOf(second)];
    const counter = first === OUT ? NOBODY : elementAt(this.#counters, one);
    if (counter === NOBODY) return undefined;
    if (second !== OUT && this.#all.get(other)?.others.size !== 0) return undefined;
    const behind = second === OUT ? NEXT : elementAt(this.#actuals, other);
    const followed = (fate: Fate) => (fate === open ? behind : fate);
    return this.alone(
      followed(elementAt(this.#actuals, one)),
      counter,
      followed(elementAt(this.#fates, one)),
    );
  }

  /** What becomes of a packet in rules that follow each other, where it has the fate `open` in the first. */
  join(first: Ref, second: Ref, open: Fate = NEXT): Ref {
    const lone = this.#joinLone(first, second, open);
    if (lone !== undefined) return lone;
    const joinedAlike = this.#joined.get(open) ?? new Map<number, Ref>();
    this.#joined.set(open, joinedAlike);
    const key = markOf(first) * 2 ** 26 + markOf(second);
    const known = joinedAlike.get(key);
    if (known !== undefined) return known;
    const [a, b] = [this.of(first), this.of(second)];
    const actual = a.actual === open ? b.actual : a.actual;
    const others = [...new Set([...a.others.keys(), ...b.others.keys()])].map(
      (counter): [number, Fate] => {
        const fate = a.others.get(counter) ?? a.actual;
        return [counter, fate === open ? (b.others.get(counter) ?? b.actual) : fate];
      },
    );
    const joined = this.intern(actual, others);
    joinedAlike.set(key, joined);
    return joined;
  }

  /** The terminal with each fate replaced. */
  map(terminal: Ref, change: (fate: Fate) => Fate): Ref {
    const { actual, others } = this.of(terminal);
    return this.intern(
      change(actual),
      [...others].map(([counter, fate]): [number, Fate] => [counter, change(fate)]),
    );
  }

  /** The terminal with one more variant. */
  with(terminal: Ref, counter: number, fate: Fate): Ref {
    const { actual, others } = this.of(terminal);
    return this.intern(actual, [
      ...[...others].filter(([other]) => other !== counter),
      [counter, fate],
    ]);
  }
}
