/** Which lines of a text that is kept are about one group, without reading them. */
import { MAX_GROUP_ID } from '@sockfilter/table';

/** A line of a rule: where it stands, with its newline, and its number in its chain, from 0. */
export interface KeptLine {
  readonly start: number;
  readonly end: number;
  readonly index: number;
}

export interface GroupLines {
  /** The lines that calls of the group may match: those that name it alone, and those that name no single group. */
  readonly lines: readonly KeptLine[];
  /** Every group that some line names alone. */
  readonly named: ReadonlySet<number>;
}

const SOLE = ' -m cgroup --id ';
/** In quotes anything may stand: such a line counts as one that names no single group. */
const QUOTE = '"';

/** The number that ends with its word; undefined for a range. */
function readId(text: string, at: number): number | undefined {
  let id = 0;
  for (let n = at; ; n++) {
    const digit = text.charCodeAt(n) - 48;
    if (digit < 0 || digit > 9) {
      const ends = text[n] === ' ' || text[n] === '\n';
      return ends && n > at && id <= MAX_GROUP_ID ? id : undefined;
    }
    id = 10 * id + digit;
  }
}

/** Finds what stands at or behind places that only go up. */
function follow(text: string, sign: string): (from: number) => number {
  let found = -1;
  return (from) => {
    if (found < from) {
      found = text.indexOf(sign, from);
      if (found < 0) found = text.length;
    }
    return found;
  };
}

/** Calls `use` with each line of the text from `start` to `end`, and the group that it names alone. */
function forEachLine(
  text: string,
  start: number,
  end: number,
  use: (line: number, next: number, group: number | undefined) => void,
): void {
  const quote = follow(text, QUOTE);
  const sole = follow(text, SOLE);
  for (let at = start; at < end; ) {
    const next = text.indexOf('\n', at) + 1;
    const id = sole(at);
    use(at, next, quote(at) < next || id >= next ? undefined : readId(text, id + SOLE.length));
    at = next;
  }
}

/** The group that the line, which ends in a newline, names alone: calls of no other match its rule. */
export function soleGroup(line: string): number | undefined {
  let found: number | undefined;
  forEachLine(line, 0, line.length, (_, __, group) => {
    found = group;
  });
  return found;
}

/** The lines from `start` to `end` that calls of the group may match. */
export function linesOfGroup(text: string, start: number, end: number, group: number): GroupLines {
  const lines: KeptLine[] = [];
  const named = new Set<number>();
  let index = 0;
  let last: number | undefined;
  forEachLine(text, start, end, (at, next, sole) => {
    if (sole === undefined || sole === group) lines.push({ start: at, end: next, index });
    if (sole !== undefined && sole !== last) named.add(sole);
    last = sole;
    index++;
  });
  return { lines, named };
}

/** How many lines there are from `start` to `end`. */
export function countLines(text: string, start: number, end: number): number {
  let count = 0;
  for (let at = start; at < end; at = text.indexOf('\n', at) + 1) count++;
  return count;
}
