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

const [BLANK, NEWLINE, DOT, SLASH, ZERO, NINE, COLON] = [0x20, 0x0a, 0x2e, 0x2f, 0x30, 0x39, 0x3a];
const [BANG, QUOTE, DASH] = [0x21, 0x22, 0x2d];
const isDigit = (code: number | undefined) => code !== undefined && code >= ZERO && code <= NINE;
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

/** Numbers of 32 bits come as signed ones in the same order, which take no memory. */
const SIGN = 1 << 31;

/** `A.B.C.D` or `A.B.C.D/BITS`. */
const readNetwork: Reader = (bytes, start, span) => {
  let end = start;
  let address = 0;
  let part = 0;
  for (let dots = 0; ; end++) {
    const code = bytes[end] ?? 0;
    if (code === DOT && dots < 3) {
      address = (address << 8) | part;
      part = 0;
      dots++;
    } else if (code >= ZERO && code <= NINE && part <= 25) part = 10 * part + code - ZERO;
    else if (dots === 3 && part <= 255) break;
    else return false;
  }
  address = (address << 8) | part;
  let bits = 32;
  if (bytes[end] === SLASH) {
    bits = 0;
    for (end++; bits <= 3 && isDigit(bytes[end]); end++)
      bits = 10 * bits + (bytes[end] ?? 0) - ZERO;
    if (bits > 32) return false;
  }
  const hosts = bits === 0 ? -1 : ~(-1 << (32 - bits));
  span.from = (address & ~hosts) ^ SIGN;
  span.to = (address | hosts) ^ SIGN;
  return isEnd(bytes[end]);
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
  /** What comes in its sign behind the blank and the dash. */
  readonly letter: number;
  readonly bounds: readonly Bound[];
}

const read: Span = { from: 0, to: 0 };

/** Whether the option at the place says which values it wants, and is not negated; `read` are those then. */
function readAt(bytes: Uint8Array, at: number, { sign, read: reader }: (typeof OPTIONS)[number]) {
  return bytes[at - 1] !== BANG && reader(bytes, at + sign.length, read);
}

/** The sign being one that begins as what stands there. */
function standsAt(bytes: Uint8Array, at: number, sign: string): boolean {
  for (let n = 3; n < sign.length; n++) if (bytes[at + n] !== sign.charCodeAt(n)) return false;
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
    letter: option.sign.charCodeAt(2),
    bounds: plain.flatMap((line, n) => {
      const at = line.indexOf(option.sign);
      return at >= 0 && readAt(line, at, option) ? [{ ...read, line: 1 << n }] : [];
    }),
  })).filter(({ bounds }) => bounds.length > 0);
}

/** What is told of a line in which something is quoted. */
const UNTOLD = -1;

/** Where in its line meeting() has come to; it is over before V8 has optimized it, so it calls little and makes no objects. */
let stopped = 0;

/** With which of the lines that want something the line at the place may match a call both: their bits. */
function meeting(
  bytes: Uint8Array,
  start: number,
  wanted: readonly Wanted[],
  lines: number,
): number {
  let left = lines;
  let at = start;
  for (; left !== 0; at++) {
    const code = bytes[at];
    if (code === undefined || code === NEWLINE) break;
    if (code === QUOTE) {
      left = UNTOLD;
      break;
    }
    if (code !== BLANK || bytes[at + 1] !== DASH) continue;
    const letter = bytes[at + 2];
    for (let n = 0; n < wanted.length; n++) {
      const each = wanted[n];
      if (!each || each.letter !== letter || !standsAt(bytes, at, each.option.sign)) continue;
      if (readAt(bytes, at, each.option)) left = within(each.bounds, left);
      break;
    }
  }
  stopped = at;
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

/** What the lines of a chain begin with that want a network: most others are told by that alone. */
interface Lead {
  /** How far behind the beginning of its line the option stands. */
  readonly offset: number;
  /** That of its sign, which is ` -d ` or ` -s `. */
  readonly letter: number;
  readonly bounds: readonly Bound[];
}

/** Of lines of which this is the first; undefined where that, or one of the others, wants no network. */
function leadOf(
  bytes: Uint8Array,
  start: number,
  wanted: readonly Wanted[],
  others: number,
): Lead | undefined {
  const chain = start + '-A '.length;
  // No chain's name in which a blank may be.
  if (bytes[chain] === QUOTE) return undefined;
  const at = bytes.indexOf(BLANK, chain);
  const lead = wanted.find(
    ({ option: { sign, read: reader }, letter, bounds }) =>
      reader === readNetwork &&
      bounds.length === others &&
      bytes[at + 2] === letter &&
      standsAt(bytes, at, sign),
  );
  return lead && { offset: at - start, letter: lead.letter, bounds: lead.bounds };
}

/** How many lines firstMeeting() has passed. */
let passed = 0;

/**
 * The first line from one on that may be near by what it begins with; `end` if none is. A hundred thousand lines are over before V8
 * has optimized what looks at them, and the more that is, the more that costs.
 */
function firstMeeting(
  bytes: Uint8Array,
  start: number,
  end: number,
  { offset, letter, bounds }: Lead,
): number {
  const all = 2 ** bounds.length - 1;
  passed = 0;
  let at = start;
  for (; at < end; passed++) {
    const place = at + offset;
    const isLead =
      bytes[place + 2] === letter && bytes[place + 1] === DASH && bytes[place + 3] === BLANK;
    if (!isLead || !readNetwork(bytes, place + 4, read) || within(bounds, all) !== 0) break;
    at = nextLine(bytes, place);
  }
  return at;
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
  const lead = leadOf(bytes, start, wanted, others.length);
  let index = first;
  for (let at = start; at < end; index++) {
    if (lead) {
      at = firstMeeting(bytes, at, end, lead);
      index += passed;
      if (at >= end) break;
    }
    const met = meeting(bytes, at, wanted, all);
    const next = nextLine(bytes, stopped);
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
