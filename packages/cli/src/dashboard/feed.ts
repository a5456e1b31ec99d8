/** What the page shows of events: the last ones by number, and counts by group and destination. */
import { eventJson } from '@sockfilter/events';
import { learnedWords } from '@sockfilter/interop';
import { quoteShell } from '@sockfilter/language';
import { type CounterOwner, enforced } from '@sockfilter/table';
import { askedOf } from '../ci/walk.js';
import type { Knowledge } from '../events/knowledge.js';
import type { Seen } from '../events/output.js';
import { describeSeen } from '../events/tally.js';
import { waysOf } from '../events/traced.js';
import { Placer } from '../learn/placing.js';

/** Events that can be asked about, and cells that are counted apart. */
const MOST_EVENTS = 2000;
const MOST_CELLS = 5000;

interface Cell {
  readonly group: string;
  readonly chain: string;
  readonly call: string;
  readonly refused: number;
  readonly audited: number;
  readonly passed: number;
}

interface Kept extends Seen {
  readonly knowledge: Knowledge;
}

/** The line of a rule or policy in what `save` prints. */
function savedLine(text: string, { chain, rule, number }: CounterOwner): number | undefined {
  const lines = text.split('\n');
  const start = rule ? `-A ${chain.name} ` : `:${chain.name} `;
  const found = lines.flatMap((line, at) => (line.startsWith(start) ? [at + 1] : []));
  return found[rule ? number - 1 : 0];
}

export class Feed {
  readonly #kept = new Map<number, Kept>();
  readonly #cells = new Map<string, Cell>();
  #next = 1;
  lost = 0;
  uncounted = 0;

  /** What the page is told of the event. */
  add(seen: Seen, knowledge: Knowledge): object {
    const number = this.#next++;
    this.#kept.set(number, { ...seen, knowledge });
    this.#kept.delete(number - MOST_EVENTS);
    const { what, chain, group, program, peer, rule } = describeSeen(seen);
    this.#count(seen, { group, chain, call: peer });
    const { time, pid, holders } = eventJson(seen.event, seen.resolution);
    const { kind } = seen.event;
    const text = seen.resolution.text ?? '';
    return {
      number,
      kind,
      time,
      what,
      chain,
      group,
      program,
      pid: pid ?? holders?.[0]?.pid ?? null,
      call: peer,
      rule,
      text,
    };
  }

  #count({ event: { kind } }: Seen, at: Pick<Cell, 'group' | 'chain' | 'call'>): void {
    const key = JSON.stringify(at);
    const known = this.#cells.get(key);
    if (!known && this.#cells.size >= MOST_CELLS) {
      this.uncounted++;
      return;
    }
    const { refused, audited, passed } = known ?? { refused: 0, audited: 0, passed: 0 };
    this.#cells.set(key, {
      ...at,
      refused: refused + Number(kind === 'refused'),
      audited: audited + Number(kind === 'audit'),
      passed: passed + Number(kind === 'passed'),
    });
  }

  get cells(): readonly Cell[] {
    return [...this.#cells.values()];
  }

  /** Why the call got what it got, and the rule that would let it pass; undefined once it is forgotten. */
  explain(number: number): object | undefined {
    const kept = this.#kept.get(number);
    if (!kept) return undefined;
    const { event, resolution, knowledge } = kept;
    const tracer = knowledge.tracerOf(event);
    const [way, other] = tracer ? waysOf(event, resolution, tracer) : [];
    const text = knowledge.textOf(event);
    const { owner } = resolution;
    return {
      event: eventJson(event, resolution),
      line: text !== undefined && owner ? (savedLine(text, owner) ?? null) : null,
      asked: way ? way.steps.map(askedOf) : [],
      isOneOfSeveral: other !== undefined,
      proposal: this.#proposal(kept),
    };
  }

  /** A command that would let the call pass by the table in force; nobody runs it but who reads it. */
  #proposal({ event: { packet, kind }, knowledge: { table } }: Kept): string | null {
    if (!packet || (kind !== 'refused' && kind !== 'audit')) return null;
    const place = new Placer(enforced(table)).place(packet);
    if ('reason' in place) return null;
    const words = learnedWords(place.packet, { 4: 32, 6: 128 });
    const group = `-m cgroup --id ${packet.group}`;
    return `sockfilter -I ${quoteShell(place.chain)} ${place.number} ${group} ${words} -j ACCEPT`;
  }
}
