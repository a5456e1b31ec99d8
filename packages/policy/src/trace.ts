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

export interface TraceStep {
  /** The rule, or the policy when its `rule` is undefined. */
  readonly owner: CounterOwner;
  /** How many calls deep its chain is. */
  readonly depth: number;
  /** The fields that failed, each once; empty when the rule matched. */
  readonly failed: readonly Field[];
}

export interface Trace {
  readonly errno: Errno;
  readonly decider: CounterOwner;
  /** Rules in the order in which they were asked; the decider is the last. */
  readonly steps: readonly TraceStep[];
}

export interface TraceOptions {
  /** Walks as if this rule were not there. */
  readonly without?: Rule;
}

type Step = { readonly errno: Errno } | 'end' | 'return';

/** Prepares the table for walks; conditions are made when they are first asked. */
export function tracer(table: Table): (packet: Packet, options?: TraceOptions) => Trace {
  const owners = new Map<Rule | Chain, CounterOwner>();
  for (const owner of counterOwners(table)) owners.set(owner.rule ?? owner.chain, owner);
  const conditions = new Map<Rule, readonly Clause[]>();

  function conditionOf(rule: Rule): readonly Clause[] {
    const known = conditions.get(rule) ?? ruleCondition(rule, table);
    conditions.set(rule, known);
    return known;
  }

  function failedFields(rule: Rule, packet: Packet): readonly Field[] {
    const failed = conditionOf(rule).filter(
      (clause) => !clause.some((test) => holds(test, packet)),
    );
    const fields = failed.map((clause) => clause[clause.length - 1]?.field);
    return [...new Set(fields.filter((field) => field !== undefined))];
  }

  function ownerOf(owner: Rule | Chain): CounterOwner {
    const found = owners.get(owner);
    if (!found) throw new TypeError('the rule is not in the table');
    return found;
  }

  return (packet, { without } = {}) => {
    const steps: TraceStep[] = [];
    const walk = (chain: Chain, depth: number): Step => {
      for (const rule of chain.rules) {
        if (rule === without) continue;
        const failed = failedFields(rule, packet);
        steps.push({ owner: ownerOf(rule), depth, failed });
        if (failed.length > 0) continue;
        const { target } = rule;
        switch (target?.kind) {
          case undefined:
            break;
          case 'accept':
            return { errno: 0 };
          case 'drop':
            return { errno: DROP_ERRNO };
          case 'reject':
            return { errno: REJECT_ERRNO[target.errno] };
          case 'return':
            return 'return';
          case 'jump':
          case 'goto': {
            const called = findChain(table, target.chain);
            if (!called) throw new TypeError(`no chain ${target.chain}`);
            const step = walk(called, depth + 1);
            if (typeof step === 'object') return step;
            if (target.kind === 'goto') return 'end';
          }
        }
      }
      return 'end';
    };
    const chain = builtinChain(table, packet.chain);
    const step = walk(chain, 0);
    if (typeof step === 'object')
      return { errno: step.errno, decider: steps[steps.length - 1].owner, steps };
    const owner = ownerOf(chain);
    steps.push({ owner, depth: 0, failed: [] });
    return { errno: chain.policy === 'DROP' ? DROP_ERRNO : 0, decider: owner, steps };
  };
}
