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
import { type PlacedRule, type RulesOf, rulesOf } from '../placedrule.js';
import { isTerminal, type Ref } from '../store.js';
import { type Interpretation, interpretation, type Part } from '../walk.js';
import { FreeTests } from './freetests.js';
import { IN, markOf, markRef, OUT, type SetStore } from './setstore.js';
import type { Slice } from './slices.js';

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
  /** By counter: how many rules that do not decide a packet has passed in the chain, this one included. */
  readonly #passed = new Map<number, number>();
  readonly #reaching;
  readonly #tests: FreeTests;

  constructor(store: SetStore, table: Table, slices: readonly Slice[] | undefined) {
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
    const all = rulesOf(table);
    for (const chain of table.chains) {
      let passed = 0;
      for (const at of all(chain)) {
        if (!isDeciding(at)) passed++;
        this.#passed.set(at.counter, passed);
      }
    }
    for (const name of BUILTIN_CHAINS)
      this.arriving.set(name, store.intersect(store.possible, store.chain(name)));
    const chains = callersFirst(table);
    for (const { rulesOf, open, cuts } of slices ?? []) {
      const leavingOf = this.#leaving(rulesOf);
      const arriving = new Map<string, Ref>(
        BUILTIN_CHAINS.map((name) => [name, store.intersect(this.#arrivingAt(name), open)]),
      );
      for (const chain of chains.filter(cuts))
        this.#walk(
          rulesOf(chain),
          arriving.get(chain.name) ?? OUT,
          () => leavingOf(chain),
          arriving,
        );
    }
    const isWhole = (chain: Chain) => !slices?.some(({ cuts }) => cuts(chain));
    const leavingOf = this.#leaving(all);
    for (const chain of chains.filter(isWhole))
      this.#walk(all(chain), this.#arrivingAt(chain.name), () => leavingOf(chain));
  }

  #arrivingAt(chain: string): Ref {
    return this.arriving.get(chain) ?? OUT;
  }

  /** Where packets leave each chain. */
  #leaving(rulesOf: RulesOf): (chain: Chain) => Ref {
    return interpretation(this.#table, this, {
      rulesOf,
      remembers: true,
      rewritesAny: false,
      mostRewritings: this.#store.limits.rewritings,
      asksSets: false,
    });
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

  /** @param arriving what arrives at chains of a slice, added to */
  #walk(
    rules: readonly PlacedRule[],
    here: Ref,
    leaving: () => Ref,
    arriving: Map<string, Ref> = this.arriving,
  ): void {
    const { intersect, union } = this.#store;
    const add = <K>(refs: Map<K, Ref>, key: K, more: Ref) =>
      refs.set(key, union(refs.get(key) ?? OUT, more));
    for (const at of rules) {
      if (isDeciding(at)) continue;
      const marked = this.#where(at, markRef(this.#passedBy(at) - 1));
      const counted = here === OUT ? OUT : intersect(here, this.#reaching(marked, leaving()));
      add(this.counted, at.counter, counted);
      if (at.step.kind !== 'call') continue;
      for (const refs of new Set([arriving, this.arriving])) add(refs, at.step.chain, counted);
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

/** @param slices the rules of built-in chains, if they are too much as one */
export function reachChains(store: SetStore, table: Table, slices?: readonly Slice[]): Reached {
  return new Reach(store, table, slices);
}
