/**
 * What becomes of a packet in some rules as they are, and in the same rules with one of them changed,
 * for each whose change makes a difference so far. Equal meanings are one terminal.
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
  /** By counter: the fate in that rule's variant, where it is another than `actual`. */
  readonly others: ReadonlyMap<number, Fate>;
}

const NONE: Variants = { actual: NEXT, others: new Map() };

function makeVariants(actual: Fate, fates: Iterable<readonly [number, Fate]>): Variants {
  const others = [...fates].filter(([, fate]) => fate !== actual);
  return { actual, others: new Map(others.sort(([a], [b]) => a - b)) };
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

  intern(actual: Fate, others: Iterable<readonly [number, Fate]>): Ref {
    const variants = makeVariants(actual, others);
    if (actual === NEXT && variants.others.size === 0) return OUT;
    const key = `${actual} ${[...variants.others].join(' ')}`;
    const known = this.#refs.get(key);
    if (known !== undefined) return known;
    this.#count += 1 + variants.others.size;
    if (this.#count > this.#limit) throw new LimitError('counted', this.#limit);
    const ref = markRef(this.#all.length);
    this.#all.push(variants);
    this.#isOver.push(actual !== NEXT && ![...variants.others.values()].includes(NEXT));
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
    const others = [...new Set([...a.others.keys(), ...b.others.keys()])].map(
      (counter): [number, Fate] => {
        const fate = a.others.get(counter) ?? a.actual;
        return [counter, fate === NEXT ? (b.others.get(counter) ?? b.actual) : fate];
      },
    );
    const joined = this.intern(actual, others);
    this.#joined.set(key, joined);
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
    return this.intern(actual, [...others, [counter, fate]]);
  }
}
