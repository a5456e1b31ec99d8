/** Where what outlives reboots is kept: folders of the caller's own, in which nobody else writes. */
import { lstatSync, mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { EXIT } from '@sockfilter/language';
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

/**
 * Makes a folder in the state directory, for its owner alone. Throws CommandError for what others could write
 * to and for a symbolic link, so that whoever names the directory to root has it write nowhere else.
 */
export function makeStateDirectory(...names: readonly string[]): string {
  let path = stateDirectory();
  mkdirSync(path, { recursive: true, mode: 0o700 });
  requireOwn(path, statSync);
  for (const name of names) {
    path = join(path, name);
    if (!lstatSync(path, { throwIfNoEntry: false })) mkdirSync(path, { mode: 0o700 });
    requireOwn(path, lstatSync);
  }
  return path;
}
