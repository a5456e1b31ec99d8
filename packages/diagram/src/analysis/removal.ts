/**
 * Which rules a table's verdicts need: a diagram of the verdict of each packet, and of the verdict
 * without each rule that makes a difference for it. Chains are joined from rules as the verdict's
 * diagram is, in halves.
 */
import {
  BUILTIN_CHAINS,
  builtinChain,
  type Chain,
  calledChain,
  counterOwners,
  type EffectKind,
  type Errno,
  effectsOf,
  policyErrno,
  ruleCondition,
  type Table,
  type Target,
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
import { IN, markRef, OUT, type SetStore } from './setstore.js';
import { type Fate, LEAVE, NEXT, VariantTable } from './variant.js';

class RemovalCompiler implements Interpretation<Ref> {
  readonly variants: VariantTable;
  readonly #store: SetStore;
  readonly #table: Table;
  readonly #chainDiagram: (chain: Chain) => Ref;
  readonly #join: Operation;

  constructor(store: SetStore, table: Table) {
    this.#store = store;
    this.#table = table;
    const variants = new VariantTable(store.limits.counted);
    this.variants = variants;
    this.#join = defineOperation(store.diagrams, (a, b) => {
      if (a === OUT) return b;
      if (b === OUT) return a;
      if (!isTerminal(a)) return undefined;
      if (variants.isOver(a)) return a;
      return isTerminal(b) ? variants.join(a, b) : undefined;
    });
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
    const whole = this.#store.replace(inside(), (terminal) =>
      this.variants.withRule(
        this.variants.map(terminal, (fate) => (fate === NEXT ? after : fate)),
        at.counter,
      ),
    );
    return this.#store.guard(this.#where(at, IN), whole);
  };

  readonly join = (_: Chain, parts: Iterable<Part<Ref>>): Ref => {
    const meanings = [...parts].map(({ meaning }) => meaning).filter((part) => part !== OUT);
    return this.#store.replace(this.#store.overlayAll(meanings, this.#join), (terminal) =>
      this.variants.map(terminal, (fate) => (fate === LEAVE ? NEXT : fate)),
    );
  };

  /** The rule's fate for what it matches, which would go on without it. */
  #ends(at: PlacedRule, fate: Fate): Ref {
    return this.#where(at, this.variants.intern(fate, [[at.counter, NEXT]]));
  }

  #where({ rule }: PlacedRule, hit: Ref): Ref {
    return this.#store.conditions.compile(ruleCondition(rule, this.#table), hit);
  }
}

/** Whether a rule with the effect is there for its sake. Every rule counts: that is no reason. */
const IS_REASON: Readonly<Record<EffectKind, boolean>> = { count: false };

/** True for a rule that is there for more than verdicts: one without a target is there to count. */
function isWanted(target: Target | undefined): boolean {
  return !target || effectsOf(target).some(({ kind }) => IS_REASON[kind]);
}

/** The chains from which such a rule can be reached. */
function countingChains(table: Table): ReadonlySet<string> {
  const counting = new Set<string>();
  for (let size = -1; size !== counting.size; ) {
    size = counting.size;
    for (const { name, rules } of table.chains)
      if (rules.some(({ target }) => isWanted(target) || counting.has(calledChain(target) ?? '')))
        counting.add(name);
  }
  return counting;
}

/** Counters of rules. */
export interface NeededRules {
  /** Those that stand for a verdict, not for a count; ascending. */
  readonly candidates: readonly number[];
  /** Those without which some possible packet has another verdict. */
  readonly needed: ReadonlySet<number>;
}

export function neededRules(store: SetStore, table: Table): NeededRules {
  const compiler = new RemovalCompiler(store, table);
  const needed = new Set<number>();
  for (const mark of store.marks(compiler.compile()))
    for (const counter of compiler.variants.of(markRef(mark)).without.keys()) needed.add(counter);
  const counting = countingChains(table);
  const candidates = counterOwners(table).flatMap(({ rule }, counter) => {
    if (!rule || isWanted(rule.target)) return [];
    return counting.has(calledChain(rule.target) ?? '') ? [] : [counter];
  });
  return { candidates, needed };
}
