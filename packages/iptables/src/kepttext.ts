/**
 * Texts as printSave() makes them, looked at and not read: a hundred thousand rules are a few megabytes of text, and
 * the same as objects take seconds. Nor is such a text a string, which would be a copy of it: places are those of its bytes. The
 * rules of a chain stand together, and chains in the order of their lines.
 */
import { noSuchRule, type Rule, requireChain, type Table } from '@sockfilter/table';
import { printRules } from './listing.js';
import { printRule } from './print.js';
import { printSave } from './save.js';

/** Where the lines of a chain's rules stand: `-A` of the first, and behind the newline of the last. */
interface ChainSpan {
  readonly name: string;
  readonly start: number;
  readonly end: number;
}

/** A text in UTF-8, and the means of its owner to look for something in it. */
export interface TextBytes {
  readonly bytes: Uint8Array;
  readonly slice: (start: number, end: number) => string;
  /** Where the words stand first from a place on; -1 if nowhere. */
  readonly find: (words: string, from: number) => number;
  /** How many rules there are, where that is known. */
  readonly rules?: number | undefined;
}

/** Such a text, which may have comments before it. */
export interface KeptText extends TextBytes {
  /** Where the first rule begins, or COMMIT: before are chains and groups. */
  readonly body: number;
  /** What stands before the rules as a text of its own, to be read: a table without rules. */
  readonly head: string;
  /** The chain's rules; where they would stand if it has none. */
  readonly spanOf: (chain: string) => ChainSpan;
  /** The chains in their order. */
  readonly spans: () => Iterable<ChainSpan>;
  /** How many rules the chain has; they are counted once. */
  readonly rulesOf: (chain: string) => number;
}

const COMMIT = 'COMMIT\n';
const RULE = '-A ';
export const NEWLINE = 0x0a;

/** Behind the newline that ends the line. */
export function nextLine(bytes: Uint8Array, at: number): number {
  let end = at;
  while (end < bytes.length && bytes[end] !== NEWLINE) end++;
  return end + 1;
}

/** Where the line begins that is so many behind the one that begins at the place; the end where there are fewer. */
function lineBehind(bytes: Uint8Array, at: number, lines: number): number {
  let place = at;
  for (let left = lines; left > 0 && place < bytes.length; left--) place = nextLine(bytes, place);
  return Math.min(place, bytes.length);
}

/** The same of one before it. */
function lineBefore(bytes: Uint8Array, at: number, lines: number): number {
  let place = at;
  for (let left = lines; left > 0 && place > 0; left--) {
    place--;
    while (place > 0 && bytes[place - 1] !== NEWLINE) place--;
  }
  return place;
}

/** How many lines there are from `start` to `end`. */
function countLines(bytes: Uint8Array, start: number, end: number): number {
  let count = 0;
  for (let at = start; at < end; at++) if (bytes[at] === NEWLINE) count++;
  return count;
}

/** Those whose lines `:NAME ...` stand before the rules. */
function chainNames(head: string): readonly string[] {
  const names: string[] = [];
  for (let at = 0; at < head.length; at = head.indexOf('\n', at) + 1)
    if (head[at] === ':') names.push(head.slice(at + 1, head.indexOf(' ', at)));
  return names;
}

/** Where the first line stands that is a rule, or COMMIT at the end. */
function bodyOf({ bytes, slice, find }: TextBytes): number {
  const end = bytes.length - COMMIT.length;
  if (slice(end, bytes.length) !== COMMIT)
    throw new TypeError('a text that is kept ends in COMMIT');
  const before = find(`\n${RULE}`, 0);
  return before < 0 ? end : before + 1;
}

/** Whether the line is a rule of the chain. */
const isOf = (line: string, chain: string) => {
  const next = line[RULE.length + chain.length];
  return line.startsWith(chain, RULE.length) && (next === ' ' || next === '\n');
};

/** Where the chain's lines end that begin at `start`, by halving what follows. */
function endOf({ bytes, slice }: TextBytes, chain: string, start: number, last: number): number {
  let [from, to] = [start, last];
  while (from < to) {
    const line = bytes.lastIndexOf(NEWLINE, ((from + to) >> 1) - 1) + 1;
    const next = nextLine(bytes, line);
    if (isOf(slice(line, next), chain)) from = next;
    else to = line;
  }
  return from;
}

export function keptText(text: TextBytes): KeptText {
  const { bytes } = text;
  const body = bodyOf(text);
  const end = bytes.length - COMMIT.length;
  const head = `${text.slice(0, body)}${COMMIT}`;
  const counts = new Map<string, number>();
  let spans: ReadonlyMap<string, ChainSpan> | undefined;
  const findSpans = () => {
    const found = new Map<string, ChainSpan>();
    let start = body;
    for (const name of chainNames(head)) {
      const span = { name, start, end: start < end ? endOf(text, name, start, end) : start };
      found.set(name, span);
      start = span.end;
    }
    return found;
  };
  const known = () => {
    spans ??= findSpans();
    return spans;
  };
  const spanOf = (name: string) => {
    const span = known().get(name);
    if (!span) throw new TypeError(`the text has no chain ${name}`);
    return span;
  };
  const counted = (span: ChainSpan): number => {
    const isMost = 2 * (span.end - span.start) > end - body;
    if (!isMost || text.rules === undefined) return countLines(bytes, span.start, span.end);
    const others = [...known().values()].filter(({ name }) => name !== span.name);
    return others.reduce((left, { name }) => left - rulesOf(name), text.rules);
  };
  const rulesOf = (name: string): number => {
    const count = counts.get(name) ?? counted(spanOf(name));
    counts.set(name, count);
    return count;
  };
  return { ...text, body, head, spanOf, spans: () => known().values(), rulesOf };
}

/** A rule of a chain: where its line begins. */
export interface RulePlace {
  readonly number: number;
  readonly at: number;
}

/**
 * Where the chain's rule with the number begins, or the place behind its last; undefined past that. It is looked for from the nearer
 * end; `known` is a rule before it, or it. Throws TypeError where the text has fewer rules than it is said to have.
 */
export function placeOfRule(
  { bytes, spanOf, rulesOf }: KeptText,
  chain: string,
  number: number,
  known?: RulePlace,
): number | undefined {
  const { start, end } = spanOf(chain);
  const first = known ?? { number: 1, at: start };
  const behind = rulesOf(chain) + 1 - number;
  const ahead = number - first.number;
  if (ahead < 0 || behind < 0) return undefined;
  const at = ahead <= behind ? lineBehind(bytes, first.at, ahead) : lineBefore(bytes, end, behind);
  if (at < start || at > end)
    throw new TypeError(`the text has fewer rules of ${chain} than it is said to have`);
  return at;
}

/** The number of the chain's rule that begins at the place, as placeOfRule() has it. */
export function numberOfRule(
  { bytes, spanOf, rulesOf }: KeptText,
  chain: string,
  at: number,
): number {
  const { start, end } = spanOf(chain);
  return at - start <= end - at
    ? 1 + countLines(bytes, start, at)
    : 1 + rulesOf(chain) - countLines(bytes, at, end);
}

/** As printSave(), of a text without counters. `head` is the table without its rules, as the text has it. */
export function printKeptSave(text: KeptText, head: Table, counters: readonly bigint[]): string {
  const policies = new Map<string, bigint>();
  const parts: string[] = [];
  let counter = 0;
  for (const { name, policy } of head.chains) {
    const lines = linesOf(text, name);
    for (let at = 0; at < lines.length; counter++) {
      const next = lines.indexOf('\n', at) + 1;
      parts.push(`[${counters[counter] ?? 0n}:0] ${lines.slice(at, next)}`);
      at = next;
    }
    if (policy !== undefined) policies.set(name, counters[counter++] ?? 0n);
  }
  const whole = printSave(head, { counters: ({ chain }) => policies.get(chain.name) });
  return `${commentsOf(text)}${whole.slice(0, -COMMIT.length)}${parts.join('')}${COMMIT}`;
}

/** The lines of a chain's rules. */
function linesOf({ slice, spanOf }: KeptText, chain: string): string {
  const { start, end } = spanOf(chain);
  return slice(start, end);
}

const tableStart = ({ find }: KeptText) => find('*socket\n', 0);

const commentsOf = (text: KeptText) => text.slice(0, tableStart(text));

/** Other lines in the place of those before the rules: those of `head`, a table without rules and counters. */
export function headLines(
  text: KeptText,
  head: Table,
): { readonly at: number; readonly removed: number; readonly added: string } {
  const at = tableStart(text);
  return { at, removed: text.body - at, added: printSave(head).slice(0, -COMMIT.length) };
}

/** The lines alone as a text, to be read on top of what the head says: each ends in a newline. */
export function excerpt(lines: string): string {
  return `*socket\n${lines}${COMMIT}`;
}

/** As printRules() without counters, of all chains or one: parts that follow each other, those of the text as it has them. */
export function printKeptRules(
  { bytes, spanOf }: KeptText,
  head: Table,
  chain?: string,
): readonly (string | Uint8Array)[] {
  const users = head.chains.filter(({ policy }) => policy === undefined);
  const sorted = users.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  const all = [...head.chains.filter(({ policy }) => policy !== undefined), ...sorted];
  const spans = all
    .filter(({ name }) => chain === undefined || name === chain)
    .map(({ name }) => spanOf(name));
  const lines = spans.map(({ start, end }) => bytes.subarray(start, end));
  return [printRules(head, { chain }), ...lines];
}

/** Where a chain's rules stand whose line is this one, in their order. */
export function* placesOfLine(
  { bytes, find, spanOf }: KeptText,
  chain: string,
  line: string,
): Generator<number> {
  const { start, end } = spanOf(chain);
  for (let at = start; at < end; ) {
    const found = find(line, at);
    if (found < 0 || found >= end) return;
    if (found === start || bytes[found - 1] === NEWLINE) yield found;
    at = found + 1;
  }
}

/** Where the first rule of the chain stands that says the same; TableError, as findRule() has it, if none does. */
export function findKeptRule(text: KeptText, head: Table, chain: string, rule: Rule): number {
  requireChain(head, chain);
  for (const at of placesOfLine(text, chain, `${printRule(chain, rule)}\n`)) return at;
  throw noSuchRule();
}
