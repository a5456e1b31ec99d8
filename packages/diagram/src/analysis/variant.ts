/**
 * What becomes of a packet in some rules as they are, and in the same rules without one of them, for
 * each whose removal makes a difference so far. Equal meanings are one terminal.
 */
import { type Errno, elementAt } from '@sockfilter/table';
import { LimitError } from '../limit.js';
import type { Ref } from '../store.js';
import { markOf, markRef, OUT } from './setstore.js';

/** The errno where the packet is decided, else NEXT or LEAVE. */
export type Fate = Errno;
/** The walk goes on with the rule after. */
export const NEXT: Fate = -1;
/** The walk leaves the chain. */
export const LEAVE: Fate = -2;

export interface Variants {
  readonly actual: Fate;
  /** By counter: the fate without that rule, where it is another than `actual`. */
  readonly without: ReadonlyMap<number, Fate>;
}

const NONE: Variants = { actual: NEXT, without: new Map() };

function makeVariants(actual: Fate, without: Iterable<readonly [number, Fate]>): Variants {
  const others = [...without].filter(([, fate]) => fate !== actual);
  return { actual, without: new Map(others.sort(([a], [b]) => a - b)) };
}

/** Numbers what terminals mean; OUT means that nothing has happened. */
export class VariantTable {
  readonly #all: Variants[] = [];
  readonly #isOver: boolean[] = [];
  readonly #refs = new Map<string, Ref>();
  readonly #joined = new Map<number, Ref>();
  readonly #limit: number;
  #count = 0;

  /** @param limit how many rules all terminals may list together */
  constructor(limit: number) {
    this.#limit = limit;
  }

  of(terminal: Ref): Variants {
    return terminal === OUT ? NONE : elementAt(this.#all, markOf(terminal));
  }

  /** True if no rule after can change anything. */
  isOver(terminal: Ref): boolean {
    return terminal !== OUT && elementAt(this.#isOver, markOf(terminal));
  }

  intern(actual: Fate, without: Iterable<readonly [number, Fate]>): Ref {
    const variants = makeVariants(actual, without);
    if (actual === NEXT && variants.without.size === 0) return OUT;
    const key = `${actual} ${[...variants.without].join(' ')}`;
    const known = this.#refs.get(key);
    if (known !== undefined) return known;
    this.#count += 1 + variants.without.size;
    if (this.#count > this.#limit) throw new LimitError('counted', this.#limit);
    const ref = markRef(this.#all.length);
    this.#all.push(variants);
    this.#isOver.push(actual !== NEXT && ![...variants.without.values()].includes(NEXT));
    this.#refs.set(key, ref);
    return ref;
  }

  /** What becomes of a packet in rules that follow each other. */
  join(first: Ref, second: Ref): Ref {
    const key = markOf(first) * 2 ** 26 + markOf(second);
    const known = this.#joined.get(key);
    if (known !== undefined) return known;
    const [a, b] = [this.of(first), this.of(second)];
    const actual = a.actual === NEXT ? b.actual : a.actual;
    const without = [...new Set([...a.without.keys(), ...b.without.keys()])].map(
      (counter): [number, Fate] => {
        const fate = a.without.get(counter) ?? a.actual;
        return [counter, fate === NEXT ? (b.without.get(counter) ?? b.actual) : fate];
      },
    );
    const joined = this.intern(actual, without);
    this.#joined.set(key, joined);
    return joined;
  }

  /** The terminal with each fate replaced. */
  map(terminal: Ref, change: (fate: Fate) => Fate): Ref {
    const { actual, without } = this.of(terminal);
    return this.intern(
      change(actual),
      [...without].map(([counter, fate]): [number, Fate] => [counter, change(fate)]),
    );
  }

  /** The terminal of packets that a rule acts upon: without the rule nothing happens to them. */
  withRule(terminal: Ref, counter: number): Ref {
    const { actual, without } = this.of(terminal);
    return this.intern(actual, [...without, [counter, NEXT]]);
  }
}
