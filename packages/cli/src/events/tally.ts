/** Equal events counted together: what was asked for, by whom, and which rule had a say; ports of peers that call don't matter. */
import { eventJson, kindWords, placeWords } from '@sockfilter/events';
import { CHAINS, groupLabel } from '@sockfilter/table';
import type { Seen } from './output.js';

/** A row of the table. */
export interface Tallied {
  readonly count: number;
  /** Nanoseconds since 1970, of the last of them. */
  readonly last: bigint;
  readonly what: string;
  readonly chain: string;
  readonly group: string;
  readonly program: string;
  readonly peer: string;
  readonly rule: string;
}

/** By what rows can be sorted, with the key that asks for it. */
export const SORTS = {
  count: { key: 'c', compare: (a: Tallied, b: Tallied) => b.count - a.count },
  last: { key: 't', compare: (a: Tallied, b: Tallied) => Number(b.last - a.last) },
  group: { key: 'g', compare: (a: Tallied, b: Tallied) => byText(a.group, b.group) },
  program: { key: 'p', compare: (a: Tallied, b: Tallied) => byText(a.program, b.program) },
  destination: { key: 'd', compare: (a: Tallied, b: Tallied) => byText(a.peer, b.peer) },
  rule: { key: 'r', compare: (a: Tallied, b: Tallied) => byText(a.rule, b.rule) },
} as const;

export type Sort = keyof typeof SORTS;

const byText = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);

/** An endpoint without its port: each call of a peer comes from another. */
const withoutPort = (endpoint: string) => endpoint.replace(/:\d+$/, '');

/** What the row of an event says; it may have characters that a terminal obeys. */
export function describeSeen({ event, resolution }: Seen): Omit<Tallied, 'count' | 'last'> {
  const { call, comm, holders } = eventJson(event, resolution);
  const { groups, owner } = resolution;
  const from =
    CHAINS[event.chain].ours === 'destination' && call && 'source' in call
      ? call.source
      : undefined;
  const to = call && `${call.protocol} ${call.destination}`;
  const peer = to && from !== undefined ? `${withoutPort(from)} -> ${to}` : to;
  return {
    what: kindWords(event, owner),
    chain: event.chain,
    group: event.group === 0 ? '-' : groupLabel(groups, event.group),
    program: comm ?? holders?.[0]?.comm ?? '-',
    peer: peer ?? '?',
    rule: placeWords(owner) ?? 'no rule',
  };
}

/** Rows that are kept apart; others share the last. */
const MOST_ROWS = 10_000;

export class Tally {
  readonly #rows = new Map<string, Tallied>();
  /** Events of which no row tells, and events that nobody has read. */
  others = 0;
  lost = 0;

  add(seen: Seen): void {
    const words = describeSeen(seen);
    const key = JSON.stringify(words);
    const known = this.#rows.get(key);
    if (!known && this.#rows.size >= MOST_ROWS) this.others++;
    else
      this.#rows.set(key, {
        ...words,
        count: (known?.count ?? 0) + 1,
        last: seen.resolution.time,
      });
  }

  /** Rows that are equal in that stand as they came. */
  rows(sort: Sort): readonly Tallied[] {
    const { compare } = SORTS[sort];
    return [...this.#rows.values()].sort((a, b) => compare(a, b) || b.count - a.count);
  }

  get events(): number {
    return [...this.#rows.values()].reduce((sum, { count }) => sum + count, this.others);
  }
}
