/**
 * The numbering of counters: chains in the table's order, in each its rules in order and then, in a
 * built-in chain, its policy. It is what the kernel's counters are indexed by.
 */
import type { Errno } from './errno.js';
import { perObject } from './perobject.js';
import { policyTarget } from './policy.js';
import type { Chain, Rule, Table } from './table.js';
import { effectsOf, stepOf, type Target } from './targets.js';

/** Whose counter it is: a rule's, or the policy's when `rule` is undefined. */
export interface CounterOwner {
  readonly chain: Chain;
  readonly rule: Rule | undefined;
  /** The rule's number in its chain, from 1; one past the last for the policy. */
  readonly number: number;
}

/** The index of the counter of each chain's first rule. */
export function firstCounters(table: Table): ReadonlyMap<Chain, number> {
  const first = new Map<Chain, number>();
  let next = 0;
  for (const chain of table.chains) {
    first.set(chain, next);
    next += chain.rules.length + (chain.policy === undefined ? 0 : 1);
  }
  return first;
}

/** `rule 3 of BIND`, `the policy of BIND`. */
export function ownerName({ chain, rule, number }: CounterOwner): string {
  return rule ? `rule ${number} of ${chain.name}` : `the policy of ${chain.name}`;
}

/** The target of the rule; of a policy the one that says the same. */
export function ownTarget({ chain, rule }: CounterOwner): Target | undefined {
  return rule ? rule.target : chain.policy && policyTarget(chain.policy);
}

/** The errno that the rule or policy gives where it decides; undefined for a rule that never does. */
export function ownErrno(owner: CounterOwner): Errno | undefined {
  const step = stepOf(ownTarget(owner));
  return step.kind === 'decide' ? step.errno : undefined;
}

/** The errno with which the rule or policy would refuse calls that it lets pass, as it is audited. */
export function auditedErrno(owner: CounterOwner): Errno | undefined {
  for (const effect of effectsOf(ownTarget(owner)))
    if (effect.kind === 'audit') return effect.errno;
  return undefined;
}

/** Every counter of the table; a counter's index is its position here. */
export const counterOwners = perObject(({ chains }: Table): readonly CounterOwner[] => {
  const owners: CounterOwner[] = [];
  for (const chain of chains) {
    chain.rules.forEach((rule, at) => {
      owners.push({ chain, rule, number: at + 1 });
    });
    if (chain.policy !== undefined)
      owners.push({ chain, rule: undefined, number: chain.rules.length + 1 });
  }
  return owners;
});
