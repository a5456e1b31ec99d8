/**
 * Who a process is, so that others can tell later whether it lives: a pid is given again, and means
 * something else in another pid namespace, after a reboot and on another host. A host's name may come and change with its
 * network: what it was before a reboot was is told by machine-id(5).
 */
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { errnoOf } from './errno.js';

interface ProcessIdentity {
  readonly pid: number;
  readonly host: string;
  /** Of the boot, the pid namespace and the process's start; `-` where there is no /proc. */
  readonly boot: string;
  readonly namespace: string;
  readonly start: string;
  /** `-` also where the file is not this machine's own, as in a container. */
  readonly machine: string;
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

/** The inode of the first pid namespace of any machine: PROC_PID_INIT_INO of the kernel's proc_ns.h. */
const FIRST_NAMESPACE = '4026531836';

function machineOf(namespace: string): string {
  if (namespace !== FIRST_NAMESPACE) return UNKNOWN;
  const id = attempt(() => readFileSync('/etc/machine-id', 'utf8'));
  return /^[0-9a-f]{32}$/.test(id) ? id : UNKNOWN;
}

let own: ProcessIdentity | undefined;

export function ownIdentity(): ProcessIdentity {
  if (own) return own;
  const namespace = attempt(() => readlinkSync('/proc/self/ns/pid')).replace(/\D+/g, '') || UNKNOWN;
  own = {
    pid: process.pid,
    host: hostname(),
    boot: attempt(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8')),
    namespace,
    start: startOf('self'),
    machine: machineOf(namespace),
  };
  return own;
}

export function printIdentity(identity: ProcessIdentity): string {
  const { pid, host, boot, namespace, start, machine } = identity;
  return `${pid} ${host} ${boot} ${namespace} ${start} ${machine}\n`;
}

/** Undefined for what is no identity; an older release's has no machine, or pid and host alone. */
export function readIdentity(text: string): ProcessIdentity | undefined {
  const words = text.trim().split(' ');
  const [pid, host, boot = UNKNOWN, namespace = UNKNOWN, start = UNKNOWN, machine = UNKNOWN] =
    words;
  if (!/^[1-9]\d*$/.test(pid ?? '') || host === undefined || words.length > 6) return undefined;
  return { pid: Number(pid), host, boot, namespace, start, machine };
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

/** Whether the process ran on this host, as far as can be told. */
export function isOfThisHost({ host, machine }: ProcessIdentity): boolean {
  const here = ownIdentity();
  if (machine !== UNKNOWN && here.machine !== UNKNOWN) return machine === here.machine;
  return host === here.host;
}

/**
 * Whether the process has provably ended, who wrote its identity to a file then: what can't be told from
 * here counts as alive.
 */
export function isDead(other: ProcessIdentity, writtenMs: number): boolean {
  const here = ownIdentity();
  if (!isOfThisHost(other)) return false;
  const differs = (key: 'boot' | 'namespace') =>
    other[key] !== UNKNOWN && here[key] !== UNKNOWN && other[key] !== here[key];
  if (differs('boot')) return true;
  if (differs('namespace')) return false;
  if (hasEndedSince(other.pid, writtenMs)) return true;
  const start = startOf(other.pid);
  return other.start !== UNKNOWN && start !== UNKNOWN && start !== other.start;
}
