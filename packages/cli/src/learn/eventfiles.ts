/** Calls that files of events tell of. */
import type { SeenCall } from '@sockfilter/interop';
import { EXIT } from '@sockfilter/language';
import { type EventLine, readEvents } from '@sockfilter/policy';
import type { Group, Packet, Table } from '@sockfilter/table';
import { CommandError } from '../failure.js';
import { type Input, readInput } from '../inputfile.js';
import { note } from '../output.js';
import { readPacket } from '../packet.js';

export async function readFiles(files: readonly string[]): Promise<readonly EventLine[]> {
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

type MissingLine = Extract<EventLine, { readonly kind: 'lost' | 'skipped' }>;

const isCall = (event: EventLine): event is Exclude<EventLine, MissingLine> =>
  event.kind !== 'lost' && event.kind !== 'skipped';

/** The groups that the events name, under the names that they had last. */
export function groupsOf(events: readonly EventLine[]): readonly Group[] {
  const names = new Map<number, string>();
  for (const event of events)
    if (isCall(event) && event.group.name !== null) names.set(event.group.id, event.group.name);
  return [...names].map(([id, name]) => ({ id, name, path: undefined }));
}

/** The id that the group of an event has among these: that of its name. */
export function idOf(
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

type KindCounts = Partial<Record<Exclude<EventLine, MissingLine>['kind'], number>>;

/**
 * How many calls so many events of each kind tell of. One call can have several: of the rules on its way that
 * audit, log or trace it, and of its end.
 */
function callCount(events: KindCounts): number {
  const { refused = 0, passed = 0, audit = 0, log = 0, trace = 0 } = events;
  return Math.max(refused + Math.max(passed, audit), log, trace);
}

/** Each call once; what was lost, or could not be read, is told. */
export function callsOf(events: readonly EventLine[], table: Table): readonly SeenCall[] {
  const seen = new Map<string, { packet: Packet; told: KindCounts }>();
  let lost = 0;
  let unread = 0;
  for (const event of events) {
    if (!isCall(event)) {
      lost += event.count;
      continue;
    }
    const { kind, call, chain, group, uid, gid } = event;
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
    const told: KindCounts = seen.get(key)?.told ?? {};
    told[kind] = (told[kind] ?? 0) + 1;
    seen.set(key, { packet, told });
  }
  if (lost > 0)
    note(`${lost} events were lost before they were read: what they told is not allowed`);
  if (unread > 0) note(`${unread} events tell of no call that could be read`);
  return [...seen.values()].map(({ packet, told }) => ({ packet, times: callCount(told) }));
}
