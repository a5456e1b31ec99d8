/** How a notation that has a line for each noun writes them, as edits of its files need it. */
import type { Chain, Group, NamedSet, Rule, SetElement, Table } from '@sockfilter/table';
import type { Names } from './names.js';

/** How a notation that has one rule, chain or group on each line writes them. */
export interface LineNotation {
  readonly chainLine: (name: string, policy: Chain['policy'], packets: bigint) => string;
  readonly groupLine: (group: Group) => string;
  readonly setLine: (set: NamedSet) => string;
  readonly elementLine: (set: NamedSet, element: SetElement) => string;
  readonly denyUnseenLine: string;
  readonly ruleLine: (chain: string, rule: Rule) => string;
  /** The line with another count before its rules; undefined if that count does not stand there. */
  readonly recount: (text: string, from: bigint, to: bigint) => string | undefined;
  readonly print: (table: Table) => string;
  /** Undefined for text with a mistake. */
  readonly parse: (text: string, name: string, names: Names) => Table | undefined;
}

/** How the lines of the file end: as the first one does. */
export function endingOf(text: string): '\n' | '\r\n' {
  return /^[^\n]*\r\n/.test(text) ? '\r\n' : '\n';
}

/** The notation with new lines that end as those of the text do. */
export function withEnding(notation: LineNotation, text: string): LineNotation {
  if (endingOf(text) === '\n') return notation;
  return {
    ...notation,
    chainLine: (...words) => `${notation.chainLine(...words)}\r`,
    groupLine: (group) => `${notation.groupLine(group)}\r`,
    setLine: (set) => `${notation.setLine(set)}\r`,
    elementLine: (...words) => `${notation.elementLine(...words)}\r`,
    denyUnseenLine: `${notation.denyUnseenLine}\r`,
    ruleLine: (...words) => `${notation.ruleLine(...words)}\r`,
  };
}
