/** Where what outlives reboots is kept: folders of the caller's own, in which nobody else writes. */
import { lstatSync, mkdirSync, mkdtempSync, rmdirSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { Ability } from '@sockfilter/kernel';
import { EXIT } from '@sockfilter/language';
import { syncDirectory } from './atomicfile.js';
import { CommandError } from './failure.js';

const WRITABLE_BY_OTHERS = 0o022;

export function stateDirectory(): string {
  return process.env.SOCKFILTER_STATE_DIR || '/var/lib/sockfilter';
}

function requireOwn(path: string, look: typeof lstatSync | typeof statSync): void {
  const found = look(path);
  const isOwn = found?.uid === process.geteuid?.() && (found.mode & WRITABLE_BY_OTHERS) === 0;
  if (found?.isDirectory() && isOwn) return;
  throw new CommandError(
    `\`${path}\` is no folder in which only you can write: nothing is kept there`,
    EXIT.resource,
    'it has to be a folder of your own, no symbolic link, with mode 700',
  );
}

/** Makes the folder and those above it that are missing; all are on the disk when it returns. */
function makeFolders(path: string): void {
  const made = mkdirSync(path, { recursive: true, mode: 0o700 });
  if (made === undefined) return;
  const first = dirname(resolve(made));
  for (let above = dirname(path); above.length >= first.length; above = dirname(above)) {
    syncDirectory(above);
    if (above === first) break;
  }
}

/**
 * Makes a folder in the state directory, for its owner alone. Throws CommandError for what others could write
 * to and for a symbolic link, so that whoever names the directory to root has it write nowhere else.
 */
export function makeStateDirectory(...names: readonly string[]): string {
  let path = resolve(stateDirectory());
  makeFolders(path);
  requireOwn(path, statSync);
  for (const name of names) {
    path = join(path, name);
    if (!lstatSync(path, { throwIfNoEntry: false })) makeFolders(path);
    requireOwn(path, lstatSync);
  }
  return path;
}

/** The nearest that is there of the path and what lies above it. */
function nearest(path: string): string {
  return lstatSync(path, { throwIfNoEntry: false }) ? path : nearest(dirname(path));
}

/** Makes a folder in the folder, and removes it. */
function tryMaking(folder: string): void {
  rmdirSync(mkdtempSync(join(folder, '.doctor-')));
}

/** What can be said of the folders without leaving any. Throws CommandError, and what the system says. */
function lookAtState(): string {
  const path = resolve(stateDirectory());
  const found = nearest(path);
  if (found !== path) {
    tryMaking(found);
    return `${path} is not there yet; it can be made`;
  }
  requireOwn(path, statSync);
  const history = join(path, 'history');
  if (lstatSync(history, { throwIfNoEntry: false })) requireOwn(history, lstatSync);
  tryMaking(path);
  return path;
}

/** Whether ids, history and locks can be kept, tried. */
export function examineState(): Ability {
  const row = { name: 'state folders', needed: false } as const;
  try {
    return { ...row, state: 'works', detail: lookAtState() };
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const help = error instanceof CommandError ? error.help : undefined;
    const failed = { ...row, state: 'fails', detail: error.message } as const;
    return help === undefined ? failed : { ...failed, help };
  }
}
