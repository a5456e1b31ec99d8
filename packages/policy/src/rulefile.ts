/** A rule file as its checks see it: the table, and where its text says what. */
import {
  type Chain,
  type CounterOwner,
  isValueOf,
  ownerName,
  ownTarget,
  type Rule,
  type Table,
  targetText,
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
  /** Where the group is declared, by its name; the start of the file if it is not. */
  readonly placeOfGroup: (name: string) => Place;
  /** The rule's words as written; several rules can come from one line. */
  readonly wordsOf: (rule: Rule) => readonly PlacedWord[];
  /** Whether the rule is known to be written as it is printed: then its words say no more than it. */
  readonly isPrinted: (rule: Rule) => boolean;
  readonly comments: readonly CommentLine[];
  /** Whether a line says `--deny-unseen`, on or off. */
  readonly saysUnseen: boolean;
}

/** A file with no text behind it, such as the live table: all places are its start. */
export function fileWithoutText(name: string, table: Table): RuleFile {
  const place = { file: name, line: 1, column: 1, length: 0 };
  const placed = { placeOf: () => place, placeOfGroup: () => place };
  const words = { wordsOf: () => [], isPrinted: () => false };
  return { name, table, ...placed, ...words, comments: [], saysUnseen: false };
}

/** The text of the rule's `-m comment`. */
export function ruleComment(rule: Rule): string | undefined {
  for (const { options } of rule.matches)
    for (const { value } of options) if (isValueOf(value, 'text')) return value.text;
  return undefined;
}

/** What the rule or policy does, in words. */
export function verdictWords(owner: CounterOwner): string {
  const target = ownTarget(owner);
  return owner.rule || target ? targetText(target) : 'RETURN';
}

/** Names an owner with its target and, if it has one, its comment, at its place. */
export function ownerNote(file: RuleFile, owner: CounterOwner, before = '', after = ''): Note {
  const comment = owner.rule && ruleComment(owner.rule);
  const quoted = comment === undefined ? '' : `, "${comment}"`;
  const message = `${before}${ownerName(owner)} (${verdictWords(owner)}${quoted})${after}`;
  return { message, place: file.placeOf(owner.rule ?? owner.chain) };
}

/** True for the counters of one rule or policy, of one table or two. */
export function sameOwner(a: CounterOwner, b: CounterOwner): boolean {
  return (a.rule ?? a.chain) === (b.rule ?? b.chain);
}
