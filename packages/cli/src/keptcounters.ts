/** How the counters of a table are numbered whose text is kept, as counterOwners() has it. */
import { countLines } from '@sockfilter/iptables';
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

/** Of each chain in the table's order; in `edited` there are `more` rules than the text has. */
export function* counterSpans(
  { kept, head }: Chains,
  edited?: string,
  more = 0,
): Generator<CounterSpan> {
  let first = 0;
  for (const { name, policy } of head.chains) {
    const { start, end: last } = kept.spanOf(name);
    const rules = countLines(kept.text, start, last) + (name === edited ? more : 0);
    const isUser = policy === undefined;
    const end = first + rules + (isUser ? 0 : 1);
    yield { name, first, rules, end, isUser };
    first = end;
  }
}

/** The counters of one chain. */
export function counterSpan(table: Chains, chain: string): CounterSpan {
  for (const span of counterSpans(table)) if (span.name === chain) return span;
  throw new TypeError(`there is no chain ${chain}`);
}

/** The numbers that counters of a table have which is some lines of a whole one. */
export function numbersOf(
  table: Chains,
  chain: string,
  indices: readonly number[],
  withUsers: boolean,
  more: number,
): readonly number[] {
  const numbers: number[] = [];
  for (const { name, first, rules, isUser } of counterSpans(table, chain, more)) {
    if (name === chain) for (const index of indices) numbers.push(first + index);
    else if (isUser && withUsers) for (let n = 0; n < rules; n++) numbers.push(first + n);
    if (!isUser) numbers.push(first + rules);
  }
  return numbers;
}
