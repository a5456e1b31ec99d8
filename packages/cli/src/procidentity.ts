/**
 * Who a process is, so that others can tell later whether it lives: a pid is given again, and means
 * something else in another pid namespace, after a reboot and on another host.
 */
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { errnoOf } from './failure.js';

interface ProcessIdentity {
  readonly pid: number;
  readonly host: string;
  /** Of the boot, the pid namespace and the process's start; `-` where there is no /proc. */
  readonly boot: string;
  readonly namespace: string;
  readonly start: string;
}

const UNKNOWN = '-';

function attempt(read: () => string): string {
  try {
    return read().trim() || UNKNOWN;
  } catch {
    return UNKNOWN;
  }
}

/** Field 22 of proc(5)'s stat: the start in ticks since boot. The name before it may hold anything. */
function startOf(pid: number | 'self'): string {
  return attempt(() => {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  });
}

export function ownIdentity(): ProcessIdentity {
  return {
    pid: process.pid,
    host: hostname(),
    boot: attempt(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8')),
    namespace: attempt(() => readlinkSync('/proc/self/ns/pid')).replace(/\D+/g, '') || UNKNOWN,
    start: startOf('self'),
  };
}

export function printIdentity({ pid, host, boot, namespace, start }: ProcessIdentity): string {
  return `${pid} ${host} ${boot} ${namespace} ${start}\n`;
}

/** Undefined for what is no identity; an older release's has pid and host alone. */
export function readIdentity(text: string): ProcessIdentity | undefined {
  const words = text.trim().split(' ');
  const [pid, host, boot = UNKNOWN, namespace = UNKNOWN, start = UNKNOWN] = words;
  if (!/^[1-9]\d*$/.test(pid ?? '') || host === undefined || words.length > 5) return undefined;
  return { pid: Number(pid), host, boot, namespace, start };
}

function hasPid(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return errnoOf(error) !== 'ESRCH';
  }
}

/** Ticks of a second in proc(5), on every architecture of Linux. */
const TICKS = 100;
/** How far the clocks of files and processes may be apart. */
const SLACK_MS = 2000;

/** When the process began, in ms since the epoch; undefined where that can't be told. */
function beganAt(pid: number): number | undefined {
  const start = startOf(pid);
  const uptime = attempt(() => readFileSync('/proc/uptime', 'utf8'));
  if (start === UNKNOWN || uptime === UNKNOWN) return undefined;
  const boot = Date.now() - Number(uptime.split(' ')[0]) * 1000;
  return boot + (Number(start) / TICKS) * 1000;
}

/** Whether whoever had the pid on this host when a file was last written has provably ended. */
export function hasEndedSince(pid: number, writtenMs: number): boolean {
  if (!hasPid(pid)) return true;
  const began = beganAt(pid);
  return began !== undefined && began > writtenMs + SLACK_MS;
}

/**
 * Whether the process has provably ended, who wrote its identity to a file then: what can't be told from
 * here counts as alive.
 */
export function isDead(other: ProcessIdentity, writtenMs: number): boolean {
  const own = ownIdentity();
  if (other.host !== own.host) return false;
  const differs = (key: 'boot' | 'namespace') =>
    other[key] !== UNKNOWN && own[key] !== UNKNOWN && other[key] !== own[key];
  if (differs('boot')) return true;
  if (differs('namespace')) return false;
  if (hasEndedSince(other.pid, writtenMs)) return true;
  const start = startOf(other.pid);
  return other.start !== UNKNOWN && start !== UNKNOWN && start !== other.start;
}
