/**
 * `sockfilter exec`: runs a command inside a group. Node has no exec(2), so the tool enters the group
 * itself and waits there for its child, which is as if the command ran in its place.
 */
import { spawn } from 'node:child_process';
import { closeSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { constants } from 'node:os';
import { isatty } from 'node:tty';
import { EXIT } from '@sockfilter/language';
import { moveProcess } from './cgroupdirectory.js';
import { errnoOf } from './errno.js';
import { CommandError } from './failure.js';
import { type Globals, requireLive } from './globals.js';
import { enterableDirectory, noteHandedOver } from './group.js';
import { note } from './output.js';

const O_CLOEXEC = 0o2000000;

/** What a shell's `$?` is where a command can't be run, or isn't there. */
const STATUS = { notExecutable: 126, notFound: 127, signal: 128 } as const;

/** Whether a descriptor is closed when a command is run; undefined if it is closed already. */
function closesOnExec(fd: number): boolean | undefined {
  try {
    const info = readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8');
    const flags = Number.parseInt(/^flags:\s*(\d+)/m.exec(info)?.[1] ?? '0', 8);
    return (flags & O_CLOEXEC) !== 0;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** The inode of the socket that the descriptor is; undefined if it is none. */
function socketAt(fd: number): number | undefined {
  try {
    const [, inode] = /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/self/fd/${fd}`)) ?? [];
    return inode === undefined ? undefined : Number(inode);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/**
 * Closes what the command would inherit beside the standard streams: a socket made elsewhere keeps
 * the group that it was made in. All descriptors of node's own are close-on-exec, and so are the low
 * ones that it inherited: node marks them when it starts. Returns the sockets that were left, which
 * can only be inherited ones.
 */
function closeInherited(keepSockets: boolean): readonly number[] {
  const kept: number[] = [];
  for (const name of readdirSync('/proc/self/fd')) {
    const fd = Number(name);
    if (fd <= 2) continue;
    if (keepSockets && socketAt(fd) !== undefined) kept.push(fd);
    else if (closesOnExec(fd) === false) closeSync(fd);
  }
  return kept;
}

const FORWARDED = ['SIGTERM', 'SIGHUP', 'SIGUSR1', 'SIGUSR2', 'SIGCONT', 'SIGWINCH'] as const;
/** A terminal sends these to the child as well. */
const FROM_KEYBOARD = ['SIGINT', 'SIGQUIT'] as const;

/** Runs the command to its end with our standard streams; resolves with its exit status. */
function run(
  command: string,
  args: readonly string[],
  sockets: readonly number[],
): Promise<number> {
  return new Promise((resolve, reject) => {
    const stdio: ('ignore' | number)[] = [0, 1, 2];
    for (const fd of sockets) {
      while (stdio.length < fd) stdio.push('ignore');
      stdio.push(fd);
    }
    const hasTerminal = [0, 1, 2].some((fd) => isatty(fd));
    // Before there is a child, which may be heard of before spawn() returns: who ends us then would leave it behind.
    for (const signal of FORWARDED) process.on(signal, () => child.kill(signal));
    for (const signal of FROM_KEYBOARD)
      process.on(signal, () => {
        if (!hasTerminal) child.kill(signal);
      });
    const child = spawn(command, args, { stdio });
    child.on('error', reject);
    child.on('exit', (status, signal) =>
      resolve(status ?? STATUS.signal + (signal === null ? 0 : constants.signals[signal])),
    );
  });
}

export interface ExecOptions {
  readonly group: string;
  /** Leaves inherited sockets open, with the group that they have. */
  readonly keepSockets: boolean;
  /** The command and its arguments. */
  readonly words: readonly string[];
}

export async function execInGroup(globals: Globals, options: ExecOptions): Promise<void> {
  const { group, keepSockets, words } = options;
  requireLive(globals, 'exec');
  const [command, ...args] = words;
  if (command === undefined || command === '') {
    const help = '`sockfilter exec --group NAME -- COMMAND ARGS...`';
    throw new CommandError('no command to run', EXIT.usage, help);
  }
  const directory = enterableDirectory(globals, group);
  moveProcess(directory, process.pid);
  const sockets = closeInherited(keepSockets);
  const handed = new Set([0, 1, 2, ...sockets].flatMap((fd) => socketAt(fd) ?? []));
  if (handed.size > 0) noteHandedOver(globals, handed);
  try {
    process.exitCode = await run(command, args, sockets);
  } catch (error) {
    const code = errnoOf(error);
    if (code === undefined) throw error;
    process.exitCode = code === 'ENOENT' ? STATUS.notFound : STATUS.notExecutable;
    const message = code === 'ENOENT' ? 'command not found' : `can't be run (${code})`;
    note(`\`${command}\`: ${message}`);
  }
}
