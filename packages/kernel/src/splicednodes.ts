/**
 * What calls come to that some rules match, compiled alone and put among nodes that stand.
 *
 * A rule that comes or goes changes nothing for calls that it does not match. What it matches is found out by the rules
 * that match some of these as well. What is made so stands behind the nodes that there are, which go on where they say the
 * same; when too many are left that nothing leads to, all are written anew.
 */
import {
  type Behind,
  buildDiagram,
  DEFAULT_LIMITS,
  DiagramStore,
  type Ref,
  replaceWhere,
  type Unread,
} from '@sockfilter/diagram';
import {
  BUILTIN_CHAINS,
  type BuiltinChain,
  chainNumber,
  chainRecord,
  elementAt,
  type Rule,
  type Table,
} from '@sockfilter/table';
import { encodeBlob } from './blob.js';
import { type ChainFacts, inChain } from './chainfacts.js';
import type { WrittenDiagram } from './diagramwriter.js';
import { EndTable, type Tail } from './ends.js';
import { MOST_STEPS } from './layout.js';
import { type Nodes, renumberCounters, type Splice, spliceCounters } from './nodes.js';
import { Reduction } from './reduction.js';
import { isUnread, NodeReader } from './standingdiagram.js';
import { factsIn, noSummaries, stepsOf, summarize } from './summary.js';
import { Writer } from './writer.js';

/** A chain whose calls may come to rules that come or go. */
interface ChainEdit {
  readonly chain: BuiltinChain;
  /** Those rules. */
  readonly edited: readonly Rule[];
  /**
   * The chain from the first of them on, by counters after the edit, where what calls have met says how far they come. Then the table
   * has of its other rules those alone that calls may come to anew, as one before them has gone.
   */
  readonly tail: Tail | undefined;
}

export interface NearEdit {
  readonly chains: readonly ChainEdit[];
  /** The table after it as calls see it that rules match which come or go: all rules that such may match. */
  readonly table: Table;
  /** For each counter of that table its number in the whole one. */
  readonly counters: readonly number[];
  /** How the counters of the nodes that stand are to be numbered. */
  readonly splices: readonly Splice[];
}

type Entries = Readonly<Record<BuiltinChain, number>>;

/** A generation's nodes, which are to go on. */
export interface StandingNodes extends Nodes {
  readonly words: Uint32Array<ArrayBuffer>;
  readonly entries: Entries;
  /** Of each node, see summary.ts. */
  readonly summaries: Uint32Array<ArrayBuffer>;
  /** How many there were when all were written. */
  readonly written: number;
}

export interface EditedNodes {
  readonly words: Uint32Array<ArrayBuffer>;
  readonly entries: Entries;
  readonly facts: Partial<Readonly<Record<BuiltinChain, ChainFacts>>>;
  readonly summaries: Uint32Array<ArrayBuffer>;
  readonly written: number;
}

/** Nodes that nothing leads to may be as many as those that were written, and so many more. */
const SPARE_NODES = 512;

/** What an edit writes. */
type Written = Pick<EditedNodes, 'words' | 'entries' | 'summaries' | 'written'>;

/** Both, in the memory of the first if there is room behind it. */
function concat(a: Uint32Array<ArrayBuffer>, b: Uint32Array): Uint32Array<ArrayBuffer> {
  const length = a.length + b.length;
  const hasRoom = a.byteOffset + 4 * length <= a.buffer.byteLength;
  const all = hasRoom ? new Uint32Array(a.buffer, a.byteOffset, length) : new Uint32Array(length);
  if (!hasRoom) all.set(a);
  all.set(b, a.length);
  return all;
}

const withEntries = (
  entries: Entries,
  chains: readonly BuiltinChain[],
  made: readonly number[],
): Entries => ({
  ...entries,
  ...Object.fromEntries(chains.map((chain, n) => [chain, elementAt(made, n)])),
});

/** Diagrams whose terminals are ends, or stand for nodes that stand. */
interface EndedDiagrams {
  readonly store: DiagramStore;
  readonly ends: EndTable;
  readonly standing: WrittenDiagram['standing'];
}

function writeNodes(
  { store, ends, standing }: EndedDiagrams,
  first: number,
  roots: readonly Ref[],
) {
  const writer = new Writer(first);
  const terminal = (end: Ref) => writer.putEnd(ends.wordsOf(end));
  const lengthOf = (end: Ref) =>
    isUnread(end) ? Number.POSITIVE_INFINITY : ends.wordsOf(end).length / 2;
  const entries = writer.write({ store, terminal, lengthOf, standing }, roots);
  return { words: writer.words, entries };
}

/** Nodes of before and after an edit as one diagram. */
class Splicing {
  readonly #store = new DiagramStore(DEFAULT_LIMITS);
  readonly #ends = new EndTable();
  readonly #old: StandingNodes;
  readonly #reader: NodeReader;
  readonly #roots = new Map<BuiltinChain, Ref>();

  constructor(old: StandingNodes) {
    this.#old = old;
    this.#reader = new NodeReader(old, this.#store, this.#ends);
  }

  #rootOf(chain: BuiltinChain): Ref {
    return this.#roots.get(chain) ?? this.#reader.unread(this.#old.entries[chain]);
  }

  /** Has the calls of the rules come to what those nodes say. */
  replace(near: Nodes & { readonly entries: Entries }, edit: NearEdit): void {
    const reader = new NodeReader(near, this.#store, this.#ends);
    const { reduce } = new Reduction(this.#store, this.#reader);
    const { pieceOf, open } = this.#reader;
    const unread: Unread = { pieceOf: (ref) => (isUnread(ref) ? pieceOf(ref) : undefined), open };
    for (const { chain, edited, tail } of edit.chains) {
      const behind: Behind | undefined = tail && {
        isOver: (end) => !this.#ends.comesTo(end, tail),
        join: (next, end) => this.#ends.joined(next, end, tail),
      };
      const replace = replaceWhere(this.#store, edited, edit.table, unread, behind);
      const made = replace(reader.at(near.entries[chain]), this.#rootOf(chain));
      this.#roots.set(chain, reduce(inChain(this.#store, made, chain)));
    }
  }

  /** All nodes, of which those go on that were there. */
  grown(chains: readonly BuiltinChain[]): Written {
    const { words, first, entries, summaries, written } = this.#old;
    const roots = chains.map((chain) => this.#rootOf(chain));
    const from = { store: this.#store, ends: this.#ends, standing: this.#reader.standing };
    const made = writeNodes(from, first + words.length / 2, roots);
    return {
      words: concat(words, made.words),
      entries: withEntries(entries, chains, made.entries),
      summaries: concat(summaries, new Uint32Array(made.words.length / 2)),
      written,
    };
  }
}

/** All that something leads to, written anew. */
function rewritten({ words, entries }: Written, first: number): Written {
  const store = new DiagramStore(DEFAULT_LIMITS);
  const ends = new EndTable();
  const { at } = new NodeReader({ words, first }, store, ends);
  const roots = BUILTIN_CHAINS.map((chain) => at(entries[chain]));
  const made = writeNodes({ store, ends, standing: () => undefined }, first, roots);
  return {
    words: Uint32Array.from(made.words),
    entries: withEntries(entries, BUILTIN_CHAINS, made.entries),
    summaries: noSummaries(made.words.length / 2),
    written: made.words.length / 2,
  };
}

/**
 * The nodes after the edit, in the memory of those before, which are gone; undefined where a walk could become too long
 * or rules cross too much, which a compiling of the whole tells exactly. The nodes must be of a table that rewrites
 * nothing and has neither opaque tests nor several diagrams.
 * Throws LimitError.
 */
export function editNodes(old: StandingNodes, edit: NearEdit): EditedNodes | undefined {
  const { counters, splices } = edit;
  const chains = edit.chains.map(({ chain }) => chain);
  const { words, first } = old;
  const diagram = buildDiagram(edit.table);
  if (diagram.roots.length > 1) return undefined;
  const near = encodeBlob(diagram, first);
  if (near.longestPath > MOST_STEPS) return undefined;
  renumberCounters(near.words, (counter) => elementAt(counters, counter));
  spliceCounters(words, splices);

  const splicing = new Splicing(old);
  splicing.replace(near, edit);
  const grown = splicing.grown(chains);
  const isFull = grown.words.length / 2 > 2 * old.written + SPARE_NODES;
  const nodes = isFull ? rewritten(grown, first) : grown;
  // Of chains that the edit leaves alone as well, if all has been written anew.
  const entries = BUILTIN_CHAINS.map((chain) => nodes.entries[chain]);
  const known = summarize(nodes.words, first, entries, nodes.summaries);
  if (known.some((summary) => stepsOf(summary) > MOST_STEPS)) return undefined;
  const summaryOf = chainRecord((chain) => elementAt(known, chainNumber(chain)));
  return {
    ...nodes,
    facts: Object.fromEntries(chains.map((chain) => [chain, factsIn(summaryOf[chain])])),
  };
}
