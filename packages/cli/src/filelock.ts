/**
 * Exclusion of several editors of one file: `.NAME.lock` beside it, which says who holds it. A lock whose
 * holder has provably ended is taken over; so is an empty one, which a power cut leaves: a lock comes into
 * being with its content.
 */
import { linkSync, readdirSync, readFileSync, statSync, unlinkSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { EXIT } from '@sockfilter/language';
import { errnoOf } from './errno.js';
import { CommandError, namingFile } from './failure.js';
import {
  hasEndedSince,
  isDead,
  isOfThisHost,
  ownIdentity,
  printIdentity,
  readIdentity,
} from './procidentity.js';
import { waitTurn } from './turn.js';

/**
 * Taking over takes microseconds; a process that was killed meanwhile blocks others no longer, whatever has become of the
 * clock since.
 */
const TAKEOVER_MS = 10_000;

function unlink(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
  }
}

/** Makes the file with its content at once; false if it is there already. */
function create(path: string, content: string): boolean {
  const own = `${path}.${process.pid}`;
  try {
    unlink(own);
    writeFileSync(own, content, { flag: 'wx', mode: 0o644 });
    linkSync(own, path);
    return true;
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw namingFile(error, path);
    return false;
  } finally {
    unlink(own);
  }
}

interface Held {
  readonly content: string;
  readonly writtenMs: number;
}

function read(path: string): Held | undefined {
  try {
    return { content: readFileSync(path, 'utf8'), writtenMs: statSync(path).mtimeMs };
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
    return undefined;
  }
}

function isStale({ content, writtenMs }: Held): boolean {
  // A file system may give back zeros for what the power cut kept it from writing.
  if (content.replaceAll('\0', '').trim() === '') return true;
  const holder = readIdentity(content);
  return holder !== undefined && isDead(holder, writtenMs);
}

/** Removes a stale lock. One process at a time looks and removes, so none removes a lock in use. */
function takeOver(path: string): void {
  const guard = `${path}.stale`;
  if (!create(guard, '')) {
    const made = statSync(guard, { throwIfNoEntry: false })?.mtimeMs;
    if (made !== undefined && Math.abs(Date.now() - made) > TAKEOVER_MS) unlink(guard);
    return;
  }
  try {
    const held = read(path);
    if (held !== undefined && isStale(held)) unlink(path);
  } finally {
    unlink(guard);
  }
}

/** Whether the lock is had now. */
function take(path: string, content: string): boolean {
  if (create(path, content)) return true;
  const held = read(path);
  if (held !== undefined && isStale(held)) takeOver(path);
  return held === undefined || isStale(held) ? create(path, content) : false;
}

function refusal(file: string, path: string): CommandError {
  const content = read(path)?.content ?? '';
  const holder = readIdentity(content);
  const who = holder ? `pid ${holder.pid} on ${holder.host} holds ${path}` : `${path} is held`;
  const message = `Another sockfilter command is editing \`${file}\`: ${who}`;
  const isOurs = holder !== undefined && isOfThisHost(holder);
  const help = isOurs
    ? 'wait for it with `-w`'
    : `wait for it with \`-w\`; if no such command runs any more, \`rm ${path}\``;
  return new CommandError(message, EXIT.resource, help);
}

/** Removes what processes that were killed have left of their writing to the file and its lock. */
function sweep(file: string): void {
  const [folder, name] = [dirname(file), basename(file)];
  for (const each of readdirSync(folder)) {
    if (!each.startsWith(`.${name}.`)) continue;
    const pid = /^(?:lock\.)?(\d+)(?:\.tmp)?$/.exec(each.slice(name.length + 2))?.[1];
    const path = join(folder, each);
    const written = pid && statSync(path, { throwIfNoEntry: false })?.mtimeMs;
    if (written && Number(pid) !== process.pid && hasEndedSince(Number(pid), written)) unlink(path);
  }
}

/** Runs `use` with the file locked against other editors; waits at most so many seconds for it. */
export function withFileLock<T>(file: string, wait: number, use: () => T): T {
  const path = join(dirname(file), `.${basename(file)}.lock`);
  const content = printIdentity(ownIdentity());
  if (!waitTurn(`${path}.queue`, wait, () => take(path, content))) throw refusal(file, path);
  try {
    sweep(file);
    return use();
  } finally {
    unlink(path);
  }
}
