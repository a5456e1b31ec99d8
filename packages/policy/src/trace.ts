/** The walk of one call through the rules, with the reason why each did not match. */
import {
  builtinChain,
  type Chain,
  type Clause,
  type CounterOwner,
  counterOwners,
  DROP_ERRNO,
  type Errno,
  type Field,
  findChain,
  holds,
  type Packet,
  REJECT_ERRNO,
  type Rule,
  ruleCondition,
  type Table,
} from '@sockfilter/table';
import { GroupIndex } from './groupindex.js';

export interface TraceStep {
  /** The rule, or the policy when its `rule` is undefined. */
  readonly owner: CounterOwner;
  /** How many calls deep its chain is. */
  readonly depth: number;
  /** The fields that failed, each once; empty when the rule matched. */
  readonly failed: readonly Field[];
}

export interface Deciding {
  readonly errno: Errno;
  /** The rule or policy whose verdict it is. */
  readonly decider: CounterOwner;
}

export interface Trace extends Deciding {
  /** Rules in the order in which they were asked; the decider is the last. */
  readonly steps: readonly TraceStep[];
}

/** Walks single calls through a table; what that needs is made when it is first needed. */
export class Tracer {
  readonly #table: Table;
  readonly #owners = new Map<Rule | Chain, CounterOwner>();
  readonly #conditions = new Map<Rule, readonly Clause[]>();
  readonly #indexes = new Map<Chain, GroupIndex>();

  /** @param table a valid one */
  constructor(table: Table) {
    this.#table = table;
    for (const owner of counterOwners(table)) this.#owners.set(owner.rule ?? owner.chain, owner);
  }

  /** Every rule that is asked, with the reason why it does not match. */
  trace(packet: Packet): Trace {
    const steps: TraceStep[] = [];
    const ask = (rule: Rule, depth: number) => {
      const failed = this.#failedFields(rule, packet);
      steps.push({ owner: this.#ownerOf(rule), depth, failed });
      return failed.length === 0;
    };
    const decided = this.#decide(packet, ({ rules }) => rules, ask);
    const { decider } = decided;
    if (!decider.rule) steps.push({ owner: decider, depth: 0, failed: [] });
    return { ...decided, steps };
  }

  /** The verdict and whose it is, as if the rule `without` were not there. */
  decide(packet: Packet, without?: Rule): Deciding {
    const ask = (rule: Rule) =>
      rule !== without &&
      this.#conditionOf(rule).every((clause) => clause.some((test) => holds(test, packet)));
    return this.#decide(packet, (chain) => this.#indexOf(chain).rulesFor(packet.group), ask);
  }

  #decide(
    packet: Packet,
    rulesOf: (chain: Chain) => readonly Rule[],
    ask: (rule: Rule, depth: number) => boolean,
  ): Deciding {
    const walk = (chain: Chain, depth: number): Deciding | 'end' | 'return' => {
      for (const rule of rulesOf(chain)) {
        if (!ask(rule, depth)) continue;
        const { target } = rule;
        switch (target?.kind) {
          case undefined:
            break;
          case 'accept':
            return { errno: 0, decider: this.#ownerOf(rule) };
          case 'drop':
            return { errno: DROP_ERRNO, decider: this.#ownerOf(rule) };
          case 'reject':
            return { errno: REJECT_ERRNO[target.errno], decider: this.#ownerOf(rule) };
          case 'return':
            return 'return';
          case 'jump':
          case 'goto': {
            const called = findChain(this.#table, target.chain);
            if (!called) throw new TypeError(`no chain ${target.chain}`);
            const step = walk(called, depth + 1);
            if (typeof step === 'object') return step;
            if (target.kind === 'goto') return 'end';
          }
        }
      }
      return 'end';
    };
    const chain = builtinChain(this.#table, packet.chain);
    const step = walk(chain, 0);
    if (typeof step === 'object') return step;
    return { errno: chain.policy === 'DROP' ? DROP_ERRNO : 0, decider: this.#ownerOf(chain) };
  }

  #ownerOf(owner: Rule | Chain): CounterOwner {
    const found = this.#owners.get(owner);
    if (!found) throw new TypeError('the rule is not in the table');
    return found;
  }

  #conditionOf(rule: Rule): readonly Clause[] {
    let condition = this.#conditions.get(rule);
    if (!condition) {
      condition = ruleCondition(rule, this.#table);
      this.#conditions.set(rule, condition);
    }
    return condition;
  }

  #indexOf(chain: Chain): GroupIndex {
    let index = this.#indexes.get(chain);
    if (!index) {
      index = new GroupIndex(chain, (rule) => this.#conditionOf(rule));
      this.#indexes.set(chain, index);
    }
    return index;
  }

  #failedFields(rule: Rule, packet: Packet): readonly Field[] {
    const failed = this.#conditionOf(rule).filter(
      (clause) => !clause.some((test) => holds(test, packet)),
    );
    const fields = failed.map((clause) => clause.at(-1)?.field);
    return [...new Set(fields.filter((field) => field !== undefined))];
  }
}
