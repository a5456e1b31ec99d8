/** The opaque tests of rules and tables: what is asked once all fields of a rule hold. */
import { askTest, NO_WORLD, type Subject } from './answer.js';
import type { Test } from './clause.js';
import { type CounterOwner, counterOwners } from './counter.js';
import type { MatchDescriptor, Scope } from './match.js';
import { MATCHES } from './matches.js';
import { perObject } from './perobject.js';
import type { Assume, OpaqueTest, Question } from './question.js';
import { isUnchanged, type Rewriting, UNCHANGED } from './rewriting.js';
import { perModel } from './ruleform.js';
import { type Asked, memberBoxes } from './sets/membership.js';
import { type NamedSet, requireSet } from './sets/namedset.js';
import type { Rule, Table } from './table.js';

const NONE: readonly OpaqueTest[] = [];

const asksAny = perModel(({ matches }) => {
  return matches.some(({ name }) => {
    const { asks }: MatchDescriptor = MATCHES[name];
    return asks !== undefined;
  });
});

/** The opaque tests of the rule, in the order in which they are asked. */
export function ruleTests(rule: Rule, scope: Scope): readonly OpaqueTest[] {
  if (!asksAny(rule)) return NONE;
  let tests = NONE;
  for (const { name, options } of rule.matches) {
    const { asks }: MatchDescriptor = MATCHES[name];
    if (asks) tests = [...tests, asks(options, scope)];
  }
  return tests;
}

/** What the call's packet alone answers: whether it is in a set that no clock changes. */
export interface ExactTest {
  readonly set: NamedSet;
  readonly asked: Asked;
  /** Packets of which all tests of one of the boxes hold are in the set. */
  readonly boxes: () => readonly (readonly Test[])[];
  readonly negated: boolean;
}

/** The same test over the packet's fields; undefined for one that more than these have a say in. */
export function exactTest({ question, negated }: OpaqueTest, scope: Scope): ExactTest | undefined {
  if (question.kind !== 'member' || question.changes) return undefined;
  const set = requireSet(scope, question.set);
  return { set, asked: question, boxes: () => memberBoxes(set, question), negated };
}

/** Whether more than the call's packet has a say in the test. */
export function isFree({ question }: OpaqueTest): boolean {
  return question.kind !== 'member' || question.changes;
}

function looksAtDestination(question: Question): boolean {
  if (question.kind === 'member') return true;
  if (question.kind !== 'buckets') return false;
  return question.fields.includes('dstip') || question.fields.includes('dstport');
}

/** Whether the test looks at the network_id, whatever its rule looks at. */
export function looksAtGroup({ question }: OpaqueTest): boolean {
  return question.kind === 'buckets' && question.fields.includes('group');
}

/** What of a rewriting the test sees: the destination, if it looks at that; with what the walk knows of it. */
export function seenBy({ question }: OpaqueTest, rewriting: Rewriting): Rewriting {
  const { mark, ...destination } = rewriting;
  return looksAtDestination(question) && !isUnchanged(destination) ? destination : UNCHANGED;
}

/** What is known of a test once the call is known, and else what is assumed of it. */
export function assumeFor(subject: Subject, assume: Assume = () => undefined): Assume {
  return (test) =>
    isFree(test) ? assume(test) : askTest(test, undefined, NO_WORLD, subject).holds;
}

/** An opaque test where it stands. */
export interface PlacedTest {
  readonly owner: CounterOwner;
  /** The index of the rule's counter. */
  readonly counter: number;
  readonly test: OpaqueTest;
}

/** Every opaque test of the table, by counter; a test's number is its position here. */
export const placedTests = perObject((table: Table): readonly PlacedTest[] => {
  const placed: PlacedTest[] = [];
  counterOwners(table).forEach((owner, counter) => {
    if (!owner.rule) return;
    for (const test of ruleTests(owner.rule, table)) placed.push({ owner, counter, test });
  });
  return placed;
});

/** The number of the first test of each rule that has one, by counter. */
export function firstTests(tests: readonly PlacedTest[]): ReadonlyMap<number, number> {
  const first = new Map<number, number>();
  tests.forEach(({ counter }, number) => {
    if (!first.has(counter)) first.set(counter, number);
  });
  return first;
}
