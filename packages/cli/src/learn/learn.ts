/** `sockfilter learn`: a rule file that allows what events tell of. */
import { type Learned, type LearnOptions, learn, type SeenCall } from '@sockfilter/interop';
import { parseSave, printSave } from '@sockfilter/iptables';
import { EXIT } from '@sockfilter/language';
import { EMPTY_TABLE, type Group, readGroupId, registerPaths, type Table } from '@sockfilter/table';
import { CommandError, DiagnosticsError } from '../failure.js';
import type { Globals } from '../globals.js';
import { readInput } from '../inputfile.js';
import { parseRules } from '../notation.js';
import { note, printRuleText } from '../output.js';
import { SYSTEM_NAMES } from '../systemnames.js';
import { callsOf, groupsOf, idOf, readFiles } from './eventfiles.js';
import { allows, type RuleText } from './ruletext.js';

export interface LearnWords {
  /** JSON lines of `monitor`; standard input without any. */
  readonly events: readonly string[];
  /** Of these groups alone: names, ids; empty for all. */
  readonly groups: readonly string[];
  /** What its rules accept is left out. */
  readonly rules: string | undefined;
  readonly prefix: string | undefined;
  readonly prefix6: string | undefined;
  /** How long to listen to what happens, in the stead of files. */
  readonly for: string | undefined;
  /** The same, until a signal. */
  readonly live: boolean;
  /** A rule file that is to accept them as well: what it lacks is proposed, or added. */
  readonly into: string | undefined;
  readonly write: boolean;
}

function readLength(name: string, text: string | undefined, most: number): number {
  if (text === undefined) return most;
  if (/^\d+$/.test(text) && Number(text) <= most) return Number(text);
  throw new CommandError(
    `\`--${name}\` is a number from 0 to ${most}, not \`${text}\``,
    EXIT.usage,
  );
}

function readRules(file: string): RuleText {
  const { name, text } = readInput(file);
  const { table, diagnostics, document } = parseRules(text, name, { names: SYSTEM_NAMES });
  if (diagnostics.length > 0) throw new DiagnosticsError(diagnostics, document.source);
  return { table: registerPaths(table, 0), document };
}

/** The calls with the ids that their groups have among these. */
function renumbered({ calls, groups }: SeenCalls, known: readonly Group[]): readonly SeenCall[] {
  return calls.map(({ packet, times }) => {
    const name = groups.find(({ id }) => id === packet.group)?.name ?? null;
    return { packet: { ...packet, group: idOf({ id: packet.group, name }, known) }, times };
  });
}

function tellUnseen({ unseen, held }: Learned): void {
  for (const [group, chains] of unseen)
    if (chains.length > 0)
      note(`nothing was seen of ${group} in ${chains.join(', ')}: the file leaves them open`);
  for (const [group, chains] of held)
    for (const chain of chains)
      note(
        `nothing was seen of ${group} in ${chain}: the file holds udp there to what was seen in the other chain that sends it`,
      );
}

function printLearned(calls: readonly SeenCall[], options: LearnOptions): void {
  const learned = learn(calls, options);
  tellUnseen(learned);
  const { table, diagnostics, document } = parseSave(learned.text, 'what was learned', {
    names: SYSTEM_NAMES,
  });
  // A line that was left out would be a rule that is wider.
  if (diagnostics.length > 0) throw new DiagnosticsError(diagnostics, document.source);
  printRuleText(printSave(table));
}

/** What was seen, and the groups that it is told by. */
interface SeenCalls {
  readonly calls: readonly SeenCall[];
  readonly groups: readonly Group[];
}

async function readSeen(words: LearnWords, known: Table | undefined): Promise<SeenCalls> {
  const events = await readFiles(words.events);
  const groups = known?.groups ?? groupsOf(events);
  return { groups, calls: callsOf(events, { ...EMPTY_TABLE, groups }) };
}

async function hearSeen(
  globals: Globals,
  { for: time, events }: LearnWords,
  prefix: LearnOptions['prefix'],
): Promise<SeenCalls> {
  if (events.length > 0)
    throw new CommandError('`--for` and `--live` listen: they take no files', EXIT.usage);
  const { hearCalls } = await import('./live.js');
  return hearCalls(globals, time === undefined ? undefined : readDuration(time), prefix);
}

const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };
/** Longer than any learning; a timer takes no more. */
const MAX_SECONDS = 2_000_000;

/** `90`, `90s`, `10m`, `2h`, `1d`: seconds. */
function readDuration(text: string): number {
  const [, digits, unit = 's'] = /^(\d+)([smhd])?$/.exec(text) ?? [];
  const seconds = Number(digits) * (SECONDS[unit] ?? 1);
  if (seconds >= 1 && seconds <= MAX_SECONDS) return seconds;
  throw new CommandError(
    `invalid time \`${text}\``,
    EXIT.usage,
    'write `90s`, `10m`, `2h` or `1d`, 23 days at most',
  );
}

function checkWords({ into, rules, write }: LearnWords): void {
  if (into !== undefined && rules !== undefined)
    throw new CommandError('`--into` and `--rules` exclude each other', EXIT.usage);
  if (write && into === undefined) throw new CommandError('`--write` needs `--into`', EXIT.usage);
}

function idsOf(words: readonly string[], groups: readonly Group[]): readonly number[] {
  return words.map((text) => {
    const id = readGroupId(text, groups);
    if (id === undefined) throw new CommandError(`no group \`${text}\``, EXIT.unfit);
    return id;
  });
}

export async function learnRules(globals: Globals, words: LearnWords): Promise<void> {
  const prefix = {
    4: readLength('prefix', words.prefix, 32),
    6: readLength('prefix6', words.prefix6, 128),
  };
  checkWords(words);
  const base = words.into ?? words.rules;
  const known = base === undefined ? undefined : readRules(base);
  const isLive = words.live || words.for !== undefined;
  const seen = isLive
    ? await hearSeen(globals, words, prefix)
    : await readSeen(words, known?.table);
  const groups = known?.table.groups ?? seen.groups;
  const calls = isLive && known ? renumbered(seen, groups) : seen.calls;
  const wanted = idsOf(words.groups, groups);
  const ofGroups = calls.filter(({ packet: { group } }) =>
    wanted.length > 0 ? wanted.includes(group) : group !== 0,
  );
  const others = calls.length - ofGroups.length;
  if (wanted.length === 0 && others > 0)
    note(`${others} calls of no group are left out: \`--group 0\` takes them`);
  if (words.into !== undefined && known) {
    const { learnInto } = await import('./into.js');
    learnInto(globals, { path: words.into, ...known, write: words.write }, ofGroups, {
      groups,
      prefix,
    });
    return;
  }
  const isKnown = known ? allows(known.table) : () => false;
  const wantedCalls = ofGroups.filter(({ packet }) => !isKnown(packet));
  if (wantedCalls.length === 0)
    note(
      ofGroups.length > 0
        ? `the rules accept all that was seen: ${ofGroups.length} calls`
        : 'nothing was seen',
    );
  printLearned(wantedCalls, { groups, prefix });
}
