/**
 * The order in which commands get a lock that they wait for: as they came. Each that waits has a ticket, a
 * file in a folder that is there while any does; whoever has the oldest ticket tries the lock. What keeps
 * others out is the lock alone: a ticket that is lost costs its place, and nothing else.
 */
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { errnoOf } from './errno.js';
import { hasEndedSince, isDead, ownIdentity, printIdentity, readIdentity } from './procidentity.js';

/** How often the first in the queue tries, and how often the others look whether they are. */
const FIRST_MS = 5;
const OTHERS_MS = 20;

/** The pid at a ticket's end. */
const TICKET = /^\d+-(\d+)$/;

/** Of whom a ticket is, it says itself; a power cut may have kept that from the disk. */
function holderOf(path: string) {
  try {
    return readIdentity(readFileSync(path, 'utf8'));
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
    return undefined;
  }
}

function isLeft(path: string, name: string): boolean {
  const pid = TICKET.exec(name)?.[1];
  const written = statSync(path, { throwIfNoEntry: false })?.mtimeMs;
  if (pid === undefined || written === undefined) return true;
  const holder = holderOf(path);
  return holder ? isDead(holder, written) : hasEndedSince(Number(pid), written);
}

function ticketsIn(queue: string): readonly string[] {
  try {
    return readdirSync(queue).sort();
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
    return [];
  }
}

/** Whether the ticket is the oldest; those that the dead have left are removed. */
function isFirst(queue: string, ticket: string): boolean {
  for (const name of ticketsIn(queue)) {
    if (name === ticket) return true;
    const path = join(queue, name);
    if (!isLeft(path, name)) return false;
    rmSync(path, { force: true });
  }
  return true;
}

/** Takes a ticket; not if the folder is removed meanwhile. */
function enter(queue: string, ticket: string): void {
  mkdirSync(queue, { recursive: true });
  try {
    writeFileSync(join(queue, ticket), printIdentity(ownIdentity()));
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
  }
}

function leave(queue: string, ticket: string): void {
  rmSync(join(queue, ticket), { force: true });
  try {
    rmdirSync(queue);
  } catch {
    // Others wait still, or have removed it.
  }
}

/** Tries until it has the lock, in its turn; false if it has not after so many seconds. */
export function waitTurn(queue: string, wait: number, take: () => boolean): boolean {
  if (!existsSync(queue) && take()) return true;
  if (wait <= 0) return take();
  const until = Date.now() + wait * 1000;
  const nap = new Int32Array(new SharedArrayBuffer(4));
  const ticket = `${String(Date.now()).padStart(16, '0')}-${process.pid}`;
  try {
    for (;;) {
      // Whoever leaves as the last removes the folder, also right before another's ticket.
      if (!existsSync(join(queue, ticket))) enter(queue, ticket);
      const first = isFirst(queue, ticket);
      if (first && take()) return true;
      if (Date.now() >= until) return false;
      Atomics.wait(nap, 0, 0, first ? FIRST_MS : OTHERS_MS);
    }
  } finally {
    leave(queue, ticket);
  }
}
