/** Replacing a file as a whole: at any moment a reader finds the old text or the new. */
import {
  closeSync,
  fchmodSync,
  fchownSync,
  fsyncSync,
  openSync,
  realpathSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { EXIT } from '@sockfilter/language';
import { errnoOf } from './errno.js';
import { CommandError, namingFile } from './failure.js';

/** The file itself, behind symbolic links; the name as given if nothing is there. */
export function resolveFile(path: string): string {
  try {
    return realpathSync(path);
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
    return path;
  }
}

/** Has the folder's names written to the disk: a file in it, or a new folder, may be lost with them. */
export function syncDirectory(path: string): void {
  const fd = openSync(path, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/**
 * Writes the file by way of a new one beside it; mode and owner stay, and a new one has the mode given. The text is on the disk when
 * it returns. What is no regular file, such as /dev/stdout, is written to.
 */
export function replaceFile(path: string, text: string | Uint8Array, mode = 0o644): void {
  if (path === '-')
    throw new CommandError(
      '`-` is standard output, which has the answer',
      EXIT.usage,
      'name a file; one of that name is `./-`',
    );
  const target = resolveFile(path);
  const before = statSync(target, { throwIfNoEntry: false });
  if (before && !before.isFile()) {
    writeFileSync(target, text);
    return;
  }
  replaceTarget({ target, shown: path, before }, [text], mode);
}

/** Writes the file, or prints the text without one or for `-`. */
export function writeOutput<T extends string | Uint8Array>(
  to: string | undefined,
  text: T,
  print: (text: T) => void,
): void {
  if (to === undefined || to === '-') print(text);
  else replaceFile(to, text);
}

/** Writes a file for its owner alone; what has the name is replaced, and a symbolic link is not followed. */
export function replaceOwnFile(path: string, ...parts: readonly (string | Uint8Array)[]): void {
  replaceTarget({ target: path, shown: path, before: undefined }, parts, 0o600);
}

interface Place {
  readonly target: string;
  /** As the user has named it. */
  readonly shown: string;
  /** Whose mode and owner stay. */
  readonly before: Stats | undefined;
}

function replaceTarget(
  { target, shown, before }: Place,
  parts: readonly (string | Uint8Array)[],
  mode: number,
): void {
  const next = join(dirname(target), `.${basename(target)}.${process.pid}.tmp`);
  // One by this name is of a process that had the pid before.
  rmSync(next, { force: true });
  const fd = openSync(next, 'wx', mode);
  try {
    if (before) {
      if (before.uid !== process.geteuid?.() || before.gid !== process.getegid?.())
        fchownSync(fd, before.uid, before.gid);
      fchmodSync(fd, before.mode & 0o7777);
    }
    for (const part of parts) writeFileSync(fd, part);
    fsyncSync(fd);
    renameSync(next, target);
  } catch (error) {
    unlinkSync(next);
    throw namingFile(error, shown);
  } finally {
    closeSync(fd);
  }
  syncDirectory(dirname(target));
}
