/** Decision diagram -> the nodes that the programs walk. See layout.ts for what a node says. */
import { constants } from 'node:os';
import {
  CLOSED,
  type Diagram,
  type Listeners,
  type Outcome,
  type Ref,
  RefMap,
  reportsOf,
  terminalNumber,
  terminalRef,
} from '@sockfilter/diagram';
import {
  BUILTIN_CHAINS,
  type BuiltinChain,
  chainNumber,
  chainRecord,
  elementAt,
  isUnchanged,
  type PlacedTest,
} from '@sockfilter/table';
import { type ChainFacts, factsOf, inChain } from './chainfacts.js';
import type { Onward } from './diagramwriter.js';
import { noSummaries, stepsOf, summarize } from './summary.js';
import { type AskPlace, Writer } from './writer.js';

export interface Blob {
  /** Two u32 a node: `value | slot << 16 | op << 24`, then the target. Addresses count from `first`. */
  readonly words: Uint32Array;
  readonly first: number;
  /** Address of each chain's first node. */
  readonly entries: Readonly<Record<BuiltinChain, number>>;
  /**
   * Addresses of the first nodes that tell whether any peer may reach a listener: at an address, at the
   * wildcard of a family, at `::` for both. Empty where nobody asks.
   */
  readonly listenerEntries: readonly number[];
  /** The ASK nodes, by their place among the nodes, whose states have no slots yet. */
  readonly asks: readonly AskPlace[];
  readonly facts: Readonly<Record<BuiltinChain, ChainFacts>>;
  /** In how many layers the rules of chains are that are not one diagram. */
  readonly layers: ReadonlyMap<BuiltinChain, number>;
  /** The most steps that a packet can take: past MOST_STEPS the programs cannot walk the nodes, and it may be more. */
  readonly longestPath: number;
  /** Of each node, see summary.ts. */
  readonly summaries: Uint32Array;
}

/**
 * Terminals as they are met by calls that are traced already are terminals of their own: what they ask leads on
 * to such again.
 */
class Terminals {
  readonly #diagram: Diagram;

  constructor(diagram: Diagram) {
    this.#diagram = diagram;
  }

  of(ref: Ref): { readonly outcome: Outcome; readonly isTraced: boolean } {
    const { outcomes } = this.#diagram;
    const number = terminalNumber(ref);
    const isTraced = number >= outcomes.length;
    return {
      outcome: outcomes.of(isTraced ? terminalRef(number - outcomes.length) : ref),
      isTraced,
    };
  }

  /** The terminal as a call meets it that is traced, or not. */
  as(ref: Ref, isTraced: boolean): Ref {
    return isTraced ? terminalRef(terminalNumber(ref) + this.#diagram.outcomes.length) : ref;
  }
}

/** Writes what an outcome counts and reports; tells whether what follows is traced. A verdict counts itself. */
function putCounts(
  writer: Writer,
  { reporters }: Diagram,
  { counted, verdict }: Outcome,
  isTraced: boolean,
): boolean {
  let traced = isTraced;
  for (let n = 0; n < counted.length; n++) {
    const counter = elementAt(counted, n);
    const countsItself = n === counted.length - 1 && verdict?.decider === counter;
    if (!countsItself) writer.putCount(counter);
    const reported = reportsOf(reporters, counter, traced);
    writer.putReports(reported.reports);
    traced = reported.isTraced;
  }
  return traced;
}

/** How many nodes say what an outcome is that is a verdict and leaves the call as it is; Infinity for another. */
function lengthOf(
  { reporters }: Diagram,
  { counted, verdict }: Outcome,
  isTraced: boolean,
): number {
  if (!verdict || !isUnchanged(verdict.rewriting)) return Number.POSITIVE_INFINITY;
  const countsItself = counted.at(-1) === verdict.decider;
  let [length, traced] = [counted.length + (countsItself ? 0 : 1), isTraced];
  for (const counter of counted) {
    const reported = reportsOf(reporters, counter, traced);
    length += reported.reports.length;
    traced = reported.isTraced;
  }
  return length;
}

/** Those of listeners, whose verdicts no counter counts. */
function writeListeners(writer: Writer, { store, roots }: Listeners): readonly number[] {
  const terminal = (ref: Ref) => writer.putVerdict(ref === CLOSED ? constants.errno.EPERM : 0, 0);
  return writer.write({ store, terminal, lengthOf: () => 1, standing: () => undefined }, roots);
}

/**
 * Writes the diagram as nodes, the first at address `first`; `tests` are the table's opaque ones. With
 * `listeners` there are nodes of those as well.
 */
export function encodeBlob(
  diagram: Diagram,
  first: number,
  tests: readonly PlacedTest[] = [],
  listeners?: Listeners,
): Blob {
  const writer = new Writer(first);
  const entries = writeDiagrams(writer, diagram, tests, (root, isFirst) =>
    isFirst ? BUILTIN_CHAINS.map((chain) => inChain(diagram.store, root, chain)) : [root],
  );
  const listenerEntries = listeners ? writeListeners(writer, listeners) : [];
  const { words } = writer;
  const seen = new RefMap(diagram.store.nodeCount);
  const summaries = noSummaries(words.length / 2);
  const known = summarize(words, first, [...entries, ...listenerEntries], summaries);
  return {
    words,
    first,
    entries: chainRecord((chain) => elementAt(entries, chainNumber(chain))),
    listenerEntries,
    asks: writer.asks,
    facts: chainRecord((chain) => factsOf(diagram, chain, tests, seen)),
    layers: new Map([...diagram.layered].map(([chain, { layers }]) => [chain, layers])),
    longestPath: Math.max(...known.map(stepsOf)),
    summaries,
  };
}

/**
 * Writes where the diagrams go on from places: each goes on with the one behind it. Returns the addresses of the
 * places of the first.
 */
function writeDiagrams(
  writer: Writer,
  diagram: Diagram,
  tests: readonly PlacedTest[],
  placesOf: (root: Ref, isFirst: boolean) => readonly Ref[],
): readonly number[] {
  const { store, roots } = diagram;
  const terminals = new Terminals(diagram);
  let next: number | undefined;
  let entries: number[] = [];
  roots.toReversed().forEach((root, fromEnd) => {
    const goOn = next;
    const isFirst = fromEnd === roots.length - 1;
    const lengthAt = (ref: Ref) => {
      const { outcome, isTraced } = terminals.of(ref);
      return lengthOf(diagram, outcome, isTraced);
    };
    const terminal = (ref: Ref, onward: Onward) => {
      const { outcome, isTraced } = terminals.of(ref);
      const traced = putCounts(writer, diagram, outcome, isTraced);
      const { ask } = outcome;
      if (ask) {
        const holds = terminals.as(ask.holds, traced);
        const fails = terminals.as(ask.fails, traced);
        writer.putAsk({ ...ask, holds, fails }, tests, onward);
      } else if (outcome.verdict) {
        writer.putRewriting(outcome.verdict.rewriting);
        writer.putVerdict(outcome.verdict.errno, outcome.verdict.decider);
      } else if (goOn !== undefined) {
        if (outcome.rank !== undefined) writer.putRank(outcome.rank);
        writer.putJump(goOn);
      } else throw new TypeError('the last diagram has no verdicts');
    };
    const written = { store, terminal, lengthOf: lengthAt, standing: () => undefined };
    const addresses = writer.write(written, placesOf(root, isFirst));
    if (isFirst) entries = addresses;
    else next = addresses[0];
  });
  return entries;
}
