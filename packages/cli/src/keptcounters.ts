/** How the counters of a table are numbered whose text is kept, as counterOwners() has it. */
import type { KeptTable } from './opentable.js';

type Chains = Pick<KeptTable, 'kept' | 'head'>;

/** The counters of a chain: the first, and behind the last. */
interface CounterSpan {
  readonly name: string;
  readonly first: number;
  readonly rules: number;
  readonly end: number;
  readonly isUser: boolean;
}

/** How many rules chains have more than the text says. */
type More = ReadonlyMap<string, number>;

/** Of each chain in the table's order. */
export function* counterSpans(
  { kept, head }: Chains,
  more: More = new Map(),
): Generator<CounterSpan> {
  let first = 0;
  for (const { name, policy } of head.chains) {
    const rules = kept.rulesOf(name) + (more.get(name) ?? 0);
    const isUser = policy === undefined;
    const end = first + rules + (isUser ? 0 : 1);
    yield { name, first, rules, end, isUser };
    first = end;
  }
}

/** How many rules the table has. */
export function countRules({ kept }: Pick<KeptTable, 'kept'>): number {
  let count = 0;
  for (const { name } of kept.spans()) count += kept.rulesOf(name);
  return count;
}

/** The counters of one chain. */
export function counterSpan(table: Chains, chain: string): CounterSpan {
  for (const span of counterSpans(table)) if (span.name === chain) return span;
  throw new TypeError(`there is no chain ${chain}`);
}

/** The numbers that counters of a table have which is some rules of a whole one, those of each chain by their places. */
export function numbersOf(
  table: Chains,
  places: ReadonlyMap<string, readonly number[]>,
  more: More,
): readonly number[] {
  const numbers: number[] = [];
  for (const { name, first, rules, isUser } of counterSpans(table, more)) {
    for (const place of places.get(name) ?? []) numbers.push(first + place);
    if (!isUser) numbers.push(first + rules);
  }
  return numbers;
}
