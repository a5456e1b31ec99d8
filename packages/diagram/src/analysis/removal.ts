/**
 * Which rules a table's verdicts need: a diagram of the verdict of each packet, and of the verdict
 * without each rule that makes a difference for it. Chains are joined from rules as the verdict's
 * diagram is, in halves.
 */
import {
  BUILTIN_CHAINS,
  builtinChain,
  type Chain,
  DROP_ERRNO,
  REJECT_ERRNO,
  type Rule,
  ruleCondition,
  type Table,
} from '@sockfilter/table';
import { defineOperation, type Operation } from '../operation.js';
import { isTerminal, type Ref } from '../store.js';
import { calledChain } from './reach.js';
import { IN, markRef, OUT, type SetStore } from './setstore.js';
import { NEXT, RETURN, VariantTable } from './variant.js';

class RemovalCompiler {
  readonly variants: VariantTable;
  readonly #store: SetStore;
  readonly #table: Table;
  readonly #chains: ReadonlyMap<string, Chain>;
  readonly #counters = new Map<Chain, number>();
  readonly #diagrams = new Map<Chain, Ref>();
  readonly #join: Operation;

  constructor(store: SetStore, table: Table) {
    this.#store = store;
    this.#table = table;
    this.#chains = new Map(table.chains.map((chain) => [chain.name, chain]));
    let counter = 0;
    for (const chain of table.chains) {
      this.#counters.set(chain, counter);
      counter += chain.rules.length + (chain.policy === undefined ? 0 : 1);
    }
    const variants = new VariantTable(store.limits.counted);
    this.variants = variants;
    this.#join = defineOperation(store.diagrams, (a, b) => {
      if (a === OUT) return b;
      if (b === OUT) return a;
      if (!isTerminal(a)) return undefined;
      if (variants.isOver(a)) return a;
      return isTerminal(b) ? variants.join(a, b) : undefined;
    });
  }

  /** The diagram of all possible packets, policies included. */
  compile(): Ref {
    const store = this.#store;
    const parts = BUILTIN_CHAINS.map((name) => {
      const chain = builtinChain(this.#table, name);
      const policy = this.variants.intern(chain.policy === 'DROP' ? DROP_ERRNO : 0, []);
      const here = store.intersect(store.possible, store.chain(name));
      return store.guard(here, this.#join(this.#chainDiagram(chain), policy));
    });
    return store.overlayAll(parts);
  }

  #chainDiagram(chain: Chain): Ref {
    const known = this.#diagrams.get(chain);
    if (known !== undefined) return known;
    const first = this.#counters.get(chain) ?? 0;
    const parts = chain.rules.map((rule, at) => this.#ruleDiagram(rule, first + at));
    const joined = this.#store.overlayAll(
      parts.filter((part) => part !== OUT),
      this.#join,
    );
    const diagram = this.#map(joined, (step) => (step === RETURN ? NEXT : step));
    this.#diagrams.set(chain, diagram);
    return diagram;
  }

  #ruleDiagram(rule: Rule, counter: number): Ref {
    const { target } = rule;
    switch (target?.kind) {
      case undefined:
        return OUT;
      case 'accept':
        return this.#condition(rule, this.variants.intern(0, [[counter, NEXT]]));
      case 'drop':
        return this.#condition(rule, this.variants.intern(DROP_ERRNO, [[counter, NEXT]]));
      case 'reject':
        return this.#condition(
          rule,
          this.variants.intern(REJECT_ERRNO[target.errno], [[counter, NEXT]]),
        );
      case 'return':
        return this.#condition(rule, this.variants.intern(RETURN, [[counter, NEXT]]));
      case 'jump':
      case 'goto': {
        const called = this.#chains.get(target.chain);
        const inside = called ? this.#chainDiagram(called) : OUT;
        const after = target.kind === 'goto' ? RETURN : NEXT;
        const whole = this.#store.replace(inside, (terminal) =>
          this.variants.withRule(
            this.variants.map(terminal, (step) => (step === NEXT ? after : step)),
            counter,
          ),
        );
        return this.#store.guard(this.#condition(rule, IN), whole);
      }
    }
  }

  #map(diagram: Ref, change: (step: number) => number): Ref {
    return this.#store.replace(diagram, (terminal) => this.variants.map(terminal, change));
  }

  #condition(rule: Rule, hit: Ref): Ref {
    return this.#store.conditions.compile(ruleCondition(rule, this.#table), hit);
  }
}

/** The chains from which a rule without a target can be reached. */
function countingChains(table: Table): ReadonlySet<string> {
  const counting = new Set<string>();
  for (let size = -1; size !== counting.size; ) {
    size = counting.size;
    for (const { name, rules } of table.chains)
      if (rules.some((rule) => !rule.target || counting.has(calledChain(rule) ?? '')))
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
  const candidates: number[] = [];
  let counter = 0;
  for (const { policy, rules } of table.chains) {
    for (const rule of rules) {
      if (rule.target && !counting.has(calledChain(rule) ?? '')) candidates.push(counter);
      counter++;
    }
    if (policy !== undefined) counter++;
  }
  return { candidates, needed };
}
