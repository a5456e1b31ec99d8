/**
 * Chains whose rules cross so much that one diagram of them explodes, as a few diagrams: *layers*.
 *
 * The rules of a chain in walking order have numbers, their *ranks*. Which of them decides a packet is the lowest that
 * matches, whoever looks in which order. So rules that cross are put into different layers, each a diagram of its own
 * whose terminals say a rank, and a walk goes through all of them and keeps the lowest in a slot behind the packet's:
 * RANK. That is a piece like any other to the diagrams that follow. From the second layer on, terminals are nodes
 * that ask whether the walk has come to a lower rank before; then come the rules that only count, which do so if
 * their rank is below; and last what the rule with the rank decides.
 */
import {
  type BuiltinChain,
  builtinChain,
  type Errno,
  elementAt,
  firstCounters,
  policyErrno,
  type Table,
  UNCHANGED,
} from '@sockfilter/table';
import { bestCut, isAbove } from './extent.js';
import { blame, LimitError, type Limits } from './limit.js';
import { type Entry, listEntries } from './linear.js';
import { defineOperation, NONE, type Operation } from './operation.js';
import { OutcomeTable, type PartialOutcome } from './outcome.js';
import { overlayAll } from './overlay.js';
import { RANK } from './piece.js';
import type { PreparedConditions } from './preparedcondition.js';
import { DiagramStore, isTerminal, type Ref, terminalNumber, terminalRef } from './store.js';

/** Layers of a chain: each halving of what is too much doubles them. @internal */
export const MOST_LAYERS = 8;

const SILENT: PartialOutcome = {
  onward: 'over',
  verdict: undefined,
  counted: [],
  ask: undefined,
  becomes: undefined,
};

/** How entries are laid over each other. */
interface Laying {
  readonly pair: Operation;
  readonly isOver: boolean;
  readonly terminal: (entry: Ranked) => Ref;
}

/** An entry and its place in the list. */
interface Ranked extends Entry {
  readonly rank: number;
}

/** A chain in layers: the diagrams through which a walk goes, one after the other. */
export interface LayeredChain {
  readonly name: BuiltinChain;
  readonly store: DiagramStore;
  readonly outcomes: OutcomeTable;
  /** The layers, then diagrams that count, then the one with the verdicts. */
  readonly roots: readonly Ref[];
  /** How many of them are layers. */
  readonly layers: number;
}

export interface LayerOptions {
  readonly limits: Limits;
  /** What one layer may cost, as one diagram of the chain may. */
  readonly single: Limits;
  readonly prepared: PreparedConditions;
}

class Layering {
  readonly store: DiagramStore;
  readonly outcomes: OutcomeTable;
  readonly #chain: BuiltinChain;
  readonly #single: Limits;

  constructor(chain: BuiltinChain, { limits, single }: Omit<LayerOptions, 'prepared'>) {
    this.#chain = chain;
    this.#single = single;
    this.store = new DiagramStore({
      poolEdges: Math.min(limits.poolEdges, 2 * MOST_LAYERS * single.poolEdges),
      steps: Math.min(limits.steps, 2 * MOST_LAYERS * single.steps),
      asked: limits.asked,
    });
    this.outcomes = new OutcomeTable(limits);
    this.outcomes.intern({ ...SILENT, onward: 'next' });
    this.outcomes.intern(SILENT);
  }

  /** The layers of entries that decide; what none of them matches has the rank that is last. */
  layers(entries: readonly Ranked[], last: number): readonly Ref[] {
    const { store } = this;
    const pair = defineOperation(store, (a, b) => (a === NONE ? b : b === NONE ? a : undefined), {
      first: (a) => (a !== NONE && isTerminal(a) ? a : undefined),
    });
    // Terminal 0 is NONE.
    const terminal = ({ rank }: Ranked) => terminalRef(rank + 1);
    return this.#split(entries, { pair, isOver: true, terminal }).map((layer, n) =>
      store.copyOne(store, layer, (ref) => {
        const rank = ref === NONE ? undefined : terminalNumber(ref) - 1;
        if (n === 0) return this.#ranked(rank ?? last);
        return rank === undefined ? NONE : this.#unlessBelow(rank);
      }),
    );
  }

  /** Diagrams that count what entries match whose ranks are below the walk's. */
  counting(entries: readonly Ranked[]): readonly Ref[] {
    const { store } = this;
    // Terminals are lists of entries.
    const lists = new OutcomeTable(this.#single);
    lists.intern({ ...SILENT, onward: 'next' });
    const pair = defineOperation(store, (a, b) => {
      if (a === NONE) return b;
      if (b === NONE) return a;
      return isTerminal(a) && isTerminal(b) ? lists.counting(lists.of(a).counted, b) : undefined;
    });
    const terminal = ({ rank }: Ranked) => lists.intern({ ...SILENT, counted: [rank] });
    const byRank = new Map(entries.map((entry) => [entry.rank, entry.counter]));
    return this.#split(entries, { pair, isOver: false, terminal }).map((diagram) =>
      store.copyOne(store, diagram, (ref) => {
        const row = store.row(RANK);
        row.push(0, NONE);
        const counted: number[] = [];
        for (const rank of ref === NONE ? [] : lists.of(ref).counted) {
          counted.push(byRank.get(rank) ?? missing(rank));
          row.push(rank + 1, this.outcomes.intern({ ...SILENT, counted: [...counted] }));
        }
        return store.intern(RANK);
      }),
    );
  }

  /** What becomes of packets by the rank that their walk has come to. */
  verdicts(deciding: readonly (Pick<Ranked, 'rank' | 'counter'> & { errno: Errno })[]): Ref {
    const row = this.store.row(RANK);
    deciding.forEach(({ rank, counter, errno }, n) => {
      const verdict = { errno, decider: counter, rewriting: UNCHANGED };
      const terminal = this.outcomes.intern({ ...SILENT, verdict, counted: [counter] });
      row.push(n === 0 ? 0 : rank, terminal);
    });
    return this.store.intern(RANK);
  }

  #ranked(rank: number): Ref {
    return this.outcomes.intern({ ...SILENT, rank });
  }

  #unlessBelow(rank: number): Ref {
    const row = this.store.row(RANK);
    if (rank > 0) row.push(0, NONE);
    row.push(rank, this.#ranked(rank));
    return this.store.intern(RANK);
  }

  #overlay(part: readonly Ranked[], { pair, isOver, terminal }: Laying): Ref {
    const { store } = this;
    const diagrams = part.map((entry) => {
      const hit = terminal(entry);
      return store.copyOne(store, entry.when, (ref) => (ref === NONE ? NONE : hit));
    });
    const number = (at: number) => elementAt(part, at).number;
    return overlayAll(store, diagrams, {
      pair,
      isOver: () => isOver,
      during: (from, to, work) =>
        blame({ chain: this.#chain, rules: [number(from), number(to)] }, work),
    });
  }

  /** The entries as one diagram, or as several where that costs too much. */
  #split(entries: readonly Ranked[], laying: Laying, most = MOST_LAYERS): readonly Ref[] {
    if (entries.length === 0) return [];
    try {
      return [this.store.within(this.#single, () => this.#overlay(entries, laying))];
    } catch (error) {
      if (!(error instanceof LimitError) || most === 1) throw error;
      const cut = bestCut(entries.map(({ extent }) => extent));
      if (!cut) throw error;
      const above = entries.filter(({ extent }) => isAbove(cut, extent));
      const below = entries.filter(({ extent }) => !isAbove(cut, extent));
      return [above, below].flatMap((part) => this.#split(part, laying, most / 2));
    }
  }
}

function missing(rank: number): never {
  throw new TypeError(`no entry of rank ${rank}`);
}

/** The chain of a table that neither rewrites calls nor asks opaque tests there, in layers. Throws LimitError. */
export function layerChain(
  table: Table,
  name: BuiltinChain,
  { limits, single, prepared }: LayerOptions,
): LayeredChain {
  const layering = new Layering(name, { limits, single });
  const { store, outcomes } = layering;
  const chain = builtinChain(table, name);
  const entries = listEntries(table, chain, { store, prepared, most: limits.entries }).map(
    (entry, rank): Ranked => ({ ...entry, rank }),
  );
  const last = entries.length;
  const deciding = entries.filter(({ does }) => does !== 'count');
  const layers = layering.layers(deciding, last);
  const counting = layering.counting(entries.filter(({ does }) => does === 'count'));
  const policy = {
    rank: last,
    counter: (firstCounters(table).get(chain) ?? 0) + chain.rules.length,
    errno: policyErrno(chain.policy),
  };
  const verdicts = layering.verdicts([
    ...deciding.flatMap(({ rank, counter, does }) =>
      does === 'count' ? [] : [{ rank, counter, errno: does.errno }],
    ),
    policy,
  ]);
  return {
    name,
    store,
    outcomes,
    roots: [...layers, ...counting, verdicts],
    layers: layers.length,
  };
}
