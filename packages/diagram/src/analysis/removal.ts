/** Which rules a table's verdicts need. */
import {
  BUILTIN_CHAINS,
  builtinChain,
  calledChain,
  counterOwners,
  type EffectKind,
  effectsOf,
  elementAt,
  type Table,
  type Target,
} from '@sockfilter/table';
import { chainsFrom } from '../recorded.js';
import type { SetStore } from './setstore.js';
import type { Slice } from './slices.js';
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

/** The chains that several rules of one built-in chain call, be it by others. */
function sharedChains(table: Table): ReadonlySet<string> {
  const shared = new Set<string>();
  for (const name of BUILTIN_CHAINS) {
    const met = new Set<string>();
    for (const { target } of builtinChain(table, name).rules) {
      const called = calledChain(target);
      if (called === undefined) continue;
      for (const chain of chainsFrom(table, called)) {
        if (met.has(chain)) shared.add(chain);
        met.add(chain);
      }
    }
  }
  return shared;
}

/** Counters of rules. */
export interface NeededRules {
  /** Those that stand for a verdict, not for a count; ascending. */
  readonly candidates: readonly number[];
  /** Those without which some possible packet has another verdict. */
  readonly needed: ReadonlySet<number>;
}

/** The rules that needed ones are among, of tables in slices; those in chains that several of them may call are looked at in all together. */
function neededInSlices(store: SetStore, table: Table, slices: readonly Slice[]) {
  const shared = sharedChains(table);
  const owners = counterOwners(table);
  const callers = new Set(slices.flatMap((slice) => [...slice.callers]));
  const isShared = (counter: number) =>
    callers.has(counter) || shared.has(elementAt(owners, counter).chain.name);
  const removes = (counter: number) => !isShared(counter);
  const parts = slices.map((slice) => rulesThatMatter(store, table, { removes, slice }));
  if (shared.size + callers.size > 0)
    parts.push(rulesThatMatter(store, table, { removes: isShared }));
  return new Set(parts.flatMap((part) => [...part]));
}

/** @param slices the rules of built-in chains, if they are too much as one */
export function neededRules(
  store: SetStore,
  table: Table,
  slices: readonly Slice[] | undefined,
): NeededRules {
  const needed = slices
    ? neededInSlices(store, table, slices)
    : rulesThatMatter(store, table, { removes: () => true });
  const counting = countingChains(table);
  const candidates = counterOwners(table).flatMap(({ rule }, counter) => {
    if (!rule || isWanted(rule.target)) return [];
    return counting.has(calledChain(rule.target) ?? '') ? [] : [counter];
  });
  return { candidates, needed };
}
