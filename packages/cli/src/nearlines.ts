/**
 * Which lines of a text that is kept may match a call that another line matches, without reading them: not those that
 * want another address, port, protocol or group.
 */
import { MAX_GROUP_ID } from '@sockfilter/table';

/** A line of a rule: where it stands, with its newline, and its number in its chain, from 0. */
export interface KeptLine {
  readonly start: number;
  readonly end: number;
  readonly index: number;
}

interface Span {
  from: number;
  to: number;
}

/** Reads the word at a place that ends in a blank or with the line; false if it is not plain. */
type Reader = (text: string, at: number, span: Span) => boolean;

const isEnd = (code: number) => code === BLANK || code === NEWLINE;
const [BLANK, NEWLINE, DOT, SLASH, COLON, ZERO] = [0x20, 0x0a, 0x2e, 0x2f, 0x3a, 0x30];

/** Where a number ends, and what it is. */
const number = { end: 0, value: 0 };

function readNumber(text: string, at: number, most: number): boolean {
  let end = at;
  let value = 0;
  for (; value <= most; end++) {
    const digit = text.charCodeAt(end) - ZERO;
    if (!(digit >= 0 && digit <= 9)) break;
    value = 10 * value + digit;
  }
  number.end = end;
  number.value = value;
  return end > at && value <= most;
}

/** `A.B.C.D` or `A.B.C.D/BITS`. */
const readNetwork: Reader = (text, start, span) => {
  let at = start;
  let address = 0;
  for (let n = 0; n < 4; n++) {
    if (!readNumber(text, at, 255)) return false;
    address = address * 256 + number.value;
    at = number.end + 1;
    if (n < 3 && text.charCodeAt(number.end) !== DOT) return false;
  }
  let bits = 32;
  if (text.charCodeAt(number.end) === SLASH) {
    if (!readNumber(text, at, 32)) return false;
    bits = number.value;
  }
  const hosts = 2 ** (32 - bits);
  span.from = address - (address % hosts);
  span.to = span.from + hosts - 1;
  return isEnd(text.charCodeAt(number.end));
};

/** `N` or `N:M`. */
const readRange =
  (most: number): Reader =>
  (text, at, span) => {
    if (!readNumber(text, at, most)) return false;
    span.from = number.value;
    if (text.charCodeAt(number.end) === COLON && !readNumber(text, number.end + 1, most))
      return false;
    span.to = number.value;
    return isEnd(text.charCodeAt(number.end));
  };

/** The same word has the same number, and two have different ones. */
function wordReader(): Reader {
  const numbers = new Map<string, number>();
  return (text, at, span) => {
    let end = at;
    while (end < text.length && !isEnd(text.charCodeAt(end))) end++;
    const word = text.slice(at, end);
    const known = numbers.get(word) ?? numbers.size;
    numbers.set(word, known);
    span.from = known;
    span.to = known;
    return true;
  };
}

/** Options of which a rule has one value at most, those first that tell most rules from each other. */
const OPTIONS: readonly { readonly sign: string; readonly read: Reader }[] = [
  { sign: ' -d ', read: readNetwork },
  { sign: ' --id ', read: readRange(MAX_GROUP_ID) },
  { sign: ' --dport ', read: readRange(0xffff) },
  { sign: ' -s ', read: readNetwork },
  { sign: ' --sport ', read: readRange(0xffff) },
  { sign: ' -p ', read: wordReader() },
];

interface Bound {
  readonly option: number;
  readonly from: number;
  readonly to: number;
}

const read: Span = { from: 0, to: 0 };

/** Whether the option at the place says which values it wants, and is not negated; `read` are those then. */
function readAt(text: string, at: number, { sign, read: reader }: (typeof OPTIONS)[number]) {
  return text[at - 1] !== '!' && reader(text, at + sign.length, read);
}

const QUOTE = '"';
const QUOTED = /"(?:\\.|[^"\\])*"/gs;

/** Without what stands in quotes, where anything may. */
const unquoted = (line: string) => line.replace(QUOTED, QUOTE);

/** What the line wants. */
function boundsOf(quoted: string): readonly Bound[] {
  const line = unquoted(quoted);
  return OPTIONS.flatMap((option, n) => {
    const at = line.indexOf(option.sign);
    return at >= 0 && readAt(line, at, option) ? [{ option: n, from: read.from, to: read.to }] : [];
  });
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

type Find = (option: number, from: number) => number;

/** Whether a call could be what the line in the text and the bounds want; `find` gives where the line has an option. */
function mayMeet(
  text: string,
  line: number,
  next: number,
  bounds: readonly Bound[],
  find: Find,
): boolean {
  for (const { option, from, to } of bounds) {
    const at = find(option, line);
    const row = OPTIONS[option];
    if (at >= next || !row || !readAt(text, at, row)) continue;
    if (read.to < from || to < read.from) return false;
  }
  return true;
}

/** Lines of a chain that stand one after the other. */
export interface Stretch {
  readonly start: number;
  /** Behind the last newline. */
  readonly end: number;
  /** The number of the first in its chain, from 0. */
  readonly index: number;
}

/** Those of the lines that some call may match that one of the others matches. */
export function linesNear(
  text: string,
  { start, end, index: first }: Stretch,
  others: readonly string[],
): readonly KeptLine[] {
  const boxes = others.map(boundsOf);
  const quote = follow(text, QUOTE);
  const signs = OPTIONS.map(({ sign }) => follow(text, sign));
  const find: Find = (option, from) => signs[option]?.(from) ?? text.length;
  const lines: KeptLine[] = [];
  let index = first;
  for (let at = start; at < end; index++) {
    const next = text.indexOf('\n', at) + 1;
    const isNear =
      quote(at) < next
        ? isNearQuoted(unquoted(text.slice(at, next)), boxes)
        : boxes.some((bounds) => mayMeet(text, at, next, bounds, find));
    if (isNear) lines.push({ start: at, end: next, index });
    at = next;
  }
  return lines;
}

function isNearQuoted(line: string, boxes: readonly (readonly Bound[])[]): boolean {
  const find: Find = (option) => {
    const at = line.indexOf(OPTIONS[option]?.sign ?? '');
    return at < 0 ? line.length : at;
  };
  return boxes.some((bounds) => mayMeet(line, 0, line.length, bounds, find));
}

/** How many lines there are from `start` to `end`. */
export function countLines(text: string, start: number, end: number): number {
  let count = 0;
  for (let at = start; at < end; at = text.indexOf('\n', at) + 1) count++;
  return count;
}
