/** `sockfilter set`: named sets, in the words of ipset. */
import {
  commandLine,
  type ParsedSetLine,
  parseCreate,
  parseElementLine,
  printCreate,
  printElement,
  printMember,
} from '@sockfilter/iptables';
import { EXIT, tableDiagnostic, type Word, writeJson } from '@sockfilter/language';
import {
  addElements,
  createSet,
  deleteElements,
  destroySet,
  findSet,
  flushSet,
  holdsElement,
  type NamedSet,
  renameSet,
  replaceSet,
  requireSet,
  rulesOfSet,
  sameSetShape,
  swapSets,
  type Table,
  TableError,
} from '@sockfilter/table';
import { CommandError, DiagnosticsError } from './failure.js';
import { withFileTable } from './filetable.js';
import type { Globals } from './globals.js';
import { withLiveTable, withRules } from './livetable.js';
import type { Access, OpenTable } from './opentable.js';
import { followCounters } from './origins.js';
import { print } from './output.js';

export function withTable<T>(globals: Globals, access: Access, use: (open: OpenTable) => T): T {
  const { file, wait } = globals;
  if (file !== undefined) return withFileTable(file, wait, access, use);
  return withLiveTable(globals, access, ({ open }) => use(open));
}

export function commit(open: OpenTable, table: Table): void {
  open.commit({ table, origins: followCounters(open.table, table) });
}

/** What the words say, of a table's sets; what is wrong with them is told at its word. */
function readWords<T>(
  words: readonly string[],
  parse: (start: Word, rest: readonly Word[]) => ParsedSetLine<T>,
): { readonly value: T; readonly attempt: <R>(edit: () => R) => R } {
  const { source, words: all } = commandLine(words);
  const [start, ...rest] = all;
  if (!start) throw new TypeError('a command without a word');
  const { value, diagnostics } = parse(start, rest);
  if (diagnostics.length > 0 || value === undefined)
    throw new DiagnosticsError(diagnostics, source);
  const attempt = <R>(edit: () => R): R => {
    try {
      return edit();
    } catch (error) {
      if (!(error instanceof TableError)) throw error;
      const span = { ...start.span, length: source.text.length };
      throw new DiagnosticsError([tableDiagnostic(error, span)], source);
    }
  };
  return { value, attempt };
}

interface Exist {
  /** What is there already, or is not there, is no fault. */
  readonly exist: boolean;
}

export function createSetCommand(
  globals: Globals,
  words: readonly string[],
  { exist }: Exist,
): void {
  const { value: set, attempt } = readWords(['create', ...words], parseCreate);
  withTable(globals, 'edit', (open) => {
    const known = findSet(open.table, set.name);
    if (known && exist && sameSetShape(known, set)) return;
    commit(
      open,
      attempt(() => createSet(open.table, set)),
    );
  });
}

const elementWords = (verb: string, words: readonly string[], table: Table) =>
  readWords([verb, ...words], (start, rest) =>
    parseElementLine(start, rest, (name) => findSet(table, name)),
  );

/** `set add` and `set del`: of a set in force no commit, and of a file an edit. */
export function editElements(
  globals: Globals,
  verb: 'add' | 'del',
  words: readonly string[],
  exist: Exist,
): void {
  if (globals.file === undefined) {
    withRules(globals, 'edit', ({ table, firewall }) => {
      const { value, attempt } = elementWords(verb, words, table);
      attempt(() => firewall.editSet(table, value.set, verb, value.elements, exist));
    });
    return;
  }
  const edit = verb === 'add' ? addElements : deleteElements;
  withTable(globals, 'edit', (open) => {
    const { value, attempt } = elementWords(verb, words, open.table);
    commit(
      open,
      attempt(() => replaceSet(open.table, edit(value.set, value.elements, exist))),
    );
  });
}

/** `set test`: whether the set has an element, or a network that holds it. */
export function testElement(globals: Globals, words: readonly string[]): void {
  const read = (table: Table) => {
    const { set, elements } = elementWords('test', words, table).value;
    const [element, more] = elements;
    if (element && !more) return { set, element };
    throw new CommandError(`\`${words[1]}\` is several elements`, EXIT.usage, 'test one');
  };
  const told = (set: NamedSet, has: boolean) => {
    if (has) return print(`${words[1]} is in set ${set.name}.\n`);
    throw new CommandError(`${words[1]} is NOT in set ${set.name}.`, EXIT.unfit);
  };
  if (globals.file === undefined) {
    withRules(globals, 'read', ({ table, firewall }) => {
      const { set, element } = read(table);
      told(set, firewall.hasElement(table, set, element));
    });
    return;
  }
  withTable(globals, 'read', ({ table }) => {
    const { set, element } = read(table);
    told(set, holdsElement(set, element));
  });
}

export function flushSets(globals: Globals, name: string | undefined): void {
  if (globals.file === undefined) {
    withRules(globals, 'edit', ({ table, firewall }) => {
      const sets = name === undefined ? table.sets : [requireSet(table, name)];
      for (const set of sets) firewall.emptySet(table, set);
    });
    return;
  }
  withTable(globals, 'edit', (open) => commit(open, flushSet(open.table, name)));
}

export function destroySets(globals: Globals, name: string | undefined): void {
  withTable(globals, 'edit', (open) => commit(open, destroySet(open.table, name)));
}

function readName(text: string): string {
  return readWords(['create', text, 'ip'], parseCreate).value.name;
}

export function renameSetCommand(globals: Globals, from: string, to: string): void {
  const name = readName(to);
  withTable(globals, 'edit', (open) => {
    const table = renameSet(open.table, from, name);
    // Rules that ask the set are new objects, but each stands where it stood.
    open.commit({ table, origins: followPlaces(open.table) });
  });
}

/** Every counter goes on where it is. */
function followPlaces(table: Table): readonly number[] {
  return followCounters(table, table).map((_, n) => n);
}

export function swapSetsCommand(globals: Globals, from: string, to: string): void {
  withTable(globals, 'edit', (open) => commit(open, swapSets(open.table, from, to)));
}

function describeSet(table: Table, set: NamedSet) {
  const { name, type, family, timeout, maxelem, elements } = set;
  return {
    name,
    type,
    family: family === 6 ? 'inet6' : 'inet',
    ...(timeout !== undefined && { timeout }),
    maxelem,
    references: rulesOfSet(table, name).length,
    ...(set.counters && { counters: true }),
    ...(set.comments && { comment: true }),
    elements: elements.map((element) => ({
      element: printElement(set, element),
      ...(element.timeout !== undefined && { timeout: element.timeout }),
      ...(element.nomatch && { nomatch: true }),
      ...(set.counters && { packets: Number(element.packets ?? 0n) }),
      ...(element.comment !== undefined && { comment: element.comment }),
    })),
  };
}

function listText(table: Table, set: NamedSet): string {
  const { name, type, elements } = set;
  const [, , , ...header] = printCreate({ ...set, name: 'x' }).split(' ');
  return [
    `Name: ${name}`,
    `Type: ${type}`,
    `Header: ${header.join(' ')}`,
    `References: ${rulesOfSet(table, name).length}`,
    `Number of entries: ${elements.length}`,
    'Members:',
    ...elements.map((element) => printMember(set, element)),
  ]
    .map((line) => `${line}\n`)
    .join('');
}

export interface ListOptions {
  readonly name: string | undefined;
  readonly json: boolean;
}

export function listSets(globals: Globals, { name, json }: ListOptions): void {
  withTable(globals, 'read', ({ table }) => {
    const sets = name === undefined ? table.sets : [requireSet(table, name)];
    if (json) print(writeJson(sets.map((set) => describeSet(table, set))));
    else print(sets.map((set) => listText(table, set)).join('\n'));
  });
}
