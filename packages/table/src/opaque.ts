/** The opaque tests of rules and tables: what is asked once all fields of a rule hold. */
import { type CounterOwner, counterOwners } from './counter.js';
import type { MatchDescriptor } from './match.js';
import { MATCHES } from './matches.js';
import type { OpaqueTest } from './question.js';
import type { Rule, Table } from './table.js';

const NONE: readonly OpaqueTest[] = [];

/** The opaque tests of the rule, in the order in which they are asked. */
export function ruleTests(rule: Rule): readonly OpaqueTest[] {
  let tests = NONE;
  for (const { name, options } of rule.matches) {
    const { asks }: MatchDescriptor = MATCHES[name];
    if (asks) tests = [...tests, asks(options)];
  }
  return tests;
}

/** An opaque test where it stands. */
export interface PlacedTest {
  readonly owner: CounterOwner;
  /** The index of the rule's counter. */
  readonly counter: number;
  readonly test: OpaqueTest;
}

/** Every opaque test of the table, by counter; a test's number is its position here. */
export function placedTests(table: Table): readonly PlacedTest[] {
  return counterOwners(table).flatMap((owner, counter) =>
    owner.rule ? ruleTests(owner.rule).map((test): PlacedTest => ({ owner, counter, test })) : [],
  );
}

/** The number of the first test of each rule that has one, by counter. */
export function firstTests(tests: readonly PlacedTest[]): ReadonlyMap<number, number> {
  const first = new Map<number, number>();
  tests.forEach(({ counter }, number) => {
    if (!first.has(counter)) first.set(counter, number);
  });
  return first;
}
