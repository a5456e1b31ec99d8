/**
 * The verdict of each packet in a table, and its verdict in the table with one rule changed, for each
 * rule that makes a difference for it. Chains are joined from rules as the verdict's diagram is, in
 * halves.
 */
import {
  BUILTIN_CHAINS,
  builtinChain,
  type Chain,
  type Errno,
  policyErrno,
  type Table,
} from '@sockfilter/table';
import { defineOperation, type Operation } from '../operation.js';
import { isTerminal, type Ref } from '../store.js';
import {
  type Interpretation,
  interpretation,
  type Part,
  type PlacedRule,
  placeRules,
} from '../walk.js';
import { FreeTests } from './freetests.js';
import { IN, markRef, OUT, type SetStore } from './setstore.js';
import { type Fate, LEAVE, NEXT, VariantTable } from './variant.js';

/** The rules that are changed, each alone, by counter. */
export interface Variation {
  /** Whether there is a variant without the rule. */
  readonly removes?: (counter: number) => boolean;
  /** Whether there is a variant in which the rule is asked first in its chain as well. */
  readonly promotes?: (counter: number) => boolean;
}

const none = () => false;

class VariantCompiler implements Interpretation<Ref> {
  readonly variants: VariantTable;
  readonly #store: SetStore;
  readonly #table: Table;
  readonly #removes: (counter: number) => boolean;
  readonly #promotes: (counter: number) => boolean;
  readonly #chainDiagram: (chain: Chain) => Ref;
  readonly #join: Operation;
  readonly #tests: FreeTests;

  constructor(store: SetStore, table: Table, { removes = none, promotes = none }: Variation) {
    this.#store = store;
    this.#table = table;
    this.#removes = removes;
    this.#promotes = promotes;
    const variants = new VariantTable(store.limits.counted);
    this.variants = variants;
    const isOver = (ref: Ref) => isTerminal(ref) && variants.isOver(ref);
    this.#join = defineOperation(
      store.diagrams,
      (a, b) => {
        if (a === OUT) return b;
        if (b === OUT) return a;
        if (!isTerminal(a)) return undefined;
        if (variants.isOver(a)) return a;
        return isTerminal(b) ? variants.join(a, b) : undefined;
      },
      { first: isOver },
    );
    this.#tests = new FreeTests(store, table);
    const placed = placeRules(table);
    const rulesOf = (chain: Chain) => placed.get(chain) ?? [];
    this.#chainDiagram = interpretation(table, this, { rulesOf, remembers: true });
  }

  /** The diagram of all possible packets, policies included. */
  compile(): Ref {
    const store = this.#store;
    const parts = BUILTIN_CHAINS.map((name) => {
      const chain = builtinChain(this.#table, name);
      const policy = this.variants.intern(policyErrno(chain.policy), []);
      const here = store.intersect(store.possible, store.chain(name));
      return store.guard(here, this.#join(this.#chainDiagram(chain), policy));
    });
    return store.overlayAll(parts);
  }

  readonly next = (): Ref => OUT;

  readonly decide = (at: PlacedRule, errno: Errno): Ref => this.#ends(at, errno);

  readonly leave = (at: PlacedRule): Ref => this.#ends(at, LEAVE);

  readonly call = (at: PlacedRule, inside: () => Ref, comesBack: boolean): Ref => {
    const after = comesBack ? NEXT : LEAVE;
    const whole = this.#store.replace(inside(), (terminal) => {
      const called = this.variants.map(terminal, (fate) => (fate === NEXT ? after : fate));
      return this.#removes(at.counter) ? this.variants.with(called, at.counter, NEXT) : called;
    });
    return this.#store.guard(this.#where(at, IN), whole);
  };

  readonly join = (_: Chain, parts: Iterable<Part<Ref>>): Ref => {
    const all = [...parts].filter(({ meaning }) => meaning !== OUT);
    const promoted = all.filter(({ at }) => this.#promotes(at.counter));
    const meanings = [
      ...promoted.map(({ at, meaning }) => this.#inFront(at, meaning)),
      ...all.map(({ meaning }) => meaning),
    ];
    return this.#store.replace(this.#store.overlayAll(meanings, this.#join), (terminal) =>
      this.variants.map(terminal, (fate) => (fate === LEAVE ? NEXT : fate)),
    );
  };

  /** The rule as one that does nothing but in its own variant. */
  #inFront({ counter }: PlacedRule, meaning: Ref): Ref {
    return this.#store.replace(meaning, (terminal) =>
      this.variants.intern(NEXT, [[counter, this.variants.of(terminal).actual]]),
    );
  }

  /** The rule's fate for what it matches, which would go on without it. */
  #ends(at: PlacedRule, fate: Fate): Ref {
    const without: readonly [number, Fate][] = this.#removes(at.counter)
      ? [[at.counter, NEXT]]
      : [];
    return this.#where(at, this.variants.intern(fate, without));
  }

  #where({ rule, counter }: PlacedRule, hit: Ref): Ref {
    const { conditions } = this.#store;
    return conditions.compileRule(rule, this.#table, this.#tests.where(counter, hit));
  }
}

/** The rules in whose variant some possible packet has another verdict, by counter. */
export function rulesThatMatter(
  store: SetStore,
  table: Table,
  variation: Variation,
): ReadonlySet<number> {
  const compiler = new VariantCompiler(store, table, variation);
  const counters = new Set<number>();
  for (const mark of store.marks(compiler.compile()))
    for (const counter of compiler.variants.of(markRef(mark)).others.keys()) counters.add(counter);
  return counters;
}
