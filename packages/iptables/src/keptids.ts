/** Which groups the rules of a text that is kept may name, without reading them. */
import { type KeptText, NEWLINE, nextLine } from './kepttext.js';

/** What may be the option of a rule that names groups; in quotes it may as well be a comment. */
export interface KeptId {
  readonly from: number;
  readonly to: number;
  /** Where its line begins. */
  readonly start: number;
  /** The line, with its newline. */
  readonly line: string;
}

const ID = ' --id ';
/** An id has ten digits at most. */
const MOST_RANGE = 21;
const RANGE = /^(\d+)(?::(\d+))?/;
const PATH = ' --path ';

/** Whether some rule may name a group by its path. */
export function namesPath({ find, body }: KeptText): boolean {
  return find(PATH, body) >= 0;
}

/** Those that `wants`, in the order of the text. */
export function keptIds(
  { bytes, find, slice, body }: KeptText,
  wants: (from: number, to: number) => boolean,
): readonly KeptId[] {
  const found: KeptId[] = [];
  for (let at = find(ID, body); at >= 0; at = find(ID, at + 1)) {
    const from = at + ID.length;
    const [, first, last] = RANGE.exec(slice(from, from + MOST_RANGE)) ?? [];
    if (first === undefined) continue;
    const range = { from: Number(first), to: Number(last ?? first) };
    if (!wants(range.from, range.to)) continue;
    const start = bytes.lastIndexOf(NEWLINE, at) + 1;
    found.push({ ...range, start, line: slice(start, nextLine(bytes, at)) });
  }
  return found;
}
