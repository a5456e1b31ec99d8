/**
 * Events as entries of a log that is kept: systemd's journal by its own protocol, with fields that are searched for
 * (https://systemd.io/JOURNAL_NATIVE_PROTOCOL), else syslog (RFC 3164, as /dev/log has it).
 */
import { existsSync } from 'node:fs';
import { DatagramSender } from '@sockfilter/bpf';
import { type EventKind, eventJson, eventMessage } from '@sockfilter/events';
import { EXIT, escapeUnseen } from '@sockfilter/language';
import { CommandError } from '../failure.js';
import { note } from '../output.js';
import { missedWords, type Output, type Seen } from './output.js';

const JOURNAL = '/run/systemd/journal/socket';
const SYSLOG = '/dev/log';

/** Names the entries of this program in the catalogue of the journal, whatever release has written them. */
const MESSAGE_ID = '0b5d7f5be7fa4d0c9f0e5c6f4a0d3c11';
const IDENTIFIER = 'sockfilter';
/** LOG_DAEMON. */
const FACILITY = 3;

/** Levels of syslog(3); a LOG has its own. */
const PRIORITY: Readonly<Record<EventKind, number>> = {
  refused: 4,
  audit: 5,
  log: 4,
  trace: 7,
  passed: 6,
};

function priorityOf({ event: { kind }, resolution: { owner } }: Seen): number {
  const target = owner?.rule?.target;
  return kind === 'log' && target?.kind === 'log' ? target.level : PRIORITY[kind];
}

type Fields = Readonly<Record<string, string | number | null | undefined>>;

/** What `journalctl` can be asked for. */
function fieldsOf(seen: Seen): Fields {
  const line = eventJson(seen.event, seen.resolution);
  const { errno, rule, call, uid, group, cgroup, netns, chain, kind, holders } = line;
  // Who calls, or is the only one to hold the socket.
  const [holder, other] = holders ?? [];
  const { pid, comm } = holder && !other ? holder : line;
  return {
    // Who is meant, where the journal adds what it knows of the process by itself.
    OBJECT_PID: pid,
    ERRNO: errno,
    SOCKFILTER_KIND: kind,
    SOCKFILTER_CHAIN: chain,
    SOCKFILTER_PROTOCOL: call?.protocol,
    SOCKFILTER_SOURCE: call && 'source' in call ? call.source : undefined,
    SOCKFILTER_DESTINATION: call?.destination,
    SOCKFILTER_GROUP: group.name,
    SOCKFILTER_ID: group.id,
    SOCKFILTER_RULE_CHAIN: rule?.chain,
    SOCKFILTER_RULE: rule?.rule,
    SOCKFILTER_RULE_TEXT: rule?.text,
    SOCKFILTER_COMM: comm,
    SOCKFILTER_UID: uid,
    SOCKFILTER_CGROUP: cgroup.path,
    SOCKFILTER_NETNS: netns,
  };
}

const messageOf = ({ event, resolution }: Seen) => escapeUnseen(eventMessage(event, resolution));

/** Every value by its length: whatever is in it, it is one field. */
function journalEntry(fields: Fields): Buffer {
  const parts = Object.entries(fields).flatMap(([name, value]) => {
    if (value === undefined || value === null) return [];
    const bytes = Buffer.from(String(value));
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(bytes.length));
    return [Buffer.from(`${name}\n`), length, bytes, Buffer.from('\n')];
  });
  return Buffer.concat(parts);
}

/** A log of the machine. */
interface Log {
  readonly path: string;
  readonly entry: (seen: Seen) => Buffer;
  readonly missed: (message: string) => Buffer;
}

const common = (message: string, priority: number): Fields => ({
  MESSAGE: message,
  MESSAGE_ID,
  PRIORITY: priority,
  SYSLOG_IDENTIFIER: IDENTIFIER,
});

/** The receiver knows the time. */
const syslogLine = (message: string, priority: number) =>
  Buffer.from(`<${8 * FACILITY + priority}>${IDENTIFIER}[${process.pid}]: ${message}`);

/** Those that there may be, the better first. */
const LOGS: readonly Log[] = [
  {
    path: JOURNAL,
    entry: (seen) =>
      journalEntry({ ...common(messageOf(seen), priorityOf(seen)), ...fieldsOf(seen) }),
    missed: (message) => journalEntry(common(message, PRIORITY.refused)),
  },
  {
    path: SYSLOG,
    entry: (seen) => syslogLine(messageOf(seen), priorityOf(seen)),
    missed: (message) => syslogLine(message, PRIORITY.refused),
  },
];

const PATIENCE_S = 1;

/** Throws CommandError where neither is there. */
export function openJournal(): Output {
  const log = LOGS.find(({ path }) => existsSync(path));
  if (!log)
    throw new CommandError(
      `there is no journal and no syslog: neither ${JOURNAL} nor ${SYSLOG} is there`,
      EXIT.resource,
      'without `--journal` it prints the events',
    );
  const sender = new DatagramSender(log.path, PATIENCE_S);
  let missing = 0;
  const tellLost = (lost: number) => {
    missing += lost;
    if (missing > 0 && sender.send(log.missed(`${missing} events were lost`))) missing = 0;
  };
  return {
    hear: (all, { lost = 0, ...missed }) => {
      for (const words of missedWords(missed)) sender.send(log.missed(words));
      // What is too slow for one is for the next as well: the rest of the batch is counted.
      const taken = all.findIndex((seen) => !sender.send(log.entry(seen)));
      tellLost(lost + (taken < 0 ? 0 : all.length - taken));
      return true;
    },
    close: () => {
      tellLost(0);
      if (missing > 0) note(`${missing} events are not in ${log.path}`);
      sender.close();
    },
  };
}
