/**
 * The reference meaning: a plain walk of the rules, with nothing between the text of the contract
 * and the verdict. Everything faster is tested against it.
 */

import { type Clause, holds } from './clause.js';
import { ruleCondition } from './condition.js';
import { type CounterOwner, counterOwners } from './counter.js';
import { elementAt } from './element.js';
import { DROP_ERRNO, type Errno, REJECT_ERRNO } from './errno.js';
import type { Packet } from './packet.js';
import { builtinChain, type Chain, findChain, type Rule, type Table } from './table.js';
import type { EffectKind } from './target.js';
import { effectsOf } from './targets.js';

export interface Decision {
  readonly errno: Errno;
  /** Index of the counter of the rule or policy that decided. */
  readonly decider: number;
  /** Indexes of all counters that the call adds one to, in walking order; the decider is the last. */
  readonly counted: readonly number[];
}

/** What has become of a packet at the end of a walk of a chain. */
type Walked = { readonly errno: Errno } | 'end' | 'return';

/** Prepares the table once, for many packets. */
export function evaluator(table: Table): (packet: Packet) => Decision {
  const conditions = new Map<Rule, readonly Clause[]>();
  const counters = new Map<Rule | Chain, number>();
  counterOwners(table).forEach(({ chain, rule }: CounterOwner, index) => {
    counters.set(rule ?? chain, index);
    if (rule) conditions.set(rule, ruleCondition(rule, table));
  });
  const counterOf = (owner: Rule | Chain) => {
    const counter = counters.get(owner);
    if (counter === undefined) throw new TypeError('the rule or chain is not in the table');
    return counter;
  };
  const matches = (rule: Rule, packet: Packet) =>
    (conditions.get(rule) ?? []).every((clause) => clause.some((test) => holds(test, packet)));

  const take: Readonly<Record<EffectKind, (rule: Rule, counted: number[]) => void>> = {
    count: (rule, counted) => counted.push(counterOf(rule)),
  };

  function walk(chain: Chain, packet: Packet, counted: number[]): Walked {
    for (const rule of chain.rules) {
      if (!matches(rule, packet)) continue;
      const { target } = rule;
      for (const { kind } of effectsOf(target)) take[kind](rule, counted);
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
          const step = walk(called, packet, counted);
          if (typeof step === 'object') return step;
          if (target.kind === 'goto') return 'end';
          break;
        }
        default:
          throw new TypeError(`no target ${target satisfies never}`);
      }
    }
    return 'end';
  }

  return (packet) => {
    const chain = builtinChain(table, packet.chain);
    const counted: number[] = [];
    const step = walk(chain, packet, counted);
    if (typeof step === 'string') counted.push(counterOf(chain));
    const errno = typeof step === 'object' ? step.errno : chain.policy === 'DROP' ? DROP_ERRNO : 0;
    return { errno, decider: elementAt(counted, counted.length - 1), counted };
  };
}

/** What becomes of one call. */
export function evaluate(table: Table, packet: Packet): Decision {
  return evaluator(table)(packet);
}
