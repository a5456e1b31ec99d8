/** The rules of a table where they stand. */
import {
  type Chain,
  type CounterOwner,
  firstCounters,
  type Rewriting,
  type Rule,
  rewritingOf,
  type Step,
  stepOf,
  type Table,
  UNCHANGED,
} from '@sockfilter/table';
import type { DrawnWay } from './choice.js';

/** A rule where it stands. */
export interface PlacedRule extends CounterOwner {
  readonly rule: Rule;
  /** The index of its counter. */
  readonly counter: number;
  readonly step: Step;
  /** How the calls that come to it have been rewritten before. */
  readonly as: Rewriting;
  /** How those that it matches are rewritten behind it: `as` itself for a rule that leaves them as they are. */
  readonly becomes: Rewriting;
  /** Of a rule with several destinations: those that it stands for here. */
  readonly way?: DrawnWay;
}

/** Every rule of the table, by chain and in order. */
export function placeRules(table: Table): ReadonlyMap<Chain, readonly PlacedRule[]> {
  const first = firstCounters(table);
  return new Map(
    table.chains.map((chain) => {
      const base = first.get(chain) ?? missingChain(chain.name);
      const rules = chain.rules.map(
        (rule, at): PlacedRule => ({
          chain,
          rule,
          number: at + 1,
          counter: base + at,
          step: stepOf(rule.target),
          as: UNCHANGED,
          becomes: rewritingOf(rule.target),
        }),
      );
      return [chain, rules];
    }),
  );
}

/** The rules to ask in a chain, in order. */
export type RulesOf = (chain: Chain) => readonly PlacedRule[];

/** All rules of the table. */
export function rulesOf(table: Table): RulesOf {
  const placed = placeRules(table);
  return (chain) => placed.get(chain) ?? [];
}

/** True for a rule that may send packets out of its chain before the end. */
export function leavesEarly({ step }: Pick<PlacedRule, 'step'>): boolean {
  return step.kind === 'leave' || (step.kind === 'call' && !step.comesBack);
}

export function missingChain(chain: string): never {
  throw new TypeError(`no chain ${chain}`);
}
