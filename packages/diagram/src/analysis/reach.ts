/**
 * What rules count that decide nothing themselves: those without a target, calls and RETURN.
 *
 * Such a rule counts the packets that arrive at its chain, meet its condition, and have not left the
 * chain by an earlier rule. So a chain gets a diagram of where packets leave it. Its marks count only
 * in such rules: a packet that leaves with mark 2n or 2n+1 passed the first n of them; an odd mark
 * means that the packet is decided, an even one that it goes back to the caller. OUT: it never leaves
 * before the end.
 */
import {
  BUILTIN_CHAINS,
  type Chain,
  calledChain,
  type Rewriting,
  type Table,
} from '@sockfilter/table';
import { defineOperation } from '../operation.js';
import { isTerminal, type Ref } from '../store.js';
import {
  type Interpretation,
  interpretation,
  type Part,
  type PlacedRule,
  placeRules,
} from '../walk.js';
import { FreeTests } from './freetests.js';
import { IN, markOf, markRef, OUT, type SetStore } from './setstore.js';

/** The chains, callers before those they call. */
function callersFirst(table: Table): readonly Chain[] {
  const chains = new Map(table.chains.map((chain) => [chain.name, chain]));
  const finished = new Set<Chain>();
  const visit = (chain: Chain) => {
    if (finished.has(chain)) return;
    for (const rule of chain.rules) {
      const called = chains.get(calledChain(rule.target) ?? '');
      if (called) visit(called);
    }
    finished.add(chain);
  };
  table.chains.forEach(visit);
  return [...finished].reverse();
}

/** What reaches the chains and rules of a table, possible packets only. */
export interface Reached {
  /** The packets that each rule counts which decides nothing itself, by counter. */
  readonly counted: ReadonlyMap<number, Ref>;
  /** The packets that arrive at each chain, by name; none where it is absent. */
  readonly arriving: ReadonlyMap<string, Ref>;
}

class Reach implements Reached, Interpretation<Ref> {
  readonly counted = new Map<number, Ref>();
  readonly arriving = new Map<string, Ref>();
  readonly #store: SetStore;
  readonly #table: Table;
  readonly #placed: ReadonlyMap<Chain, readonly PlacedRule[]>;
  /** By counter: how many rules that do not decide a packet has passed in the chain, this one included. */
  readonly #passed = new Map<number, number>();
  /** Where packets leave each chain. */
  readonly #leavingOf: (chain: Chain) => Ref;
  readonly #reaching;
  readonly #tests: FreeTests;

  constructor(store: SetStore, table: Table) {
    this.#store = store;
    this.#table = table;
    /** A condition that is marked where it holds, and a diagram of leaving: who is still there. */
    this.#reaching = defineOperation(store.diagrams, (a, b) => {
      if (a === OUT) return OUT;
      if (!isTerminal(a)) return undefined;
      if (b === OUT) return IN;
      if (!isTerminal(b)) return undefined;
      return markOf(b) >> 1 > markOf(a) ? IN : OUT;
    });
    this.#tests = new FreeTests(store, table);
    this.#placed = placeRules(table);
    for (const rules of this.#placed.values()) {
      let passed = 0;
      for (const at of rules) {
        if (!isDeciding(at)) passed++;
        this.#passed.set(at.counter, passed);
      }
    }
    const rulesOf = (chain: Chain) => this.#rulesOf(chain);
    const { rewritings: mostRewritings } = store.limits;
    this.#leavingOf = interpretation(table, this, {
      rulesOf,
      remembers: true,
      rewritesAny: false,
      mostRewritings,
      asksSets: false,
    });
    for (const name of BUILTIN_CHAINS)
      this.arriving.set(name, store.intersect(store.possible, store.chain(name)));
    for (const chain of callersFirst(table)) this.#walk(chain);
  }

  readonly next = (): Ref => OUT;

  readonly decide = (at: PlacedRule): Ref => this.#where(at, this.#decided(at));

  readonly leave = (at: PlacedRule): Ref => this.#where(at, this.#back(at));

  readonly call = (at: PlacedRule, inside: () => Ref, comesBack: boolean): Ref => {
    const { guard, overlay } = this.#store;
    const called = this.#store.replace(inside(), (terminal) =>
      terminal !== OUT && markOf(terminal) % 2 === 1 ? this.#decided(at) : OUT,
    );
    const deciding = guard(this.#where(at, IN), called);
    return comesBack ? deciding : overlay(deciding, this.#where(at, this.#back(at)));
  };

  /** What goes back to the caller is told apart by its mark. */
  readonly join = (_: Chain, parts: Iterable<Part<Ref>>): Ref => {
    const meanings = [...parts].map(({ meaning }) => meaning);
    return this.#store.overlayAll(meanings.filter((part) => part !== OUT));
  };

  readonly rewritings = (): readonly Rewriting[] => [];

  readonly divert = (): never => {
    throw new TypeError('a table that rewrites is none for this: see rewrittenreach.ts');
  };

  #rulesOf(chain: Chain): readonly PlacedRule[] {
    return this.#placed.get(chain) ?? [];
  }

  #walk(chain: Chain): void {
    const { intersect, union } = this.#store;
    const arriving = this.arriving.get(chain.name) ?? OUT;
    for (const at of this.#rulesOf(chain)) {
      if (isDeciding(at)) continue;
      const marked = this.#where(at, markRef(this.#passedBy(at) - 1));
      const counted =
        arriving === OUT
          ? OUT
          : intersect(arriving, this.#reaching(marked, this.#leavingOf(chain)));
      this.counted.set(at.counter, counted);
      if (at.step.kind !== 'call') continue;
      const called = at.step.chain;
      this.arriving.set(called, union(this.arriving.get(called) ?? OUT, counted));
    }
  }

  #passedBy(at: PlacedRule): number {
    const passed = this.#passed.get(at.counter);
    if (passed === undefined) throw new TypeError(`no counter ${at.counter}`);
    return passed;
  }

  /** The mark of packets that the rule sends back to the caller, and of those that it decides. */
  #back(at: PlacedRule): Ref {
    return markRef(2 * this.#passedBy(at));
  }

  #decided(at: PlacedRule): Ref {
    return markRef(2 * this.#passedBy(at) + 1);
  }

  #where({ rule, counter }: PlacedRule, hit: Ref): Ref {
    const { conditions } = this.#store;
    return conditions.compileRule({ rule }, this.#table, this.#tests.where(counter, hit));
  }
}

/** True for a rule that ends the walk of whatever it matches. */
function isDeciding({ step }: PlacedRule): boolean {
  return step.kind === 'decide';
}

export function reachChains(store: SetStore, table: Table): Reached {
  return new Reach(store, table);
}
