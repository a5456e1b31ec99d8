/**
 * The commands that are words, a row for each: what help, suggestions and completion say of them. What
 * yargs takes is held against these rows by a test.
 */
import { CI_ROWS } from './rows/ci.js';
import { EDITING_ROWS } from './rows/editing.js';
import { BIND_LIST_ROWS, GROUP_ROWS } from './rows/group.js';
import { INTEROP_ROWS } from './rows/interop.js';
import { LIVE_ROWS } from './rows/live.js';
import type { CommandRow } from './rows/row.js';
import { SET_ROWS } from './rows/set.js';
import { TABLE_ROWS } from './rows/table.js';

export const COMMANDS: readonly CommandRow[] = [
  ...TABLE_ROWS,
  ...GROUP_ROWS,
  ...SET_ROWS,
  ...LIVE_ROWS,
  ...CI_ROWS,
  ...INTEROP_ROWS,
  ...BIND_LIST_ROWS,
  ...EDITING_ROWS,
];

/** The first words: `save`, `group`. */
export const COMMAND_NAMES: readonly string[] = [
  ...new Set(COMMANDS.map(({ words }) => words.replace(/ .*/, ''))),
];

/** The commands whose first word is the name. */
export function rowsBelow(name: string): readonly CommandRow[] {
  return COMMANDS.filter(({ words }) => words.startsWith(`${name} `));
}

/** What such a command does: `add`, `list`. */
export function subcommandsOf(name: string): readonly string[] {
  return rowsBelow(name).map(({ words }) => words.slice(name.length + 1));
}

/** The row of the words of a command line, global options taken out. */
export function commandRow(words: readonly string[]): CommandRow | undefined {
  const [name = '', sub = ''] = words;
  return COMMANDS.find((row) => row.words === name || row.words === `${name} ${sub}`);
}

/** Their examples as help shows them. */
export function examplesOf(rows: readonly CommandRow[]): string {
  const lines = rows.flatMap(({ examples }) => examples.map((each) => `  sockfilter ${each}\n`));
  return `Examples:\n${lines.join('')}`;
}
