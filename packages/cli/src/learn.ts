/** `sockfilter learn`: a rule file that allows what events tell of. */
import { includes, Universe } from '@sockfilter/diagram';
import { type Learned, learn, type SeenCall } from '@sockfilter/interop';
import { parseSave, printSave } from '@sockfilter/iptables';
import { EXIT } from '@sockfilter/language';
import { type EventLine, readEvents } from '@sockfilter/policy';
import {
  EMPTY_TABLE,
  enforced,
  type Group,
  type Packet,
  readGroupId,
  registerPaths,
  type Table,
} from '@sockfilter/table';
import { CommandError, DiagnosticsError } from './failure.js';
import { type Input, readInput } from './inputfile.js';
import { parseRules } from './notation.js';
import { note, printRuleText } from './output.js';
import { readPacket } from './packet.js';
import { SYSTEM_NAMES } from './systemnames.js';

export interface LearnWords {
  /** JSON lines of `monitor`; standard input without any. */
  readonly events: readonly string[];
  /** Of these groups alone: names, ids; empty for all. */
  readonly groups: readonly string[];
  /** What its rules accept is left out. */
  readonly rules: string | undefined;
  readonly prefix: string | undefined;
  readonly prefix6: string | undefined;
}

function readLength(name: string, text: string | undefined, most: number): number {
  if (text === undefined) return most;
  if (/^\d+$/.test(text) && Number(text) <= most) return Number(text);
  throw new CommandError(
    `\`--${name}\` is a number from 0 to ${most}, not \`${text}\``,
    EXIT.usage,
  );
}

async function readFiles(files: readonly string[]): Promise<readonly EventLine[]> {
  const inputs: readonly Input[] = files.length === 0 ? [readInput('-')] : files.map(readInput);
  const read = await Promise.all(
    inputs.map(async ({ name, text }) => ({ name, ...(await readEvents(text)) })),
  );
  const faults = read.flatMap(({ name, faults: found }) =>
    found.map(({ line, message }) => `${name}:${line}: ${message}`),
  );
  const [first] = faults;
  if (first === undefined) return read.flatMap(({ events }) => events);
  const more = faults.length > 1 ? `, and ${faults.length - 1} more lines` : '';
  throw new CommandError(`${first}${more}`, EXIT.usage);
}

/** The groups that the events name, under the names that they had last. */
function groupsOf(events: readonly EventLine[]): readonly Group[] {
  const names = new Map<number, string>();
  for (const event of events)
    if (event.kind !== 'lost' && event.group.name !== null)
      names.set(event.group.id, event.group.name);
  return [...names].map(([id, name]) => ({ id, name, path: undefined }));
}

/** The id that the group of an event has among these: that of its name. */
function idOf(
  { id, name }: { readonly id: number; readonly name: string | null },
  groups: readonly Group[],
): number {
  const named = groups.find((each) => each.name === name);
  if (named) return named.id;
  const other = groups.find((each) => each.id === id);
  if (!other) return id;
  const message = `the group with id ${id} is \`${name ?? id}\` in the events, and \`${other.name}\` in the rules`;
  throw new CommandError(message, EXIT.unfit, 'give the rules that were in force then');
}

/** Each call once; what was lost, or could not be read, is told. */
function callsOf(events: readonly EventLine[], table: Table): readonly SeenCall[] {
  const seen = new Map<string, { packet: Packet; times: number }>();
  let lost = 0;
  let unread = 0;
  for (const event of events) {
    if (event.kind === 'lost') {
      lost += event.count;
      continue;
    }
    const { call, chain, group, uid, gid } = event;
    if (!call) {
      unread++;
      continue;
    }
    const packet = readPacket(
      {
        chain,
        group: String(idOf(group, table.groups)),
        proto: call.protocol,
        src: call.source,
        dst: call.destination,
        uid: uid === undefined ? undefined : String(uid),
        gid: gid === undefined ? undefined : String(gid),
      },
      table,
    );
    const key = [chain, packet.group, call.protocol, call.source, call.destination].join(' ');
    const known = seen.get(key);
    if (known) known.times++;
    else seen.set(key, { packet, times: 1 });
  }
  if (lost > 0)
    note(`${lost} events were lost before they were read: what they told is not allowed`);
  if (unread > 0) note(`${unread} events tell of no call that could be read`);
  return [...seen.values()];
}

function readKnown(file: string): Table {
  const { name, text } = readInput(file);
  const { table, diagnostics, document } = parseRules(text, name, { names: SYSTEM_NAMES });
  if (diagnostics.length > 0) throw new DiagnosticsError(diagnostics, document.source);
  return registerPaths(table, 0);
}

/** Whether the rules let the call pass whatever limits and clocks say, and not because they are audited. */
function allows(table: Table): (packet: Packet) => boolean {
  const { mayRefuse } = new Universe().load(enforced(table));
  return (packet) => !includes(mayRefuse, packet);
}

function tellUnseen({ unseen }: Learned): void {
  for (const [group, chains] of unseen)
    if (chains.length > 0)
      note(`nothing was seen of ${group} in ${chains.join(', ')}: the file leaves them open`);
}

export async function learnRules(words: LearnWords): Promise<void> {
  const prefix = {
    4: readLength('prefix', words.prefix, 32),
    6: readLength('prefix6', words.prefix6, 128),
  };
  const events = await readFiles(words.events);
  const known = words.rules === undefined ? undefined : readKnown(words.rules);
  const groups = known?.groups ?? groupsOf(events);
  const wanted = words.groups.map((text) => {
    const id = readGroupId(text, groups);
    if (id === undefined) throw new CommandError(`no group \`${text}\``, EXIT.unfit);
    return id;
  });
  const calls = callsOf(events, { ...EMPTY_TABLE, groups });
  const isKnown = known ? allows(known) : () => false;
  const ofGroups = calls.filter(({ packet: { group } }) =>
    wanted.length > 0 ? wanted.includes(group) : group !== 0,
  );
  const others = calls.length - ofGroups.length;
  if (wanted.length === 0 && others > 0)
    note(`${others} calls of no group are left out: \`--group 0\` takes them`);
  const wantedCalls = ofGroups.filter(({ packet }) => !isKnown(packet));
  if (wantedCalls.length === 0)
    note(
      ofGroups.length > 0
        ? `the rules accept all that was seen: ${ofGroups.length} calls`
        : 'nothing was seen',
    );
  const learned = learn(wantedCalls, { groups, prefix });
  tellUnseen(learned);
  const { table, diagnostics, document } = parseSave(learned.text, 'what was learned', {
    names: SYSTEM_NAMES,
  });
  // A line that was left out would be a rule that is wider.
  if (diagnostics.length > 0) throw new DiagnosticsError(diagnostics, document.source);
  printRuleText(printSave(table));
}
