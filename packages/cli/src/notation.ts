/** The notations that tables are kept in: what is written in one is edited in it. */
import {
  editSave,
  type ParsedSave,
  parseSave,
  printRuleFile,
  printSave,
  type SaveContext,
} from '@sockfilter/iptables';
import type { Document } from '@sockfilter/language';
import { isJson, parseTable, printTable, printTableFile } from '@sockfilter/nftables';
import type { Table } from '@sockfilter/table';
import type { Counters } from './opentable.js';

interface Notation {
  readonly parse: (text: string, name: string, context: SaveContext) => ParsedSave;
  /** The table that is kept as a rule file. */
  readonly printFile: (table: Table) => string;
  /** The rule file's text for the new table. */
  readonly edit: (document: Document, table: Table) => string;
  /** The table with these counters, or without any. */
  readonly printSaved: (table: Table, counters: Counters | undefined) => string;
}

/** What reads and writes JSON is loaded when it is first used. */
const NOTATIONS = {
  iptables: {
    parse: parseSave,
    printFile: printRuleFile,
    edit: editSave,
    printSaved: (table, counters) => printSave(table, counters ? { counters } : {}),
  },
  json: {
    parse: (...args) => parseTable(...args),
    printFile: (table) => printTableFile(table),
    // A document has no comments to keep, and its items have an order of their own.
    edit: (_, table) => printTableFile(table),
    printSaved: (table, counters) => printTable(table, { counters: counters ?? (() => undefined) }),
  },
} as const satisfies Readonly<Record<string, Notation>>;

export type NotationName = keyof typeof NOTATIONS;

/** The notation of a text, by what it says. */
function notationOf(text: string): Notation {
  return NOTATIONS[isJson(text) ? 'json' : 'iptables'];
}

/** Reads a table in whichever notation it is written. It never throws. */
export function parseRules(text: string, name: string, context: SaveContext): ParsedSave {
  return notationOf(text).parse(text, name, context);
}

export function editRules(document: Document, table: Table): string {
  return notationOf(document.source.text).edit(document, table);
}

export function notationNamed(name: NotationName): Notation {
  return NOTATIONS[name];
}
