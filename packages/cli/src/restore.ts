/** `sockfilter restore`. */
import type { ParsedSave } from '@sockfilter/iptables';
import { EXIT, type RuleLines } from '@sockfilter/language';
import { isJson } from '@sockfilter/nftables';
import {
  type Chain,
  findSet,
  type NamedSet,
  type Rule,
  registerPaths,
  type SetElement,
  type Table,
  validate,
} from '@sockfilter/table';
import { CommandError, DiagnosticsError } from './failure.js';
import type { Globals } from './globals.js';
import { readHighMark } from './highmark.js';
import { type Input, namesFile, readInput } from './inputfile.js';
import { parseRules } from './notation.js';
import { type Change, type Lines, loadTableCode, type OpenTable, withTable } from './opentable.js';
import { optimizeLater } from './optimizer.js';
import { followCounters } from './origins.js';
import { gitLabel, readLabel, revisionOf } from './revision.js';
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
  /** The label of the revision; the file's git revision, or what it says itself, if undefined. */
  readonly label: string | undefined;
  /** Seconds within which it has to be confirmed; it stays without. */
  readonly confirmWithin: number | undefined;
  /** Begin all states of opaque tests anew, also those of rules that stay. */
  readonly resetsState: boolean;
}

type Trial = Pick<Change, 'label' | 'confirmWithin' | 'resetsState'>;

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

/** The table with every counter of what the file has brought at 0, and of the chains that it counts anew. */
export function dropCounters(
  table: Table,
  base?: Table,
  anew: ReadonlySet<string> = new Set(),
): Table {
  const old = new Set<Rule>(base?.chains.flatMap(({ rules }) => rules));
  const reset = (rule: Rule): Rule =>
    rule.packets === 0n || old.has(rule) ? rule : { ...rule, packets: 0n };
  const resetChain = (chain: Chain): Chain => {
    const known = base?.chains.find(({ name }) => name === chain.name);
    const packets = anew.has(chain.name) ? 0n : (known?.packets ?? 0n);
    const isReset = chain.packets === packets && chain.rules.every((rule) => reset(rule) === rule);
    return isReset ? chain : { ...chain, packets, rules: chain.rules.map(reset) };
  };
  const chains = mapped(table.chains, resetChain);
  const sets = mapped(table.sets, (set) => dropElementCounters(set, base));
  // What has been found out of a table holds as long as it is the same object.
  return chains === table.chains && sets === table.sets ? table : { ...table, chains, sets };
}

/** The list with each element changed; the list itself if none becomes another. */
function mapped<T>(list: readonly T[], change: (each: T) => T): readonly T[] {
  const changed = list.map(change);
  return changed.every((each, n) => each === list[n]) ? list : changed;
}

/** The set with what its new elements have counted at 0; the others are those of the set in `base`. */
function dropElementCounters(set: NamedSet, base: Table | undefined): NamedSet {
  if (!set.counters) return set;
  const old = new Set(base && findSet(base, set.name)?.elements);
  const counts = (element: SetElement) => element.packets !== undefined && !old.has(element);
  if (!set.elements.some(counts)) return set;
  const elements = set.elements.map((element) =>
    counts(element) ? { ...element, packets: undefined } : element,
  );
  return { ...set, elements };
}

function replaceAll(
  open: OpenTable,
  { table, document }: ParsedSave,
  counters: boolean,
  trial: Trial,
): void {
  const started = counters ? table : dropCounters(table);
  const { ruleLines, source } = document;
  open.commit({ table: started, origins: [], text: source.text, lines: ruleLines, ...trial });
}

/** The chains whose policy the lines count anew, with `counters` those that they declare among them. */
function countedAnew(lines: RuleLines, counters: boolean): ReadonlySet<string> {
  const anew = new Set<string>();
  for (let at = 0; at < lines.length; at++) {
    const said = lines.otherAt(at);
    if (said?.kind === 'edit') for (const chain of said.zeroed) anew.add(chain);
    if (counters && said?.kind === 'chain') anew.add(said.name);
  }
  return anew;
}

/**
 * Adds what `read` makes of the lines to the table that is there; the rules keep the counters that they come with if `counters`.
 */
export function addTo(
  open: OpenTable,
  lines: Lines,
  read: (base: Table) => ParsedSave,
  { counters, ...trial }: Trial & { readonly counters: boolean },
): void {
  const isPlain = Object.values(trial).every((each) => each === undefined || each === false);
  if (isPlain && open.editLines?.(lines, counters)) return;
  const base = open.table;
  const { table, document } = read(base);
  const { ruleLines } = document;
  const anew = countedAnew(ruleLines, counters);
  const next = counters ? table : dropCounters(table, base, anew);
  open.commit({
    table: next,
    origins: followCounters(base, next, (chain) => anew.has(chain)),
    lines: ruleLines,
    ...trial,
  });
}

const loadKernelCode = () => import('@sockfilter/kernel');

/**
 * Whether the kernel could hold it, and its groups lie where the root lets them. Throws LimitError,
 * CapacityError and TableError.
 */
async function checkCapacity(table: Table, root: string): Promise<void> {
  const { compileTable, registrationOf } = await loadKernelCode();
  const whole = registerPaths(table, readHighMark());
  compileTable(whole);
  registrationOf(whole.groups, root);
}

async function testOnly(globals: Globals, input: Input, noflush: boolean): Promise<void> {
  const base = noflush ? await withTable(globals, 'read', (open) => open.table) : undefined;
  const { table } = parse(input, base);
  const [problem] = validate(table);
  if (problem) throw new CommandError(problem.message, EXIT.unfit, problem.help);
  await checkCapacity(table, globals.root);
}

function labelOf({ label, from, noflush }: RestoreOptions, input: Input): string | undefined {
  if (label !== undefined) return readLabel(label);
  if (noflush) return undefined;
  return (namesFile(from) ? gitLabel(from) : undefined) ?? revisionOf(input.text)?.label;
}

export async function restoreTable(globals: Globals, options: RestoreOptions): Promise<void> {
  const { from, noflush, test, counters, confirmWithin, resetsState } = options;
  if (globals.file !== undefined && (options.label ?? confirmWithin) !== undefined)
    throw new CommandError(
      '`--label` and `--confirm` are for the live table, and a rule file is given',
      EXIT.usage,
    );
  await (test ? loadKernelCode() : loadTableCode(globals));
  const input = readInput(from);
  optimizeLater(input.text.length);
  if (options.onlyJson && !isJson(input.text))
    throw new CommandError(`\`${input.name}\` is no JSON`, EXIT.usage, 'leave `--json` out');
  if (test) return testOnly(globals, input, noflush);
  const label = globals.file === undefined ? labelOf(options, input) : undefined;
  const trial = { label, confirmWithin, resetsState };
  // Mistakes are told before the lock is taken or root is asked for.
  const parsed = noflush ? undefined : parse(input, undefined);
  await withTable(globals, parsed ? 'replace' : 'edit', (open) =>
    parsed
      ? replaceAll(open, parsed, counters, trial)
      : addTo(open, input, (base) => parse(input, base), { counters, ...trial }),
  );
  if (confirmWithin === undefined) return;
  const { awaitConfirmation } = await import('./trial.js');
  await awaitConfirmation(globals, confirmWithin, namesFile(from));
}
