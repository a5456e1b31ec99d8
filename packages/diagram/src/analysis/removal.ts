/** Which rules a table's verdicts need. */
import {
  calledChain,
  counterOwners,
  type EffectKind,
  effectsOf,
  type Table,
  type Target,
} from '@sockfilter/table';
import type { SetStore } from './setstore.js';
import { rulesThatMatter } from './variantcompiler.js';

/** Whether a rule with the effect is there for its sake. Every rule counts: that is no reason. */
const IS_REASON: Readonly<Record<EffectKind, boolean>> = {
  count: false,
  log: true,
  audit: true,
  trace: true,
  rewrite: true,
};

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
  const needed = rulesThatMatter(store, table, { removes: () => true });
  const counting = countingChains(table);
  const candidates = counterOwners(table).flatMap(({ rule }, counter) => {
    if (!rule || isWanted(rule.target)) return [];
    return counting.has(calledChain(rule.target) ?? '') ? [] : [counter];
  });
  return { candidates, needed };
}
