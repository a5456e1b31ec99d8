/**
 * The highest group id that this host has ever given out, so that none is given out again. It
 * outlives groups, tables and reboots.
 */
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { EXIT } from '@sockfilter/language';
import { MAX_GROUP_ID, pathsInRules, registerPaths, type Table } from '@sockfilter/table';
import { replaceFile } from './atomicfile.js';
import { CommandError, errnoOf } from './failure.js';
import { withFileLock } from './filelock.js';
import { stateDirectory } from './statedirectory.js';

/** The two highest ids are the user's own choice, and must not exhaust the range. */
const HIGHEST_GIVEN = MAX_GROUP_ID - 2;

function markFile(): string {
  return join(stateDirectory(), 'highest-id');
}

/** 0 where no id has been given out. */
export function readHighMark(): number {
  let text: string;
  try {
    text = readFileSync(markFile(), 'utf8');
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'EACCES'].includes(errnoOf(error) ?? '')) return 0;
    throw error;
  }
  const mark = Number(text.trim());
  if (text.trim() !== '' && Number.isInteger(mark) && mark >= 0 && mark <= HIGHEST_GIVEN)
    return mark;
  const help = 'write the highest group id that was ever used into it';
  throw new CommandError(`\`${markFile()}\` holds no group id`, EXIT.resource, help);
}

function highestId({ groups }: Table): number {
  const given = groups.map(({ id }) => id).filter((id) => id <= HIGHEST_GIVEN);
  return given.reduce((highest, id) => Math.max(highest, id), 0);
}

/** Makes a table with new ids; they are on the disk when it returns. */
export function giveIds(wait: number, make: (highMark: number) => Table): Table {
  try {
    mkdirSync(stateDirectory(), { recursive: true, mode: 0o755 });
    return withFileLock(markFile(), Math.max(wait, 1), () => {
      const mark = readHighMark();
      const table = make(mark);
      const highest = highestId(table);
      if (highest > mark) replaceFile(markFile(), `${highest}\n`);
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

/** The table with an id for each path that its rules name; all of its ids count as given out. */
export function recordIds(table: Table, wait: number): Table {
  const registered = new Set(table.groups.map(({ path }) => path));
  const isComplete = pathsInRules(table).every((path) => registered.has(path));
  if (isComplete && highestId(table) <= readHighMark()) return table;
  return giveIds(wait, (mark) => registerPaths(table, mark));
}
