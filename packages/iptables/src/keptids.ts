/** Which groups the rules of a text that is kept may name, without reading them. */
import type { KeptText } from './kepttext.js';

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
const RANGE = /(\d+)(?::(\d+))?/y;
const PATH = ' --path ';

/** Whether some rule may name a group by its path. */
export function namesPath({ text, body }: KeptText): boolean {
  return text.indexOf(PATH, body) >= 0;
}

/** Those that `wants`, in the order of the text. */
export function keptIds(
  { text, body }: KeptText,
  wants: (from: number, to: number) => boolean,
): readonly KeptId[] {
  const found: KeptId[] = [];
  for (let at = text.indexOf(ID, body); at >= 0; at = text.indexOf(ID, at + 1)) {
    RANGE.lastIndex = at + ID.length;
    const [, first, last] = RANGE.exec(text) ?? [];
    if (first === undefined) continue;
    const [from, to] = [Number(first), Number(last ?? first)];
    if (!wants(from, to)) continue;
    const start = text.lastIndexOf('\n', at) + 1;
    found.push({ from, to, start, line: text.slice(start, text.indexOf('\n', at) + 1) });
  }
  return found;
}
