/** The commands of iptables: `-A` to `-E`, `-L`, `-S`, `-C`. */
import { type ParsedCommand, parseCommand, printListing, printRules } from '@sockfilter/iptables';
import {
  applyEdit,
  type Command,
  type Diagnostic,
  isEdit,
  tableDiagnostic,
} from '@sockfilter/language';
import {
  calledChain,
  findChain,
  findRule,
  type Rule,
  requireChain,
  type Table,
  TableError,
  zero,
} from '@sockfilter/table';
import { DiagnosticsError } from './failure.js';
import { completeGlobals } from './globals.js';
import { HELP, VERSION_LINE } from './help.js';
import { type OpenTable, withTable } from './opentable.js';
import { originsAfter } from './origins.js';
import { print, printRuleText } from './output.js';
import { SYSTEM_NAMES } from './systemnames.js';

/** Only the table's groups can tell whether these are mistakes. */
const maybeGroup = ({ code }: Diagnostic) => code === 'unknown-name';

function fail(parsed: ParsedCommand, diagnostics: readonly Diagnostic[]): never {
  throw new DiagnosticsError(diagnostics, parsed.source);
}

function rulesOf(command: Command): readonly Rule[] {
  if (command.kind === 'replace') return [command.rule];
  return 'rules' in command ? command.rules : [];
}

/** The word after -j if it names a chain that is not there, else the command. */
function faultPlace({ command, place, target }: ParsedCommand, table: Table) {
  const missing = (command ? rulesOf(command) : [])
    .map(({ target }) => calledChain(target))
    .some((called) => called !== undefined && !findChain(table, called));
  const chain = command && 'chain' in command ? command.chain : undefined;
  const chainIsThere = chain === undefined || findChain(table, chain) !== undefined;
  return (missing && chainIsThere ? target : undefined) ?? place;
}

type Listing = Extract<Command, { readonly kind: 'list' | 'list-rules' }>;

function list(open: OpenTable, command: Listing, { flags }: ParsedCommand): void {
  const { table } = open;
  const { chain, number } = command;
  if (chain !== undefined) requireChain(table, chain);
  let counters = open.counters;
  if (command.zero) {
    const zeroing = { kind: 'zero', chain, number } as const;
    const zeroed = zero(table, chain, number);
    const origins = originsAfter(zeroing, table, zeroed);
    counters = open.commit({ table: zeroed, origins });
  }
  const { exact, lineNumbers, verbose } = flags;
  const options = { chain, number, exact, lineNumbers, verbose: verbose > 0, counters };
  if (command.kind === 'list') print(printListing(table, options));
  else printRuleText(printRules(table, options));
}

function execute(open: OpenTable, command: Command, parsed: ParsedCommand): void {
  const { table } = open;
  if (isEdit(command)) {
    const edited = applyEdit(table, command);
    open.commit({ table: edited, origins: originsAfter(command, table, edited) });
  } else if (command.kind === 'check') {
    for (const rule of command.rules) findRule(table, command.chain, rule);
  } else if (command.kind === 'list' || command.kind === 'list-rules') {
    list(open, command, parsed);
  }
}

export async function runTableCommand(argv: readonly string[]): Promise<void> {
  // A mistake of the words needs no table to be told, and no root.
  const first = parseCommand(argv, { names: SYSTEM_NAMES, groups: [] });
  const plain = first.diagnostics.filter((diagnostic) => !maybeGroup(diagnostic));
  if (plain.length > 0) fail(first, plain);
  if (first.command?.kind === 'help') return print(HELP);
  if (first.command?.kind === 'version') return print(VERSION_LINE);
  const changes =
    first.command === undefined ||
    isEdit(first.command) ||
    ('zero' in first.command && first.command.zero);
  await withTable(completeGlobals(first.flags), changes ? 'edit' : 'read', (open) => {
    const { groups } = open.table;
    const parsed = parseCommand(argv, { names: SYSTEM_NAMES, groups });
    if (!parsed.command) return fail(parsed, parsed.diagnostics);
    try {
      execute(open, parsed.command, parsed);
    } catch (error) {
      if (!(error instanceof TableError)) throw error;
      fail(parsed, [tableDiagnostic(error, faultPlace(parsed, open.table))]);
    }
  });
}
