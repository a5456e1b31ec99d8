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
  elementAt,
  isBuiltinChain,
  policyErrno,
  type Rewriting,
  type Table,
  UNCHANGED,
} from '@sockfilter/table';
import type { Link } from '../intervalpath.js';
import { blame } from '../limit.js';
import { defineOperation, type Operation } from '../operation.js';
import { leavesEarly, type PlacedRule, rulesOf } from '../placedrule.js';
import { RewrittenRules } from '../rewrittenrules.js';
import { isTerminal, type Ref } from '../store.js';
import { type Interpretation, interpretation, type Part, rewrites } from '../walk.js';
import { FreeTests } from './freetests.js';
import { IN, markOf, markRef, OUT, type SetStore } from './setstore.js';
import type { Slice } from './slices.js';
import { type Fate, Fates, LEAVE, NEXT, returned, VariantTable } from './variant.js';

/** The rules that are changed, each alone, by counter. */
export interface Variation {
  /** Whether there is a variant without the rule. */
  readonly removes?: (counter: number) => boolean;
  /** Whether there is a variant in which the rule is asked first in its chain as well. */
  readonly promotes?: (counter: number) => boolean;
  /** Some of the rules, and what is behind them; all, and the policies, if absent. */
  readonly slice?: Slice | undefined;
}

const none = () => false;

class VariantCompiler implements Interpretation<Ref> {
  readonly variants: VariantTable;
  readonly #store: SetStore;
  readonly #table: Table;
  readonly #rewrites: boolean;
  readonly #removes: (counter: number) => boolean;
  readonly #promotes: (counter: number) => boolean;
  readonly #chainDiagram: (chain: Chain) => Ref;
  readonly fates = new Fates();
  readonly #join: Operation;
  readonly #followers = new Map<Fate, Operation>();
  readonly #tests: FreeTests;
  readonly #slice: Slice | undefined;
  /** Built-in chains whose diagram has the policy in it. */
  readonly #decidedChains = new Set<Chain>();

  constructor(
    store: SetStore,
    table: Table,
    { removes = none, promotes = none, slice }: Variation,
  ) {
    this.#store = store;
    this.#slice = slice;
    this.#table = table;
    this.#rewrites = rewrites(table);
    this.#removes = removes;
    this.#promotes = promotes;
    const variants = new VariantTable(store.limits.counted);
    this.variants = variants;
    this.#join = defineOperation(
      store.diagrams,
      (a, b) => {
        if (a === OUT) return b;
        if (b === OUT) return a;
        return isTerminal(a) && isTerminal(b) ? variants.join(a, b) : undefined;
      },
      { first: (a) => (isTerminal(a) && variants.isOver(a) ? a : undefined) },
    );
    this.#tests = new FreeTests(store, table);
    const { rewritings: mostRewritings } = store.limits;
    this.#chainDiagram = interpretation(table, this, {
      rulesOf: slice?.rulesOf ?? rulesOf(table),
      remembers: true,
      rewritesAny: this.#rewrites,
      mostRewritings,
      asksSets: false,
      rewritten: new RewrittenRules(table),
    });
  }

  /** The diagram of all packets, also those that can't happen, policies included where it is of no slice. */
  compile(): Ref {
    const store = this.#store;
    const parts = BUILTIN_CHAINS.map((name) => {
      const chain = builtinChain(this.#table, name);
      const decided = this.#chainDiagram(chain);
      const isDone = this.#slice || this.#decidedChains.has(chain);
      return store.guard(store.chain(name), isDone ? decided : this.#withPolicy(chain, decided));
    });
    return store.overlayAll(parts);
  }

  /** The diagram of these packets, which go on behind it by the errnos. */
  decided(set: Ref, diagram: Ref, errnos: Ref): Ref {
    const store = this.#store;
    const behind = store.replace(errnos, (terminal) =>
      terminal === OUT
        ? OUT
        : this.variants.intern(this.fates.decided(markOf(terminal), UNCHANGED), []),
    );
    return this.#join(store.guard(set, diagram), behind);
  }

  #withPolicy(chain: Chain, diagram: Ref): Ref {
    const { variants, fates } = this;
    const behind = (fate: Fate) => {
      const rewriting = fate === NEXT ? UNCHANGED : fates.rewritingOf(fate);
      return rewriting ? this.#policy(chain, rewriting) : fate;
    };
    return this.#store.replace(diagram, (terminal) => variants.map(terminal, behind));
  }

  #policy(chain: Chain, as: Rewriting): Fate {
    return this.fates.decided(policyErrno(chain.policy), as);
  }

  readonly next = (at: PlacedRule): Ref =>
    at.becomes === at.as ? OUT : this.#ends(at, this.fates.next(at.becomes));

  readonly decide = (at: PlacedRule, errno: Errno): Ref =>
    this.#ends(at, this.fates.decided(errno, at.as));

  readonly leave = (at: PlacedRule): Ref => this.#ends(at, LEAVE);

  readonly call = (at: PlacedRule, inside: () => Ref, comesBack: boolean): Ref => {
    const after = (fate: Fate) => (comesBack ? fate : this.fates.leaving(fate));
    const whole = this.#store.replace(inside(), (terminal) => {
      const called = this.variants.map(terminal, after);
      return this.#removes(at.counter) ? this.variants.with(called, at.counter, NEXT) : called;
    });
    const { conditions } = this.#store;
    const where = conditions.compileRule(at, this.#table, this.#tests.where(at.counter, IN));
    return this.#store.guard(where, whole);
  };

  readonly join = (chain: Chain, parts: Iterable<Part<Ref>>): Ref =>
    this.#store.conditions.paths.during(() => this.#joined(chain, parts));

  #joined(chain: Chain, parts: Iterable<Part<Ref>>): Ref {
    const all = [...parts].filter(({ meaning }) => meaning !== OUT);
    const promoted = all.filter(({ at }) => this.#promotes(at.counter) && at.as === UNCHANGED);
    const meanings = [
      ...promoted.map(({ at, meaning }) => this.#inFront(at, meaning)),
      ...all.map(({ meaning }) => meaning),
    ];
    const { variants } = this;
    const numbers = [...promoted, ...all].map(({ at }) => at.number);
    const leaves = this.#rewrites || all.some(({ at }) => leavesEarly(at));
    const isDecided = !leaves && !this.#slice && isBuiltinChain(chain.name);
    if (isDecided) this.#decidedChains.add(chain);
    const joined = this.#store.overlayAll(
      meanings,
      this.#join,
      (terminal) => variants.isOver(terminal),
      {
        during: (from, to, work) => {
          const ends = [elementAt(numbers, from), elementAt(numbers, to)] as const;
          return blame({ chain: chain.name, rules: [Math.min(...ends), Math.max(...ends)] }, work);
        },
        below: isDecided ? variants.intern(this.#policy(chain, UNCHANGED), []) : OUT,
      },
    );
    if (!leaves) return joined;
    // What leaves a built-in chain has its policy, whatever rules are behind.
    const left = (fate: Fate) =>
      fate === LEAVE && this.#slice && isBuiltinChain(chain.name)
        ? this.#policy(chain, UNCHANGED)
        : returned(fate);
    return this.#store.replace(joined, (terminal) => variants.map(terminal, left));
  }

  readonly rewritings = (diagram: Ref): ReadonlySet<Rewriting> => {
    const found = new Set<Rewriting>();
    for (const mark of this.#store.marks(diagram)) {
      const { actual, others } = this.variants.of(markRef(mark));
      for (const fate of [actual, ...others.values()]) {
        const rewriting = this.fates.rewritingOf(fate);
        if (rewriting) found.add(rewriting);
      }
    }
    return found;
  };

  readonly divert = (first: Ref, rewriting: Rewriting, rest: () => Ref): Ref => {
    const next = this.fates.next(rewriting);
    const gone = this.fates.leaving(next);
    const then = this.#store.replace(rest(), (terminal) =>
      this.variants.map(terminal, (fate) =>
        fate === NEXT || fate === LEAVE ? gone : this.fates.leaving(fate),
      ),
    );
    return this.#follow(first, next, then);
  };

  /** What has the fate in the first is followed by the second. */
  #follow(first: Ref, open: Fate, second: Ref): Ref {
    const { variants } = this;
    const follow =
      this.#followers.get(open) ??
      defineOperation(this.#store.diagrams, (a, b) => {
        if (a === OUT) return OUT;
        if (!isTerminal(a)) return undefined;
        if (!variants.has(a, open)) return a;
        return isTerminal(b) ? variants.join(a, b, open) : undefined;
      });
    this.#followers.set(open, follow);
    return follow(first, second);
  }

  /** The rule as one that does nothing but in its own variant. */
  #inFront({ counter }: PlacedRule, meaning: Ref | Link): Ref {
    const { conditions, diagrams } = this.#store;
    return this.#store.replace(conditions.paths.made(meaning, diagrams), (terminal) =>
      this.variants.intern(NEXT, [[counter, this.variants.of(terminal).actual]]),
    );
  }

  /** The rule's fate for what it matches, which would go on without it. */
  #ends(at: PlacedRule, fate: Fate): Ref {
    const { variants } = this;
    const ends = this.#removes(at.counter)
      ? variants.alone(fate, at.counter, NEXT)
      : variants.intern(fate, []);
    return this.#where(at, ends);
  }

  #where(at: PlacedRule, hit: Ref): Ref | Link {
    const { conditions } = this.#store;
    const asked = this.#tests.where(at.counter, hit);
    const path = this.#rewrites ? undefined : conditions.rulePath(at, this.#table, asked);
    return path ?? conditions.compileRule(at, this.#table, asked);
  }
}

/** Whether it takes more rules to say what becomes of the packets, or what would without the rule. */
const isUntold = (actual: Fate, fate: Fate) => actual < 0 || fate < 0;

/** The rules in whose variant some possible packet has another verdict, by counter. */
export function rulesThatMatter(
  store: SetStore,
  table: Table,
  variation: Variation,
): ReadonlySet<number> {
  const compiler = new VariantCompiler(store, table, variation);
  const { variants, fates } = compiler;
  const counters = new Set<number>();
  const add = (within: Ref, compiled: Ref) => {
    for (const mark of store.marksWithin(within, compiled)) {
      const { actual, others } = variants.of(markRef(mark));
      const differs = (fate: Fate): boolean => {
        const agreed = fates.agreement(actual, fate);
        const same = agreed ? store.conditions.compile(agreed, IN) : OUT;
        // Where nothing is rewritten two fates agree nowhere, and no set need be made.
        if (same === OUT) return true;
        const where = store.select(compiled, (terminal) => terminal === markRef(mark));
        return store.subtract(store.intersect(within, where), same) !== OUT;
      };
      for (const [counter, fate] of others)
        if (!counters.has(counter) && !isUntold(actual, fate) && differs(fate))
          counters.add(counter);
    }
  };
  const compiled = compiler.compile();
  const { slice } = variation;
  if (!slice) {
    add(store.possible, compiled);
    return counters;
  }
  const within = store.intersect(store.possible, slice.open);
  add(within, compiled);
  // Most rules matter to what rules of their own slice make of packets: what is behind is looked up for the others alone.
  const isLeft = (terminal: Ref) => {
    const { actual, others } = variants.of(terminal);
    return [...others].some(([counter, fate]) => !counters.has(counter) && isUntold(actual, fate));
  };
  const left = store.intersect(within, store.select(compiled, isLeft));
  if (left !== OUT) add(left, compiler.decided(left, compiled, slice.after(left)));
  return counters;
}
