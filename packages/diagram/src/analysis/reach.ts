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
  type Rule,
  ruleCondition,
  type Table,
} from '@sockfilter/table';
import { defineOperation } from '../operation.js';
import { isTerminal, type Ref } from '../store.js';
import { IN, markOf, markRef, OUT, type SetStore } from './setstore.js';

/** The chain that the rule calls, if it does. */
export function calledChain(rule: Rule): string | undefined {
  const { target } = rule;
  return target?.kind === 'jump' || target?.kind === 'goto' ? target.chain : undefined;
}

/** True for a rule that ends the walk of whatever it matches. */
function isDeciding(rule: Rule): boolean {
  const kind = rule.target?.kind;
  return kind === 'accept' || kind === 'drop' || kind === 'reject';
}

/** The chains, callers before those they call. */
function callersFirst(table: Table): readonly Chain[] {
  const chains = new Map(table.chains.map((chain) => [chain.name, chain]));
  const finished = new Set<Chain>();
  const visit = (chain: Chain) => {
    if (finished.has(chain)) return;
    for (const rule of chain.rules) {
      const called = chains.get(calledChain(rule) ?? '');
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

class Reach implements Reached {
  readonly counted = new Map<number, Ref>();
  readonly arriving = new Map<string, Ref>();
  readonly #store: SetStore;
  readonly #table: Table;
  readonly #leaving = new Map<string, Ref>();
  readonly #reaching;

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
    let counter = 0;
    const first = new Map<Chain, number>();
    for (const chain of table.chains) {
      first.set(chain, counter);
      counter += chain.rules.length + (chain.policy === undefined ? 0 : 1);
    }
    for (const name of BUILTIN_CHAINS)
      this.arriving.set(name, store.intersect(store.possible, store.chain(name)));
    for (const chain of callersFirst(table)) this.#walk(chain, first.get(chain) ?? 0);
  }

  #walk(chain: Chain, first: number): void {
    const { intersect, union } = this.#store;
    if (chain.rules.every(isDeciding)) return;
    const arriving = this.arriving.get(chain.name) ?? OUT;
    let passed = 0;
    for (const [at, rule] of chain.rules.entries()) {
      if (isDeciding(rule)) continue;
      const marked = this.#condition(rule, markRef(passed++));
      const counted =
        arriving === OUT
          ? OUT
          : intersect(arriving, this.#reaching(marked, this.#leavingOf(chain.name)));
      this.counted.set(first + at, counted);
      const called = calledChain(rule);
      if (called !== undefined)
        this.arriving.set(called, union(this.arriving.get(called) ?? OUT, counted));
    }
  }

  #leavingOf(name: string): Ref {
    const known = this.#leaving.get(name);
    if (known !== undefined) return known;
    const chain = this.#table.chains.find((each) => each.name === name);
    let passed = 0;
    const parts = (chain?.rules ?? []).map((rule) => {
      if (!isDeciding(rule)) passed++;
      return this.#leavingBy(rule, markRef(2 * passed), markRef(2 * passed + 1));
    });
    const leaving = this.#store.overlayAll(parts.filter((part) => part !== OUT));
    this.#leaving.set(name, leaving);
    return leaving;
  }

  #leavingBy(rule: Rule, back: Ref, decided: Ref): Ref {
    const { guard, overlay } = this.#store;
    switch (rule.target?.kind) {
      case undefined:
        return OUT;
      case 'return':
        return this.#condition(rule, back);
      case 'jump':
      case 'goto': {
        const called = this.#store.replace(this.#leavingOf(rule.target.chain), (terminal) =>
          terminal !== OUT && markOf(terminal) % 2 === 1 ? decided : OUT,
        );
        const deciding = guard(this.#condition(rule, IN), called);
        return rule.target.kind === 'jump'
          ? deciding
          : overlay(deciding, this.#condition(rule, back));
      }
      default:
        return this.#condition(rule, decided);
    }
  }

  #condition(rule: Rule, hit: Ref): Ref {
    return this.#store.conditions.compile(ruleCondition(rule, this.#table), hit);
  }
}

export function reachChains(store: SetStore, table: Table): Reached {
  return new Reach(store, table);
}
