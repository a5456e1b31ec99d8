/**
 * The highest group id that this host has ever given out by itself, so that none is given out again. It
 * outlives groups, tables and reboots; ids that users choose do not move it.
 */
import { closeSync, constants, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { EXIT } from '@sockfilter/language';
import { MAX_GROUP_ID, pathsInRules, registerPaths, type Table } from '@sockfilter/table';
import { replaceOwnFile } from './atomicfile.js';
import { errnoOf } from './errno.js';
import { CommandError } from './failure.js';
import { withFileLock } from './filelock.js';
import { makeStateDirectory, stateDirectory } from './statedirectory.js';

/** The highest id of all is the user's own choice. */
const HIGHEST_GIVEN = MAX_GROUP_ID - 1;

function markFile(): string {
  return join(stateDirectory(), 'highest-id');
}

function readMark(): string {
  const fd = openSync(markFile(), constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    return readFileSync(fd, 'utf8');
  } finally {
    closeSync(fd);
  }
}

/** 0 where no id has been given out. */
export function readHighMark(): number {
  let text: string;
  try {
    text = readMark();
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'EACCES'].includes(errnoOf(error) ?? '')) return 0;
    throw error;
  }
  const mark = Number(text.trim());
  if (text.trim() !== '' && Number.isInteger(mark) && mark >= 0 && mark <= HIGHEST_GIVEN)
    return mark;
  const help = 'write the highest group id that was ever given out into it';
  throw new CommandError(`\`${markFile()}\` holds no group id`, EXIT.resource, help);
}

/** A table with new ids, and those that it was given without the user's choosing them. */
export interface Given {
  readonly table: Table;
  readonly ids: readonly number[];
}

/** Makes a table with new ids; what is given out is on the disk when it returns. */
export function giveIds(wait: number, make: (last: number) => Given): Table {
  try {
    makeStateDirectory();
    return withFileLock(markFile(), Math.max(wait, 1), () => {
      const last = readHighMark();
      const { table, ids } = make(last);
      const highest = ids.reduce((a, b) => Math.max(a, b), last);
      if (highest > last) replaceOwnFile(markFile(), `${highest}\n`);
      return table;
    });
  } catch (error) {
    const code = errnoOf(error);
    if (code === undefined) throw error;
    const message = `the group ids that are in use can't be recorded in ${stateDirectory()} (${code})`;
    const help = 'SOCKFILTER_STATE_DIR names another directory';
    throw new CommandError(message, EXIT.resource, help);
  }
}

/** The table with an id for each path that its rules name. */
export function recordIds(table: Table, wait: number): Table {
  const registered = new Set(table.groups.map(({ path }) => path));
  if (pathsInRules(table).every((path) => registered.has(path))) return table;
  return giveIds(wait, (last) => {
    const whole = registerPaths(table, last);
    return { table: whole, ids: whole.groups.slice(table.groups.length).map(({ id }) => id) };
  });
}
