/**
 * The numbering of counters: chains in the table's order, in each its rules in order and then, in a
 * built-in chain, its policy. It is what the kernel's counters are indexed by.
 */
import type { Chain, Rule, Table } from './table.js';

/** Whose counter it is: a rule's, or the policy's when `rule` is undefined. */
export interface CounterOwner {
  readonly chain: Chain;
  readonly rule: Rule | undefined;
  /** The rule's number in its chain, from 1; one past the last for the policy. */
  readonly number: number;
}

/** Every counter of the table; a counter's index is its position here. */
export function counterOwners(table: Table): readonly CounterOwner[] {
  return table.chains.flatMap((chain) => [
    ...chain.rules.map((rule, at): CounterOwner => ({ chain, rule, number: at + 1 })),
    ...(chain.policy === undefined
      ? []
      : [{ chain, rule: undefined, number: chain.rules.length + 1 }]),
  ]);
}
