/** A saved rule file as the table. */
import { statSync } from 'node:fs';
import { type Document, EXIT, quoteShell } from '@sockfilter/language';
import { EMPTY_TABLE, registerPaths, requireValid, type Table } from '@sockfilter/table';
import { replaceFile, resolveFile } from './atomicfile.js';
import { errnoOf } from './errno.js';
import { CommandError, DiagnosticsError } from './failure.js';
import { withFileLock } from './filelock.js';
import { readHighMark } from './highmark.js';
import { readTextFile } from './inputfile.js';
import { editRules, notationNamed, parseRules } from './notation.js';
import type { Access, Change, Counters, OpenTable } from './opentable.js';
import { holdOutput } from './output.js';
import { notePaths } from './pathnotes.js';
import { SYSTEM_NAMES } from './systemnames.js';

function readRuleFile(path: string): string {
  if (path === '-')
    throw new CommandError(
      '`--file` names a file: what is changed is written back to it',
      EXIT.usage,
      '`restore` and the commands that answer without a table read `-` as standard input',
    );
  try {
    return readTextFile(path, path);
  } catch (error) {
    const code = errnoOf(error);
    if (code === 'ENOENT') {
      const written = quoteShell(path);
      const help = `make an empty one with \`printf '*socket\\nCOMMIT\\n' > ${written}\`, or save the table in force with \`sockfilter --root / save -f ${written}\``;
      throw new CommandError(`there is no file \`${path}\``, EXIT.usage, help);
    }
    if (code === 'EISDIR') throw new CommandError(`\`${path}\` is a directory`, EXIT.usage);
    throw error;
  }
}

interface Loaded {
  readonly table: Table;
  readonly document: Document | undefined;
}

/** Reads the file; throws all of its mistakes. */
function load(path: string): Loaded {
  const text = readRuleFile(path);
  const { table, document, diagnostics } = parseRules(text, path, { names: SYSTEM_NAMES });
  if (diagnostics.length > 0) throw new DiagnosticsError(diagnostics, { name: path, text });
  return { table, document };
}

/** A file's counters are what it says. */
const saidCounters: Counters = ({ rule, chain }) => (rule ?? chain).packets;

function writeTable(path: string, document: Document | undefined, change: Change): void {
  const table = registerPaths(requireValid(change.table), readHighMark());
  if (change.text !== undefined && table === change.table) replaceFile(path, change.text);
  else
    replaceFile(
      path,
      document ? editRules(document, table) : notationNamed('iptables').printFile(table),
    );
}

/** Opens the file for `use`; other editors wait or are refused meanwhile, readers are not. */
export function withFileTable<T>(
  path: string,
  wait: number,
  access: Access,
  use: (open: OpenTable) => T,
): T {
  const open = (): OpenTable => {
    const { table, document } =
      access === 'replace' ? { table: EMPTY_TABLE, document: undefined } : load(path);
    return {
      table,
      counters: saidCounters,
      commit: (change) => {
        writeTable(path, document, change);
        notePaths(table, change.table);
        return saidCounters;
      },
    };
  };
  if (access === 'read') return use(open());
  if (statSync(path, { throwIfNoEntry: false })?.isFile() === false)
    throw new CommandError(`\`${path}\` is not a regular file`, EXIT.usage);
  // Without this the lock's own failure would be told in the place of the file's absence.
  if (access === 'edit') readRuleFile(path);
  return holdOutput(() => withFileLock(resolveFile(path), wait, () => use(open())));
}
