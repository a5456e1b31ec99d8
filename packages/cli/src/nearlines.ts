/**
 * Which lines of a text that is kept may match a call that another line matches, without reading them: not those that
 * want another address, port, protocol or group.
 */
import { type KeptText, nextLine } from '@sockfilter/iptables';
import { elementAt, MAX_GROUP_ID } from '@sockfilter/table';

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
type Reader = (bytes: Uint8Array, at: number, span: Span) => boolean;

const [BLANK, NEWLINE, DOT, SLASH, COLON, ZERO] = [0x20, 0x0a, 0x2e, 0x2f, 0x3a, 0x30];
const [BANG, QUOTE, DASH] = [0x21, 0x22, 0x2d];
const isEnd = (code: number | undefined) => code === BLANK || code === NEWLINE;

/** Where a number ends, and what it is. */
const number = { end: 0, value: 0 };

function readNumber(bytes: Uint8Array, at: number, most: number): boolean {
  let end = at;
  let value = 0;
  for (; value <= most; end++) {
    const digit = (bytes[end] ?? 0) - ZERO;
    if (digit < 0 || digit > 9) break;
    value = 10 * value + digit;
  }
  number.end = end;
  number.value = value;
  return end > at && value <= most;
}

/** `A.B.C.D` or `A.B.C.D/BITS`. */
const readNetwork: Reader = (bytes, start, span) => {
  let at = start;
  let address = 0;
  for (let n = 0; n < 4; n++) {
    if (!readNumber(bytes, at, 255)) return false;
    address = address * 256 + number.value;
    at = number.end + 1;
    if (n < 3 && bytes[number.end] !== DOT) return false;
  }
  let bits = 32;
  if (bytes[number.end] === SLASH) {
    if (!readNumber(bytes, at, 32)) return false;
    bits = number.value;
  }
  const hosts = 2 ** (32 - bits);
  span.from = address - (address % hosts);
  span.to = span.from + hosts - 1;
  return isEnd(bytes[number.end]);
};

/** `N` or `N:M`. */
const readRange =
  (most: number): Reader =>
  (bytes, at, span) => {
    if (!readNumber(bytes, at, most)) return false;
    span.from = number.value;
    if (bytes[number.end] === COLON && !readNumber(bytes, number.end + 1, most)) return false;
    span.to = number.value;
    return isEnd(bytes[number.end]);
  };

/** The same word has the same number; two that have one as well are taken for one. */
const readWord: Reader = (bytes, at, span) => {
  let hash = 0;
  for (let end = at; end < bytes.length && !isEnd(bytes[end]); end++)
    hash = (31 * hash + (bytes[end] ?? 0)) | 0;
  span.from = hash;
  span.to = hash;
  return true;
};

/** Options of which a rule has one value at most; each sign begins with a blank and a dash. */
const OPTIONS: readonly { readonly sign: string; readonly read: Reader }[] = [
  { sign: ' -d ', read: readNetwork },
  { sign: ' --id ', read: readRange(MAX_GROUP_ID) },
  { sign: ' --dport ', read: readRange(0xffff) },
  { sign: ' -s ', read: readNetwork },
  { sign: ' --sport ', read: readRange(0xffff) },
  { sign: ' -p ', read: readWord },
];

/** What one of the lines wants of an option; `line` is a bit for each. */
interface Bound extends Readonly<Span> {
  readonly line: number;
}

/** An option of which some of the lines want something. */
interface Wanted {
  readonly option: (typeof OPTIONS)[number];
  readonly bounds: readonly Bound[];
}

const read: Span = { from: 0, to: 0 };

/** Whether the option at the place says which values it wants, and is not negated; `read` are those then. */
function readAt(bytes: Uint8Array, at: number, { sign, read: reader }: (typeof OPTIONS)[number]) {
  return bytes[at - 1] !== BANG && reader(bytes, at + sign.length, read);
}

function standsAt(bytes: Uint8Array, at: number, sign: string): boolean {
  for (let n = 2; n < sign.length; n++) if (bytes[at + n] !== sign.charCodeAt(n)) return false;
  return true;
}

const QUOTED = /"(?:\\.|[^"\\])*"/gs;

/** Without what stands in quotes, where anything may. */
const unquoted = (line: string) => Buffer.from(line.replace(QUOTED, "''"));

/** What the lines want. */
function wantedBy(lines: readonly string[]): readonly Wanted[] {
  const plain = lines.map(unquoted);
  return OPTIONS.map((option) => ({
    option,
    bounds: plain.flatMap((line, n) => {
      const at = line.indexOf(option.sign);
      return at >= 0 && readAt(line, at, option) ? [{ ...read, line: 1 << n }] : [];
    }),
  })).filter(({ bounds }) => bounds.length > 0);
}

/** What is told of a line in which something is quoted. */
const UNTOLD = -1;

/** With which of the lines that want something the line at the place may match a call both: their bits. */
function meeting(
  bytes: Uint8Array,
  start: number,
  wanted: readonly Wanted[],
  lines: number,
): number {
  let left = lines;
  for (let at = start; left !== 0; at++) {
    const code = bytes[at];
    if (code === undefined || code === NEWLINE) break;
    if (code === QUOTE) return UNTOLD;
    if (code !== BLANK || bytes[at + 1] !== DASH) continue;
    for (let n = 0; n < wanted.length; n++) {
      const { option, bounds } = elementAt(wanted, n);
      if (!standsAt(bytes, at, option.sign)) continue;
      if (readAt(bytes, at, option)) left = within(bounds, left);
      break;
    }
  }
  return left;
}

/** Those of the lines that want some of what has been read, or nothing of it. */
function within(bounds: readonly Bound[], lines: number): number {
  let left = lines;
  for (let n = 0; n < bounds.length; n++) {
    const { from, to, line } = elementAt(bounds, n);
    if (read.to < from || to < read.from) left &= ~line;
  }
  return left;
}

/** Lines of a chain that stand one after the other. */
export interface Stretch {
  readonly start: number;
  /** Behind the last newline. */
  readonly end: number;
  /** The number of the first in its chain, from 0. */
  readonly index: number;
}

/** So many lines have a bit each. */
const BITS = 31;

/** Those of the lines that some call may match that one of the others, a few, matches. */
function linesNearSome(
  { bytes, slice }: KeptText,
  { start, end, index: first }: Stretch,
  others: readonly string[],
): readonly KeptLine[] {
  const wanted = wantedBy(others);
  const all = 2 ** others.length - 1;
  const near: KeptLine[] = [];
  let index = first;
  for (let at = start; at < end; index++) {
    const next = nextLine(bytes, at);
    const met = meeting(bytes, at, wanted, all);
    const isNear =
      met === UNTOLD ? meeting(unquoted(slice(at, next)), 0, wanted, all) !== 0 : met !== 0;
    if (isNear) near.push({ start: at, end: next, index });
    at = next;
  }
  return near;
}

/** Those of the lines that some call may match that one of the others matches. */
export function linesNear(
  text: KeptText,
  stretch: Stretch,
  others: readonly string[],
): readonly KeptLine[] {
  if (others.length <= BITS) return linesNearSome(text, stretch, others);
  const near = new Map<number, KeptLine>();
  for (let n = 0; n < others.length; n += BITS)
    for (const line of linesNearSome(text, stretch, others.slice(n, n + BITS)))
      near.set(line.index, line);
  return [...near.values()].sort((a, b) => a.index - b.index);
}
