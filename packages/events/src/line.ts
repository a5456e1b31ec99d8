/** An event as a line: JSON for programs, words for people. */
import {
  auditedErrno,
  CHAINS,
  type CounterOwner,
  type Errno,
  errnoName,
  type Group,
  groupLabel,
  type Packet,
  printEndpoint,
  protocolName,
  type Target,
} from '@sockfilter/table';
import type { RawEvent } from './event.js';

/** Of the lines in JSON: a new one may have more members, never others. */
const LINE_VERSION = 1;

/** A process that holds a socket. */
interface Holder {
  readonly pid: number;
  readonly comm: string;
}

/** What a reader knows of an event beside what the kernel has said. */
export interface Resolution {
  /** Nanoseconds since 1970 by UTC. */
  readonly time: bigint;
  /** Whose event it is; undefined where no rule had a say, or its table is gone. */
  readonly owner: CounterOwner | undefined;
  /** That rule or policy as `-S` prints it. */
  readonly text: string | undefined;
  /** Of the table in force at that time. */
  readonly groups: readonly Group[];
  /** Where the cgroup is; undefined once it was removed. */
  readonly cgroup: string | undefined;
  /** Looks for the processes that hold the socket, where no task calls; none where they are not found. */
  readonly holders: () => readonly Holder[];
}

const NS_PER_MS = 1_000_000n;

/** `2026-11-26T01:02:03.000456Z`: with microseconds. */
function printTime(time: bigint): string {
  const text = new Date(Number(time / NS_PER_MS)).toISOString();
  const micros = String((time / 1000n) % 1000n).padStart(3, '0');
  return text.replace('Z', `${micros}Z`);
}

/** What a rule that logs says of its events. */
function logged(target: Target | undefined) {
  if (target?.kind === 'log') return { prefix: target.prefix, level: target.level };
  return target?.kind === 'nflog' ? { prefix: target.prefix, nflogGroup: target.group } : {};
}

/** The errno of a refusal, or of what would have been one; undefined where its rule is not known any more. */
function errnoOf({ kind, errno }: RawEvent, owner: CounterOwner | undefined): Errno | undefined {
  if (kind === 'refused') return errno;
  return kind === 'audit' && owner ? auditedErrno(owner) : undefined;
}

/** BIND has no peer: its source is nothing. */
function ends({ chain, family, ...packet }: Packet) {
  const destination = printEndpoint(family, packet.destination, packet.destinationPort);
  if (CHAINS[chain].noPeer !== undefined) return { destination };
  return { source: printEndpoint(family, packet.source, packet.sourcePort), destination };
}

/** The event as what a line of JSON says. */
export function eventJson(event: RawEvent, resolution: Resolution) {
  const { kind, packet, task, group } = event;
  const { time, owner, text, groups, cgroup } = resolution;
  const holders = resolution.holders();
  const errno = errnoOf(event, owner);
  return {
    version: LINE_VERSION,
    kind,
    time: printTime(time),
    chain: event.chain,
    ...(errno !== undefined && { errno, errnoName: errnoName(errno) }),
    rule:
      owner && text !== undefined
        ? {
            chain: owner.chain.name,
            rule: owner.rule ? owner.number : null,
            text,
            generation: event.sequence,
          }
        : null,
    ...(kind === 'log' && logged(owner?.rule?.target)),
    call: packet ? { protocol: protocolName(packet.protocol), ...ends(packet) } : null,
    ...(task && { pid: task.pid, tid: task.tid, comm: task.comm }),
    ...(holders.length > 0 && { holders }),
    ...(event.uid !== undefined && { uid: event.uid }),
    ...(event.gid !== undefined && { gid: event.gid }),
    group: { id: group, name: groups.find(({ id }) => id === group)?.name ?? null },
    cgroup: { id: String(event.cgroup), path: cgroup ?? null },
    netns: String(event.netns),
    socket: String(event.socket),
  };
}

/** Why an event is not told: it came faster than it could be read, or its reader wanted no more at a time. */
export type Missing = 'lost' | 'skipped';

/** What is told of events that are not, now or at so many ms since 1970. */
export function missingJson(kind: Missing, count: number, at: number = Date.now()) {
  return { version: LINE_VERSION, kind, time: printTime(BigInt(at) * NS_PER_MS), count };
}

function callWords(packet: Packet | undefined): string {
  if (!packet) return 'a call that can not be read';
  const { source, destination } = { source: undefined, ...ends(packet) };
  const protocol = protocolName(packet.protocol);
  return source === undefined
    ? `${protocol} ${destination}`
    : `${protocol} ${source} -> ${destination}`;
}

/** What became of the call; it may have characters that a terminal obeys. */
export function kindWords(event: RawEvent, owner: CounterOwner | undefined): string {
  const { kind } = event;
  const errno = errnoOf(event, owner);
  if (kind === 'refused' && errno !== undefined) return `refused ${errnoName(errno)}`;
  if (kind === 'audit') return errno === undefined ? 'audited' : `would refuse ${errnoName(errno)}`;
  const { prefix = '' } = { prefix: '', ...logged(owner?.rule?.target) };
  return kind === 'log' && prefix !== '' ? `log ${prefix.trim()}` : kind;
}

/** Which rule or policy it is of; undefined where that is not known. */
export function placeWords(owner: CounterOwner | undefined): string | undefined {
  return owner && `${owner.rule ? `rule ${owner.number}` : 'the policy'} of ${owner.chain.name}`;
}

const processWords = ({ comm, pid }: Holder) => `${comm}[${pid}]`;

function holderWords([first, ...more]: readonly Holder[]): readonly string[] {
  if (!first) return [];
  return [`held by ${processWords(first)}${more.length > 0 ? ` and ${more.length} more` : ''}`];
}

/** The event in words, without its time; it may have characters that a terminal obeys. */
export function eventMessage(event: RawEvent, resolution: Resolution): string {
  const { task, group, uid } = event;
  const { owner, text, groups } = resolution;
  const place = placeWords(owner);
  const said = [
    kindWords(event, owner),
    `${event.chain} ${callWords(event.packet)}`,
    [
      ...(task ? [processWords(task)] : holderWords(resolution.holders())),
      ...(uid === undefined ? [] : [`uid ${uid}`]),
      ...(group === 0 ? [] : [`group ${groupLabel(groups, group)}`]),
    ].join(' '),
    place === undefined ? 'no rule: it failed closed' : `${place}: ${text}`,
  ];
  return said.filter((part) => part !== '').join(', ');
}

/** The same, by the clock on the wall. */
export function eventWords(event: RawEvent, resolution: Resolution): string {
  const clock = new Date(Number(resolution.time / NS_PER_MS));
  const hours = clock.toTimeString().slice(0, 8);
  const ms = String(clock.getMilliseconds()).padStart(3, '0');
  return `${hours}.${ms} ${eventMessage(event, resolution)}`;
}
