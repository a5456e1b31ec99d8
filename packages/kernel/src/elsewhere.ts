/** Where an instance is pinned that this mount namespace does not show. */
import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type Fd, mapInfo, openPinned, parseMountInfo } from '@sockfilter/bpf';
import { using } from './pins.js';

export interface Holder {
  readonly pid: number;
  readonly command: string;
}

/** What is pinned somewhere else. */
export interface Sought {
  readonly bpffs: string;
  /** The pin of the table. */
  readonly pin: string;
  /** The kernel's ids of the tables that programs walk. */
  readonly tables: ReadonlySet<number>;
}

/** What `read` gives; undefined for a process that has gone, or has no such thing. */
function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

const namespaceOf = (pid: number | 'self', kind: 'mnt' | 'user') =>
  attempt(() => readlinkSync(`/proc/${pid}/ns/${kind}`));

/** Major and minor of a device number, as /proc/PID/mountinfo has them. */
const deviceText = (dev: number) =>
  `${(dev >> 8) & 0xfff}:${(dev & 0xff) | ((dev >>> 12) & 0xfff00)}`;

/** The bpffs that the process has at the place: not what links and folders of its own make of the name. */
function hasMounted(pid: number, bpffs: string, device: string): boolean {
  const mounts = parseMountInfo(readFileSync(`/proc/${pid}/mountinfo`, 'utf8'));
  const last = mounts.findLast(({ target }) => target === bpffs);
  return last?.type === 'bpf' && last.device === device;
}

const isOneOf = (tables: ReadonlySet<number>, fd: Fd) => tables.has(mapInfo(fd).id);

function holds(pid: number, { bpffs, pin, tables }: Sought): boolean {
  const path = join(`/proc/${pid}/root`, pin);
  if (!hasMounted(pid, bpffs, deviceText(statSync(path).dev))) return false;
  const table = openPinned(path);
  return table !== undefined && using(table, (fd) => isOneOf(tables, fd));
}

/**
 * The first process, by pid, in whose mount namespace the table is pinned; each namespace is asked once. A person is told to
 * run a program there: so it has to be the table itself, in a bpffs that is mounted there, and no user namespace of others.
 */
export function findHolder(sought: Sought): Holder | undefined {
  const asked = new Set([namespaceOf('self', 'mnt')]);
  const users = namespaceOf('self', 'user');
  const pids = readdirSync('/proc').map(Number).filter(Number.isInteger);
  for (const pid of pids.sort((a, b) => a - b)) {
    const namespace = namespaceOf(pid, 'mnt');
    if (asked.has(namespace)) continue;
    asked.add(namespace);
    if (namespaceOf(pid, 'user') !== users || !attempt(() => holds(pid, sought))) continue;
    return {
      pid,
      command: attempt(() => readFileSync(`/proc/${pid}/comm`, 'utf8').trim()) ?? '?',
    };
  }
  return undefined;
}
