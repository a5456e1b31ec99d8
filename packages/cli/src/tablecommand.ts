/** The commands of iptables: `-A` to `-E`, `-L`, `-S`, `-C`. */
import {
  extensionHelp,
  findKeptRule,
  type ParsedCommand,
  parseCommand,
  printKeptRules,
  printListing,
  printRules,
  printVerbose,
  unfitNames,
} from '@sockfilter/iptables';
import {
  applyEdit,
  type Command,
  type Diagnostic,
  isEdit,
  tableDiagnostic,
} from '@sockfilter/language';
import { printTable } from '@sockfilter/nftables';
import { findRule, type Rule, requireChain, TableError, zero } from '@sockfilter/table';
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

type Listing = Extract<Command, { readonly kind: 'list' | 'list-rules' }>;

function list(open: OpenTable, command: Listing, { flags }: ParsedCommand): void {
  const { chain, number } = command;
  const { exact, json, lineNumbers, verbose } = flags;
  const isPlain = !command.zero && !json && verbose === 0 && number === undefined;
  if (command.kind === 'list-rules' && isPlain && open.kept) {
    const { kept, head } = open.kept;
    if (chain !== undefined) requireChain(head, chain);
    printRuleText(...printKeptRules(kept, head, chain));
    return;
  }
  const { table } = open;
  if (chain !== undefined) requireChain(table, chain);
  let { counters } = open;
  if (command.zero) {
    const zeroing = { kind: 'zero', chain, number } as const;
    const zeroed = zero(table, chain, number);
    const origins = originsAfter(zeroing, table, zeroed);
    counters = open.commit({ table: zeroed, origins });
  }
  const options = { chain, number, exact, lineNumbers, verbose: verbose > 0, counters };
  if (json) printRuleText(printTable(table, { chain, number, counters }));
  else if (command.kind === 'list') print(printListing(table, options));
  else printRuleText(printRules(table, options));
}

/** What iptables says with -v before it is done. */
function tellVerbose(command: Command): void {
  const rules =
    command.kind === 'replace' ? [command.rule] : 'rules' in command ? command.rules : [];
  for (const rule of rules) print(`${printVerbose(rule)}\n`);
  const chain = 'chain' in command ? command.chain : undefined;
  if (chain === undefined) return;
  if (command.kind === 'flush') print(`Flushing chain \`${chain}'\n`);
  if (command.kind === 'zero' && command.number === undefined) print(`Zeroing chain \`${chain}'\n`);
  if (command.kind === 'delete-chain') print(`Deleting chain \`${chain}'\n`);
}

/** Throws TableError unless the chain has the rule. */
function check(open: OpenTable, chain: string, rule: Rule): void {
  const { kept } = open;
  if (kept) findKeptRule(kept.kept, kept.head, chain, rule);
  else findRule(open.table, chain, rule);
}

function execute(open: OpenTable, command: Command, parsed: ParsedCommand): void {
  if (isEdit(command)) {
    if (open.editPart?.(command)) return;
    const { table } = open;
    const edited = applyEdit(table, command);
    open.commit({ table: edited, origins: originsAfter(command, table, edited) });
  } else if (command.kind === 'check') {
    for (const rule of command.rules) check(open, command.chain, rule);
  } else if (command.kind === 'list' || command.kind === 'list-rules') {
    list(open, command, parsed);
  }
}

export async function runTableCommand(argv: readonly string[]): Promise<void> {
  // A mistake of the words needs no table to be told, and no root.
  const first = parseCommand(argv, { names: SYSTEM_NAMES, groups: [] });
  const plain = first.diagnostics.filter((diagnostic) => !maybeGroup(diagnostic));
  if (plain.length > 0) fail(first, plain);
  if (first.command?.kind === 'help') {
    const { matches, target } = first.command;
    return print(extensionHelp(matches, target) || HELP);
  }
  if (first.command?.kind === 'version') return print(VERSION_LINE);
  const changes =
    first.command === undefined ||
    isEdit(first.command) ||
    ('zero' in first.command && first.command.zero);
  await withTable(completeGlobals(first.flags), changes ? 'edit' : 'read', (open) => {
    const head = open.kept?.head ?? open.table;
    const { groups } = head;
    const parsed = parseCommand(argv, { names: SYSTEM_NAMES, groups });
    if (!parsed.command) return fail(parsed, parsed.diagnostics);
    const { place, chain, target } = parsed;
    const places = { place, chain: chain?.span, target: target?.span };
    const context = { names: SYSTEM_NAMES, groups };
    const unfit = unfitNames(head, parsed.command, places, context);
    if (unfit.length > 0) fail(parsed, unfit);
    try {
      execute(open, parsed.command, parsed);
      if (parsed.flags.verbose > 0) tellVerbose(parsed.command);
    } catch (error) {
      if (!(error instanceof TableError)) throw error;
      fail(parsed, [tableDiagnostic(error, parsed.place)]);
    }
  });
}
