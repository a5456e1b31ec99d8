/** Tables as commands have them that read no more than their text, and edits of these. */
import {
  excerpt,
  keptText,
  parseCommand,
  parseSave,
  printSave,
  readHead,
} from '@sockfilter/iptables';
import { type EditCommand, isEdit, NO_NAMES } from '@sockfilter/language';
import { EMPTY_TABLE, type Table } from '@sockfilter/table';
import type { KeptTable } from '../../packages/cli/src/opentable.js';
import { textBytes } from '../../packages/cli/src/textedit.js';

/** The table of a save file in which nothing is wrong. */
export function soundTable(text: string, base: Table = EMPTY_TABLE): Table {
  const { table, diagnostics } = parseSave(text, 'rules', { names: NO_NAMES, base });
  expect(diagnostics).toEqual([]);
  return table;
}

export function keptTable(table: Table): KeptTable {
  const rules = table.chains.reduce((sum, chain) => sum + chain.rules.length, 0);
  const kept = keptText({ ...textBytes(Buffer.from(printSave(table))), rules });
  const head = readHead(kept.head, soundTable);
  return { kept, head, totals: [], read: (lines) => soundTable(excerpt(lines), head) };
}

/** The edit that the words command; what double quotes hold is one word. */
export function editCommand(text: string): EditCommand {
  const words = [...text.matchAll(/"([^"]*)"|\S+/g)].map(([word, quoted]) => quoted ?? word);
  const { command, diagnostics } = parseCommand(words, { names: NO_NAMES, groups: [] });
  if (!command || !isEdit(command)) throw new TypeError(`${text}: ${diagnostics[0]?.message}`);
  return command;
}
