/** `sockfilter restore`. */
import type { ParsedSave } from '@sockfilter/iptables';
import { isJson } from '@sockfilter/nftables';
import { type Rule, type Table, validate } from '@sockfilter/table';
import { EXIT } from './exitcode.js';
import { CommandError, DiagnosticsError } from './failure.js';
import type { Globals } from './globals.js';
import { type Input, readInput } from './inputfile.js';
import { parseRules } from './notation.js';
import { type OpenTable, withTable } from './opentable.js';
import { followCounters } from './origins.js';
import { SYSTEM_NAMES } from './systemnames.js';

export interface RestoreOptions {
  /** Standard input if undefined. */
  readonly from: string | undefined;
  /** Refuse what is not JSON. */
  readonly onlyJson: boolean;
  /** Add to the table that is there. */
  readonly noflush: boolean;
  /** Say what is wrong, and change nothing. */
  readonly test: boolean;
  /** Take the counters that the file gives. */
  readonly counters: boolean;
}

/** The file as a table, added to `base` if there is one; throws all of the file's mistakes. */
function parse({ name, text }: Input, base: Table | undefined): ParsedSave {
  const parsed = parseRules(
    text,
    name,
    base ? { names: SYSTEM_NAMES, base } : { names: SYSTEM_NAMES },
  );
  if (parsed.diagnostics.length > 0)
    throw new DiagnosticsError(parsed.diagnostics, parsed.document.source);
  return parsed;
}

/** The table with every counter of what the file has brought at 0. */
function dropCounters(table: Table, base: Table | undefined): Table {
  const old = new Set<Rule>(base?.chains.flatMap(({ rules }) => rules));
  const reset = (rule: Rule): Rule =>
    rule.packets === 0n || old.has(rule) ? rule : { ...rule, packets: 0n };
  const chains = table.chains.map((chain) => ({
    ...chain,
    packets: base?.chains.find(({ name }) => name === chain.name)?.packets ?? 0n,
    rules: chain.rules.map(reset),
  }));
  return { ...table, chains };
}

function replaceAll(open: OpenTable, { table, document }: ParsedSave, counters: boolean): void {
  const started = counters ? table : dropCounters(table, undefined);
  open.commit({ table: started, origins: [], text: document.source.text });
}

function addTo(open: OpenTable, input: Input, counters: boolean): void {
  const base = open.table;
  const { table, document } = parse(input, base);
  const next = counters ? table : dropCounters(table, base);
  const given = new Set(document.lines.flatMap((line) => (line.kind === 'chain' ? line.name : [])));
  open.commit({
    table: next,
    origins: followCounters(base, next, (chain) => counters && given.has(chain)),
  });
}

/** Whether the kernel could hold it. Throws LimitError and CapacityError. */
async function checkCapacity(table: Table): Promise<void> {
  const { compileTable } = await import('@sockfilter/kernel');
  compileTable(table);
}

async function testOnly(globals: Globals, input: Input, noflush: boolean): Promise<void> {
  const base = noflush ? await withTable(globals, 'read', (open) => open.table) : undefined;
  const { table } = parse(input, base);
  const [problem] = validate(table);
  if (problem) throw new CommandError(problem.message, EXIT.unfit, problem.help);
  await checkCapacity(table);
}

export async function restoreTable(globals: Globals, options: RestoreOptions): Promise<void> {
  const { from, noflush, test, counters } = options;
  const input = readInput(from);
  if (options.onlyJson && !isJson(input.text))
    throw new CommandError(`\`${input.name}\` is no JSON`, EXIT.usage, 'leave `--json` out');
  if (test) return testOnly(globals, input, noflush);
  if (noflush) return withTable(globals, 'edit', (open) => addTo(open, input, counters));
  // Mistakes are told before the lock is taken or root is asked for.
  const parsed = parse(input, undefined);
  await withTable(globals, 'replace', (open) => replaceAll(open, parsed, counters));
}
