/** The walk of one call through the rules, with the reason why each did not match. */
import { interpretation, type PlacedRule, placeRules } from '@sockfilter/diagram';
import {
  builtinChain,
  type Chain,
  type Clause,
  type CounterOwner,
  type Errno,
  type Field,
  holds,
  type Packet,
  policyErrno,
  type Rule,
  ruleCondition,
  type Table,
} from '@sockfilter/table';
import { RuleIndex } from './ruleindex.js';

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

/** What has become of the call: it is decided, it goes on, or it leaves the chain. */
type Walked = Deciding | 'next' | 'leave';

/** Walks single calls through a table; what that needs is made when it is first needed. */
export class Tracer {
  readonly #table: Table;
  readonly #placed: ReadonlyMap<Chain, readonly PlacedRule[]>;
  readonly #conditions = new Map<Rule, readonly Clause[]>();
  readonly #indexes = new Map<Chain, RuleIndex>();

  /** @param table a valid one */
  constructor(table: Table) {
    this.#table = table;
    this.#placed = placeRules(table);
  }

  /** Every rule that is asked, with the reason why it does not match. */
  trace(packet: Packet): Trace {
    const steps: TraceStep[] = [];
    const ask = (owner: PlacedRule, depth: number) => {
      const failed = this.#failedFields(owner.rule, packet);
      steps.push({ owner, depth, failed });
      return failed.length === 0;
    };
    const decided = this.#decide(packet, (chain) => this.#rulesOf(chain), ask);
    const { decider } = decided;
    if (!decider.rule) steps.push({ owner: decider, depth: 0, failed: [] });
    return { ...decided, steps };
  }

  /** The verdict and whose it is, as if the rule `without` were not there. */
  decide(packet: Packet, without?: Rule): Deciding {
    const ask = ({ rule }: PlacedRule) =>
      rule !== without &&
      this.#conditionOf(rule).every((clause) => clause.some((test) => holds(test, packet)));
    return this.#decide(packet, (chain) => this.#indexOf(chain).rulesFor(packet), ask);
  }

  #decide(
    packet: Packet,
    rulesOf: (chain: Chain) => readonly PlacedRule[],
    ask: (at: PlacedRule, depth: number) => boolean,
  ): Deciding {
    let depth = 0;
    const walk = interpretation<Walked>(
      this.#table,
      {
        next: (at) => {
          ask(at, depth);
          return 'next';
        },
        decide: (at, errno) => (ask(at, depth) ? { errno, decider: at } : 'next'),
        leave: (at) => (ask(at, depth) ? 'leave' : 'next'),
        call: (at, inside, comesBack) => {
          if (!ask(at, depth)) return 'next';
          depth++;
          const walked = inside();
          depth--;
          return walked === 'next' && !comesBack ? 'leave' : walked;
        },
        join: (_, parts) => {
          for (const { meaning } of parts) {
            if (meaning === 'leave') return 'next';
            if (meaning !== 'next') return meaning;
          }
          return 'next';
        },
      },
      { rulesOf, remembers: false },
    );
    const chain = builtinChain(this.#table, packet.chain);
    const walked = walk(chain);
    if (typeof walked === 'object') return walked;
    const decider = { chain, rule: undefined, number: chain.rules.length + 1 };
    return { errno: policyErrno(chain.policy), decider };
  }

  #rulesOf(chain: Chain): readonly PlacedRule[] {
    return this.#placed.get(chain) ?? [];
  }

  #conditionOf(rule: Rule): readonly Clause[] {
    let condition = this.#conditions.get(rule);
    if (!condition) {
      condition = ruleCondition(rule, this.#table);
      this.#conditions.set(rule, condition);
    }
    return condition;
  }

  #indexOf(chain: Chain): RuleIndex {
    let index = this.#indexes.get(chain);
    if (!index) {
      index = new RuleIndex(this.#rulesOf(chain), (rule) => this.#conditionOf(rule));
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
