/** A rule file as its checks see it: the table, and where its text says what. */
import {
  type Chain,
  type CounterOwner,
  counterOwners,
  isValueOf,
  type Rule,
  type Table,
} from '@sockfilter/table';
import type { Note, Place } from './finding.js';

export interface PlacedWord {
  /** Without quotes. */
  readonly text: string;
  readonly place: Place;
}

/** A comment line, with its `#`. */
export interface CommentLine {
  readonly line: number;
  readonly text: string;
}

export interface RuleFile {
  readonly name: string;
  readonly table: Table;
  /** Where the rule is written, or the chain declared; the start of the file if it is not. */
  readonly placeOf: (owner: Rule | Chain) => Place;
  /** The rule's words as written; several rules can come from one line. */
  readonly wordsOf: (rule: Rule) => readonly PlacedWord[];
  readonly comments: readonly CommentLine[];
}

/** A file with no text behind it, such as the live table: all places are its start. */
export function fileWithoutText(name: string, table: Table): RuleFile {
  const place = { file: name, line: 1, column: 1, length: 0 };
  return { name, table, placeOf: () => place, wordsOf: () => [], comments: [] };
}

/** `rule 3 of BIND`, `the policy of BIND`. */
export function ownerName({ chain, rule, number }: CounterOwner): string {
  return rule ? `rule ${number} of ${chain.name}` : `the policy of ${chain.name}`;
}

/** The text of the rule's `-m comment`. */
export function ruleComment(rule: Rule): string | undefined {
  for (const { options } of rule.matches)
    for (const { value } of options) if (isValueOf(value, 'text')) return value.text;
  return undefined;
}

export function targetText({ chain, rule }: CounterOwner): string {
  if (!rule) return chain.policy ?? 'RETURN';
  const { target } = rule;
  if (!target) return 'no target';
  switch (target.kind) {
    case 'reject':
      return `REJECT with ${target.errno}`;
    case 'jump':
    case 'goto':
      return `${target.kind} to ${target.chain}`;
    default:
      return target.kind.toUpperCase();
  }
}

/** Names an owner with its target and, if it has one, its comment, at its place. */
export function ownerNote(file: RuleFile, owner: CounterOwner, before = '', after = ''): Note {
  const comment = owner.rule && ruleComment(owner.rule);
  const quoted = comment === undefined ? '' : `, "${comment}"`;
  const message = `${before}${ownerName(owner)} (${targetText(owner)}${quoted})${after}`;
  return { message, place: file.placeOf(owner.rule ?? owner.chain) };
}

/** True for the counters of one rule or policy, of one table or two. */
export function sameOwner(a: CounterOwner, b: CounterOwner): boolean {
  return (a.rule ?? a.chain) === (b.rule ?? b.chain);
}

/** Every rule's owner. */
export function ownersByRule(table: Table): ReadonlyMap<Rule, CounterOwner> {
  const owners = new Map<Rule, CounterOwner>();
  for (const owner of counterOwners(table)) if (owner.rule) owners.set(owner.rule, owner);
  return owners;
}
