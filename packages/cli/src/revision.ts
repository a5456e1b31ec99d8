/**
 * The revision that is in force: a label, and a hash of the table's text as it was restored. They are a
 * comment at the head of the text, so that they are in force and gone with it, and `save` prints them.
 */
import { execFileSync } from 'node:child_process';
import { basename, dirname } from 'node:path';
import { EXIT } from '@sockfilter/language';
import { CommandError } from './failure.js';

export interface Revision {
  readonly label: string;
  /** SHA-256 of the text in the save format without counters and comments, in hexadecimal. */
  readonly hash: string;
}

const LINE = /^# revision: (.*) sha256:([0-9a-f]{64})\n/;
const MAX_LABEL = 200;
/** Bytes of the line at most. */
const MAX_LINE = 4 * MAX_LABEL + 128;

/** Its beginning, as far as the line may go. */
const headOf = (text: string | Uint8Array) =>
  typeof text === 'string' ? text : Buffer.from(text.subarray(0, MAX_LINE)).toString();

/** What the text says, which may be in UTF-8. */
export function revisionOf(text: string | Uint8Array): Revision | undefined {
  const [, label, hash] = LINE.exec(headOf(text)) ?? [];
  return label === undefined || hash === undefined ? undefined : { label, hash };
}

export function withRevision(text: string, revision: Revision | undefined): string {
  return revision ? `# revision: ${revision.label} sha256:${revision.hash}\n${text}` : text;
}

/** The table's text without the line. */
export function withoutRevision(text: string): string {
  return text.replace(LINE, '');
}

/** The same of a text in UTF-8. */
export function bytesWithoutRevision(text: Uint8Array): Uint8Array {
  const [line = ''] = LINE.exec(headOf(text)) ?? [];
  return text.subarray(Buffer.byteLength(line));
}

/** A label as it was given. */
export function readLabel(text: string): string {
  const help = `a label is one line of 1 to ${MAX_LABEL} signs without control characters`;
  const isLabel = /^\P{C}+$/u.test(text) && text.length <= MAX_LABEL && text.trim() === text;
  if (!isLabel) throw new CommandError(`invalid label ${JSON.stringify(text)}`, EXIT.usage, help);
  return text;
}

/** A command that reads objects alone; what would fetch those that are missing is forbidden. */
function git(folder: string, words: readonly string[]): string {
  return execFileSync('git', words, {
    cwd: folder,
    encoding: 'utf8',
    env: { ...process.env, GIT_ALLOW_PROTOCOL: 'none' },
    stdio: ['ignore', 'pipe', 'ignore'],
    timeout: 5000,
  }).trim();
}

/**
 * The git revision of the file: the commit's short id, with `-dirty` where the file differs from it;
 * undefined where the commit has no such file, or git does not take the repository for the caller's own.
 *
 * Git's own comparison would run the filters that the repository's settings name, as root: the content's
 * hash is compared instead.
 */
export function gitLabel(file: string): string | undefined {
  try {
    const [folder, name] = [dirname(file), basename(file)];
    const committed = git(folder, ['rev-parse', '--verify', `HEAD:./${name}`]);
    const commit = git(folder, ['rev-parse', '--short=12', 'HEAD']);
    const content = git(folder, ['hash-object', '--no-filters', '--', name]);
    return content === committed ? commit : `${commit}-dirty`;
  } catch {
    return undefined;
  }
}
