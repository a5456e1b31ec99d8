/**
 * Texts as printSave() makes them, looked at and not read: a hundred thousand rules are a few megabytes of text, and
 * the same as objects take seconds. The rules of a chain stand together, and chains in the order of their lines.
 */
import { type Rule, requireChain, type Table, TableError } from '@sockfilter/table';
import { printRules } from './listing.js';
import { printRule } from './print.js';
import { printSave } from './save.js';

/** Where the lines of a chain's rules stand: `-A` of the first, and behind the newline of the last. */
interface ChainSpan {
  readonly name: string;
  readonly start: number;
  readonly end: number;
}

/** Such a text, which may have comments before it. */
export interface KeptText {
  readonly text: string;
  /** Where the first rule begins, or COMMIT: before are chains and groups. */
  readonly body: number;
  /** What stands before the rules as a text of its own, to be read: a table without rules. */
  readonly head: string;
  /** The chain's rules; where they would stand if it has none. */
  readonly spanOf: (chain: string) => ChainSpan;
  /** The chains in their order. */
  readonly spans: () => Iterable<ChainSpan>;
}

const COMMIT = 'COMMIT\n';
const RULE = '-A ';

/** Those whose lines `:NAME ...` stand before the rules. */
function chainNames(text: string, body: number): readonly string[] {
  const names: string[] = [];
  for (let at = 0; at < body; at = text.indexOf('\n', at) + 1)
    if (text[at] === ':') names.push(text.slice(at + 1, text.indexOf(' ', at)));
  return names;
}

/** The first line of the text that is a rule, or COMMIT. */
function bodyOf(text: string): number {
  let at = 0;
  while (!text.startsWith(RULE, at) && !text.startsWith(COMMIT, at)) {
    const end = text.indexOf('\n', at);
    if (end < 0) throw new TypeError('a text that is kept ends in COMMIT');
    at = end + 1;
  }
  return at;
}

const isOf = (text: string, line: number, chain: string) => {
  const end = line + RULE.length + chain.length;
  const next = text[end];
  return text.startsWith(chain, line + RULE.length) && (next === ' ' || next === '\n');
};

/** Where the chain's lines end that begin at `start`, by halving what follows. */
function endOf(text: string, chain: string, start: number, last: number): number {
  let [from, to] = [start, last];
  while (from < to) {
    const line = text.lastIndexOf('\n', ((from + to) >> 1) - 1) + 1;
    if (isOf(text, line, chain)) from = text.indexOf('\n', line) + 1;
    else to = line;
  }
  return from;
}

export function keptText(text: string): KeptText {
  const body = bodyOf(text);
  const end = text.length - COMMIT.length;
  let spans: ReadonlyMap<string, ChainSpan> | undefined;
  const findSpans = () => {
    const found = new Map<string, ChainSpan>();
    let start = body;
    for (const name of chainNames(text, body)) {
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
  return {
    text,
    body,
    head: `${text.slice(0, body)}${COMMIT}`,
    spanOf: (name) => {
      const span = known().get(name);
      if (!span) throw new TypeError(`the text has no chain ${name}`);
      return span;
    },
    spans: () => known().values(),
  };
}

/** As printSave(), of a text without counters. `head` is the table without its rules, as the text has it. */
export function printKeptSave(
  { text, spanOf }: KeptText,
  head: Table,
  counters: readonly bigint[],
): string {
  const policies = new Map<string, bigint>();
  const parts: string[] = [];
  let counter = 0;
  for (const { name, policy } of head.chains) {
    const { start, end } = spanOf(name);
    for (let at = start; at < end; counter++) {
      const next = text.indexOf('\n', at) + 1;
      parts.push(`[${counters[counter] ?? 0n}:0] ${text.slice(at, next)}`);
      at = next;
    }
    if (policy !== undefined) policies.set(name, counters[counter++] ?? 0n);
  }
  const whole = printSave(head, { counters: ({ chain }) => policies.get(chain.name) });
  return `${commentsOf(text)}${whole.slice(0, -COMMIT.length)}${parts.join('')}${COMMIT}`;
}

const commentsOf = (text: string) => text.slice(0, text.indexOf('*socket\n'));

/** Other lines in the place of those before the rules: those of `head`, a table without rules and counters. */
export function headLines(
  { text, body }: KeptText,
  head: Table,
): { readonly at: number; readonly removed: number; readonly added: string } {
  const at = commentsOf(text).length;
  return { at, removed: body - at, added: printSave(head).slice(0, -COMMIT.length) };
}

/** A text to be read: what stands before the rules, and of those the lines, which end in a newline each. */
export function excerpt({ text, body }: KeptText, lines: string): string {
  return `${text.slice(0, body)}${lines}${COMMIT}`;
}

/** As printRules() without counters, of all chains or one. */
export function printKeptRules({ text, spanOf }: KeptText, head: Table, chain?: string): string {
  const users = head.chains.filter(({ policy }) => policy === undefined);
  const sorted = users.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  const all = [...head.chains.filter(({ policy }) => policy !== undefined), ...sorted];
  const parts = all
    .filter(({ name }) => chain === undefined || name === chain)
    .map(({ name }) => text.slice(spanOf(name).start, spanOf(name).end));
  return `${printRules(head, { chain })}${parts.join('')}`;
}

/** Where the first rule of the chain stands that says the same; TableError, as findRule() has it, if none does. */
export function findKeptRule(
  { text, spanOf }: KeptText,
  head: Table,
  chain: string,
  rule: Rule,
): number {
  requireChain(head, chain);
  const { start, end } = spanOf(chain);
  const line = `${printRule(chain, rule)}\n`;
  for (let at = start; at < end; ) {
    const found = text.indexOf(line, at);
    if (found < 0 || found >= end) break;
    if (found === start || text[found - 1] === '\n') return found;
    at = found + 1;
  }
  throw new TableError('Bad rule (does a matching rule exist in that chain?).');
}
