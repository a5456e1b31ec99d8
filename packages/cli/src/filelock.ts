/**
 * Exclusion of several editors of one file: `.NAME.lock` beside it, which holds the pid and the host
 * of the editor. A lock whose process has ended on this host is stale, and taken over.
 */
import { linkSync, readFileSync, statSync, unlinkSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { EXIT } from '@sockfilter/language';
import { CommandError, errnoOf } from './failure.js';

const POLL_MS = 20;
/** Taking over takes microseconds; a process that was killed meanwhile blocks others no longer. */
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
  writeFileSync(own, content);
  try {
    linkSync(own, path);
    return true;
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw error;
    return false;
  } finally {
    unlink(own);
  }
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
    return undefined;
  }
}

function isStale(content: string): boolean {
  const [, pid, host] = /^(\d+) (.*)\n$/.exec(content) ?? [];
  if (pid === undefined || host !== hostname()) return false;
  try {
    process.kill(Number(pid), 0);
    return false;
  } catch (error) {
    return errnoOf(error) === 'ESRCH';
  }
}

/** Removes a stale lock. One process at a time looks and removes, so none removes a lock in use. */
function takeOver(path: string): void {
  const guard = `${path}.stale`;
  if (!create(guard, '')) {
    const made = statSync(guard, { throwIfNoEntry: false })?.mtimeMs;
    if (made !== undefined && Date.now() - made > TAKEOVER_MS) unlink(guard);
    return;
  }
  try {
    const content = read(path);
    if (content !== undefined && isStale(content)) unlink(path);
  } finally {
    unlink(guard);
  }
}

/** Runs `use` with the file locked against other editors; waits at most so many seconds for it. */
export function withFileLock<T>(file: string, wait: number, use: () => T): T {
  const path = join(dirname(file), `.${basename(file)}.lock`);
  const until = Date.now() + wait * 1000;
  const nap = new Int32Array(new SharedArrayBuffer(4));
  while (!create(path, `${process.pid} ${hostname()}\n`)) {
    const holder = read(path);
    if (holder === undefined) continue;
    if (isStale(holder)) {
      takeOver(path);
      continue;
    }
    if (Date.now() >= until) {
      const [pid = '?', host = '?'] = holder.trim().split(' ');
      const message = `Another sockfilter command is editing \`${file}\`: pid ${pid} on ${host} holds ${path}`;
      throw new CommandError(message, EXIT.resource, 'wait for it with `-w`');
    }
    Atomics.wait(nap, 0, 0, POLL_MS);
  }
  try {
    return use();
  } finally {
    unlink(path);
  }
}
