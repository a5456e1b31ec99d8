/**
 * What calls of one group come to in a chain, compiled alone and put among nodes that stand.
 *
 * A chain's nodes look at the group first, its two pieces, and behind that at nothing of it any more: what stands there
 * for a group is its *part*. A rule that names one group changes that group's part, so an edit of it writes this part
 * and the look at the group anew behind the nodes that there are. What nothing leads to any more stays until the table
 * is compiled as a whole.
 */
import {
  buildDiagram,
  DEFAULT_LIMITS,
  type Diagram,
  DiagramStore,
  firstPiece,
  type Ref,
  terminalRef,
} from '@sockfilter/diagram';
import { type BuiltinChain, elementAt, type Table } from '@sockfilter/table';
import { writeDiagrams } from './blob.js';
import { type ChainFacts, inChain } from './chainfacts.js';
import { MAX_STEPS, OP } from './layout.js';
import { longestPath } from './longestpath.js';
import { factsFrom, type Nodes, renumberCounters, shiftCounters } from './nodes.js';
import { Writer } from './writer.js';

const HIGH = firstPiece('group');
const LOW = HIGH + 1;
const PIECE_BITS = 16;
const PIECE_MASK = 0xffff;

/** Where values of a piece go on: from each start on, the first of which is 0, at the address. */
interface Level {
  readonly starts: number[];
  readonly addresses: number[];
}

/** Some counters in the stead of others. */
export interface Splice {
  /** The first of those that go, and of those that come. */
  readonly at: number;
  readonly removed: number;
  readonly added: number;
}

export interface PartEdit {
  readonly chain: BuiltinChain;
  readonly group: number;
  /**
   * The table as calls of the group see it: all rules that they may match, and of other rules those that name no
   * single group.
   */
  readonly table: Table;
  /** For each counter of that table its number in the whole one. */
  readonly counters: readonly number[];
  /** How the counters of the nodes that stand are to be numbered. */
  readonly splice: Splice;
  /** Groups that rules of the chain name alone; of each other group the table has all that it may match. */
  readonly named: ReadonlySet<number>;
}

export interface EditedNodes {
  readonly words: Uint32Array<ArrayBuffer>;
  /** Where the chain begins now. */
  readonly entry: number;
  readonly facts: ChainFacts;
  /** The longest part, as far as one was measured. */
  readonly longest: number;
}

function put({ starts, addresses }: Level, start: number, address: number): void {
  if (addresses.at(-1) === address) return;
  starts.push(start);
  addresses.push(address);
}

/** What the nodes from the address on say of the piece, and of no other. */
function readLevel({ words, first }: Nodes, entry: number, slot: number): Level {
  const level: Level = { starts: [], addresses: [] };
  /** Of the values from `low` to `high`. */
  const visit = (address: number, low: number, high: number): void => {
    if (low > high) return;
    const at = 2 * (address - first);
    const head = elementAt(words, at);
    const target = elementAt(words, at + 1);
    const op = head >>> 24;
    const value = head & PIECE_MASK;
    const asks = op === OP.less || op === OP.unequal || op === OP.index;
    if (op === OP.jump) {
      visit(target, low, high);
    } else if (!asks || ((head >>> 16) & 0xff) !== slot) {
      put(level, low, address);
    } else if (op === OP.less) {
      visit(target, low, Math.min(high, value - 1));
      visit(address + 1, Math.max(low, value), high);
    } else if (op === OP.unequal) {
      visit(target, low, Math.min(high, value - 1));
      if (low <= value && value <= high) visit(address + 1, value, value);
      visit(target, Math.max(low, value + 1), high);
    } else {
      const other = elementAt(words, at + 2 + target);
      visit(other, low, Math.min(high, value - 1));
      const end = Math.min(target, high - value + 1);
      for (let n = Math.max(0, low - value); n < end; n++)
        visit(elementAt(words, at + 2 + n), value + n, value + n);
      visit(other, Math.max(low, value + target), high);
    }
  };
  visit(entry, 0, PIECE_MASK);
  return level;
}

function addressAt({ starts, addresses }: Level, value: number): number {
  return elementAt(
    addresses,
    starts.findLastIndex((start) => start <= value),
  );
}

/** The level with another address for one value. */
function withAddress(level: Level, value: number, address: number): Level {
  const made: Level = { starts: [], addresses: [] };
  level.starts.forEach((start, n) => {
    const end = level.starts[n + 1] ?? PIECE_MASK + 1;
    const old = elementAt(level.addresses, n);
    if (start !== value) put(made, start, old);
    if (value < start || value >= end) return;
    put(made, value, address);
    if (value + 1 < end) put(made, value + 1, old);
  });
  return made;
}

/** Writes the look at the piece; gives where it stands. */
function writeLevel(writer: Writer, piece: number, { starts, addresses }: Level): number {
  const [only] = addresses;
  if (addresses.length === 1 && only !== undefined) return only;
  const store = new DiagramStore(DEFAULT_LIMITS);
  const standing = new Map<Ref, number>();
  const refs = new Map<number, Ref>();
  for (const address of addresses) {
    const ref = refs.get(address) ?? terminalRef(refs.size);
    refs.set(address, ref);
    standing.set(ref, address);
  }
  const row = store.row(piece);
  starts.forEach((start, n) => {
    const ref = refs.get(elementAt(addresses, n));
    if (ref !== undefined) row.push(start, ref);
  });
  const nothing = () => {
    throw new TypeError('all that a look at the group leads to stands');
  };
  return elementAt(writer.write(store, [store.intern(piece)], nothing, standing), 0);
}

/** Where the diagram goes on for calls of the group. */
function ofGroup({ store }: Diagram, ref: Ref, group: number): Ref {
  const high = store.pieceOf(ref) === HIGH ? store.follow(ref, group >>> PIECE_BITS) : ref;
  return store.pieceOf(high) === LOW ? store.follow(high, group & PIECE_MASK) : high;
}

/** Groups with which an interval of the diagram begins, in the group's own 65,536 and elsewhere. */
function firstGroups({ store }: Diagram, root: Ref, group: number): readonly number[] {
  const startsOf = (ref: Ref, piece: number) => {
    if (store.pieceOf(ref) !== piece) return [0];
    const starts: number[] = [];
    for (let edge = store.firstEdge(ref); edge < store.endEdge(ref); edge++)
      starts.push(store.edgeStart(edge));
    return starts;
  };
  const high = group >>> PIECE_BITS;
  const near = store.pieceOf(root) === HIGH ? store.follow(root, high) : root;
  return [
    ...startsOf(near, LOW).map((low) => ((high << PIECE_BITS) | low) >>> 0),
    ...startsOf(root, HIGH).map((start) => (start << PIECE_BITS) >>> 0),
  ];
}

/** A group that no rule names alone and whose calls come to the same as the group's, if one is easily found. */
function findTwin(diagram: Diagram, { chain, group, named }: PartEdit): number | undefined {
  const roots = diagram.roots.map((root) => inChain(diagram, root, chain));
  const own = roots.map((root) => ofGroup(diagram, root, group));
  for (const start of firstGroups(diagram, elementAt(roots, 0), group)) {
    let twin = start;
    while (named.has(twin) || twin === group) twin++;
    if (twin > 2 ** 32 - 1) continue;
    if (roots.every((root, n) => ofGroup(diagram, root, twin) === own[n])) return twin;
  }
  return undefined;
}

/** Both, in the memory of the first if there is room behind it. */
function concat(a: Uint32Array<ArrayBuffer>, b: Uint32Array): Uint32Array<ArrayBuffer> {
  const length = a.length + b.length;
  const hasRoom = a.byteOffset + 4 * length <= a.buffer.byteLength;
  const all = hasRoom ? new Uint32Array(a.buffer, a.byteOffset, length) : new Uint32Array(length);
  if (!hasRoom) all.set(a);
  all.set(b, a.length);
  return all;
}

/**
 * The nodes after the edit, in the memory of those before, which are gone; undefined where a walk could become too long,
 * or rules cross too much, which a compiling of the whole tells exactly. The nodes must be of a table that rewrites
 * nothing and has neither opaque tests nor several diagrams.
 * Throws LimitError.
 */
export function editPart(
  { words, first }: Nodes & { readonly words: Uint32Array<ArrayBuffer> },
  entry: number,
  longest: number,
  edit: PartEdit,
): EditedNodes | undefined {
  const { chain, group, splice } = edit;
  const { at, removed, added } = splice;
  const [high, low] = [group >>> PIECE_BITS, group & PIECE_MASK];
  const diagram = buildDiagram(edit.table);
  if (diagram.layered.size > 0) return undefined;
  shiftCounters(words, at + removed, added - removed);
  const nodes = { words, first };
  const writer = new Writer(first + words.length / 2);

  const highs = readLevel(nodes, entry, HIGH);
  const lows = readLevel(nodes, addressAt(highs, high), LOW);
  const standing = (other: number) => {
    const near = addressAt(highs, other >>> PIECE_BITS);
    return addressAt(readLevel(nodes, near, LOW), other & PIECE_MASK);
  };
  const twin = findTwin(diagram, edit);
  const part =
    twin === undefined
      ? elementAt(
          writeDiagrams(writer, diagram, [], (root) => [
            ofGroup(diagram, inChain(diagram, root, chain), group),
          ]),
          0,
        )
      : standing(twin);
  const near = writeLevel(writer, LOW, withAddress(lows, low, part));
  const start = writeLevel(writer, HIGH, withAddress(highs, high, near));
  const made = writer.words;
  renumberCounters(made, (counter) => elementAt(edit.counters, counter));

  const all = concat(words, made);
  const deepest = twin === undefined ? Math.max(longest, longestPath(all, first, [part])) : longest;
  // A search by halves in each of two pieces, with jumps from page to page and to what stands.
  if (deepest + LOOK_STEPS > MAX_STEPS - 1) return undefined;
  const facts = factsFrom({ words: all, first }, start);
  return { words: all, entry: start, facts, longest: deepest };
}

/** Steps that a look at the group takes at most. */
const LOOK_STEPS = 4 * PIECE_BITS;
