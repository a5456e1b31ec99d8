/**
 * Who put which table in force, and when: a rule file for each commit, the newest of them, in
 * `/var/lib/sockfilter/history/INSTANCE/NUMBER-HASH-PREVIOUS.rules`. HASH is the start of the text's; PREVIOUS
 * the number of the table to which `undo` goes back from it, 0 for none.
 */
import { readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { replaceOwnFile } from './atomicfile.js';
import { errnoOf } from './errno.js';
import { CommandError } from './failure.js';
import { hashText } from './hashtext.js';
import { note } from './output.js';
import { bytesWithoutRevision, withoutRevision } from './revision.js';
import { makeStateDirectory, stateDirectory } from './statedirectory.js';

/** What is kept of one instance. */
const MAX_ENTRIES = 50;
const MAX_BYTES = 32 * 1024 * 1024;

const NAME = /^(\d{8,})-([0-9a-f]{16})-(\d+)\.rules$/;

export interface HistoryEntry {
  readonly number: number;
  readonly hash: string;
  readonly previous: number;
  readonly path: string;
}

/** A table as its text in force is; in UTF-8 where that is at hand. */
type Kept = string | Buffer;

/** A text by its hash, for who has it no longer at hand. */
export interface HashedText {
  readonly hash: string;
  readonly text: () => Kept;
}

export function hashed(text: Kept): HashedText {
  return { hash: shortHash(text), text: () => text };
}

const shortHash = (text: Kept) =>
  hashText(typeof text === 'string' ? withoutRevision(text) : bytesWithoutRevision(text)).slice(
    0,
    16,
  );

function folderOf(instance: string): string {
  return join(stateDirectory(), 'history', instance);
}

/** The newest last; none where there is no history. */
export function readHistory(instance: string): readonly HistoryEntry[] {
  const folder = folderOf(instance);
  let names: readonly string[];
  try {
    names = readdirSync(folder);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return [];
    throw error;
  }
  return names
    .flatMap((name) => {
      const [, number, hash, previous] = NAME.exec(name) ?? [];
      if (number === undefined || hash === undefined) return [];
      return { number: Number(number), hash, previous: Number(previous), path: join(folder, name) };
    })
    .sort((a, b) => a.number - b.number);
}

/** The newest entry with this table. */
export function entryOf(
  entries: readonly HistoryEntry[],
  text: Kept | undefined,
): HistoryEntry | undefined {
  return entryWithHash(entries, text === undefined ? undefined : shortHash(text));
}

function entryWithHash(
  entries: readonly HistoryEntry[],
  hash: string | undefined,
): HistoryEntry | undefined {
  return entries.findLast((entry) => entry.hash === hash);
}

/** What of a text says which sets there are, and not what they hold. */
const withoutElements = (text: string) => withoutRevision(text).replace(/^add .*\n/gm, '');

/** The newest entry with this table, whatever its sets hold: elements come and go without commits. */
export function entryWithSets(
  entries: readonly HistoryEntry[],
  text: string,
): HistoryEntry | undefined {
  if (!/^create /m.test(text)) return undefined;
  const wanted = withoutElements(text);
  return entries.findLast((entry) => withoutElements(readEntry(entry)) === wanted);
}

/** The entry's text in the save format, with its revision; the lines about the commit are comments. */
export function readEntry({ path }: HistoryEntry): string {
  const text = readFileSync(path, 'utf8');
  return text.replace(/^(# (when|who|command): .*\n)*/, '');
}

function callerLine(): string {
  const [uid, login] = [process.getuid?.() ?? '?', loginUid()];
  return login === undefined ? `uid ${uid}` : `uid ${uid}, logged in as uid ${login}`;
}

/** Of whom logged in, whatever su and sudo have made of it since; 2^32 - 1 stands for nobody. */
function loginUid(): string | undefined {
  try {
    const uid = readFileSync('/proc/self/loginuid', 'utf8').trim();
    return uid === '4294967295' ? undefined : uid;
  } catch {
    return undefined;
  }
}

function trim(entries: readonly HistoryEntry[]): void {
  let bytes = 0;
  entries.toReversed().forEach(({ path }, at) => {
    bytes += statSync(path, { throwIfNoEntry: false })?.size ?? 0;
    if (at > 0 && (at >= MAX_ENTRIES || bytes > MAX_BYTES)) rmSync(path, { force: true });
  });
}

/** Removes what commands that were ended have left. The instance's lock is held: nobody else writes here. */
function sweep(folder: string): void {
  for (const name of readdirSync(folder))
    if (/^\.\d{8,}-.*\.rules\.\d+\.tmp$/.test(name)) rmSync(join(folder, name), { force: true });
}

function add(
  instance: string,
  { text, hash }: { readonly text: Kept; readonly hash: string },
  previous: number,
  command: readonly string[],
): void {
  const folder = makeStateDirectory('history', instance);
  sweep(folder);
  const number = (readHistory(instance).at(-1)?.number ?? 0) + 1;
  const name = `${String(number).padStart(8, '0')}-${hash}-${previous}.rules`;
  const about = [
    `# when: ${new Date().toISOString()}`,
    `# who: ${callerLine()}`,
    `# command: ${JSON.stringify(command)}`,
  ];
  replaceOwnFile(join(folder, name), `${about.join('\n')}\n`, text);
  trim(readHistory(instance));
}

export interface Recorded {
  /** What was in force before, and what is now. */
  readonly before: HashedText | undefined;
  readonly text: Kept;
  /** The entry that `undo` goes back to from the new one; the one before if absent. */
  readonly previous?: number;
}

/**
 * Records a commit. The table before gets an entry as well if it has none: somebody else's, or from before
 * a reboot. That it can't be is no failure of the commit, which has happened.
 */
export function recordCommit(
  instance: string,
  { before, text, previous }: Recorded,
  tell: (text: string) => void = note,
): void {
  try {
    const entries = readHistory(instance);
    const known = entryWithHash(entries, before?.hash);
    if (before && !known) {
      const found = before.text();
      const same = entryWithSets(entries, found.toString());
      const row = { text: found, hash: before.hash };
      add(instance, row, same?.previous ?? 0, ['(found in force)']);
    }
    const last = known ?? entryWithHash(readHistory(instance), before?.hash);
    const hash = shortHash(text);
    const back = previous ?? (last?.hash === hash ? last.previous : (last?.number ?? 0));
    add(instance, { text, hash }, back, process.argv.slice(2));
  } catch (error) {
    const why = error instanceof CommandError ? error.message : errnoOf(error);
    if (why === undefined) throw error;
    tell(`the commit is in force, but not in the history in ${folderOf(instance)} (${why})`);
  }
}
