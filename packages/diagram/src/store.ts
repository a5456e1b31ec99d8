/**
 * The node pool of decision diagrams.
 *
 * A reference is an integer: `node >= 0` names a node, `~n < 0` the terminal number n. What terminals
 * mean is their user's business. A node asks one piece of the packet and has sorted intervals, the
 * first from 0, each up to the next start and the last open; every interval has a target.
 *
 * Invariants: a node's targets ask later pieces only; adjacent targets differ, so that every node has
 * at least two; equal nodes are one node; a target's number is lower than its node's. Hence two
 * references of one store mean the same function if and only if they are equal.
 */
import { elementAt } from '@sockfilter/table';
import { LimitError, type Limits } from './limit.js';
import { PIECES } from './piece.js';
import { Row } from './row.js';

/** A node or a terminal. */
export type Ref = number;

export function isTerminal(ref: Ref): boolean {
  return ref < 0;
}

/** The reference of the terminal with the number. */
export function terminalRef(number: number): Ref {
  return ~number;
}

export function terminalNumber(ref: Ref): number {
  return ~ref;
}

export interface DiagramSize {
  readonly nodes: number;
  readonly edges: number;
}

const EMPTY = -1;

// Looked up once: where a test runner keeps globals of its own, a look-up for each edge is most of the time.
const { imul } = Math;

/** What a terminal asks: nothing, after all that nodes can ask. */
export const PAST_ALL = 0xffff;

// One for each type of array: what runs for every edge looks at arrays of one type alone.
function u16(array: Uint16Array, index: number): number {
  return array[index] ?? outside(index);
}

function i32(array: Int32Array, index: number): number {
  return array[index] ?? outside(index);
}

function outside(index: number): never {
  throw new RangeError(`nothing is at ${index}`);
}

function grown<T extends Uint8Array | Uint16Array | Int32Array>(
  old: T,
  make: new (length: number) => T,
): T {
  const array = new make(old.length * 2);
  array.set(old);
  return array;
}

/**
 * Values of references, as a Map has them, for a walk that comes to most nodes and terminals of a store: they lie in
 * arrays, by number.
 */
export class RefMap {
  readonly #nodes: Int32Array;
  readonly #hasNode: Uint8Array;
  #terminals = new Int32Array(1024);
  #hasTerminal = new Uint8Array(1024);

  constructor(nodeCount: number) {
    this.#nodes = new Int32Array(nodeCount);
    this.#hasNode = new Uint8Array(nodeCount);
  }

  get(ref: Ref): number | undefined {
    if (ref < 0) return this.#hasTerminal[~ref] === 1 ? this.#terminals[~ref] : undefined;
    return this.#hasNode[ref] === 1 ? this.#nodes[ref] : undefined;
  }

  /** @param value of 32 bits, with sign */
  set(ref: Ref, value: number): void {
    if (ref >= 0) {
      this.#nodes[ref] = value;
      this.#hasNode[ref] = 1;
      return;
    }
    while (~ref >= this.#terminals.length) {
      this.#terminals = grown(this.#terminals, Int32Array);
      this.#hasTerminal = grown(this.#hasTerminal, Uint8Array);
    }
    this.#terminals[~ref] = value;
    this.#hasTerminal[~ref] = 1;
  }
}

export class DiagramStore {
  #limits: Pick<Limits, 'poolEdges' | 'steps' | 'asked'>;
  readonly #rows: Row[] = [];
  #pieces: Uint16Array = new Uint16Array(1024);
  /** Where each node's edges begin; the next node's are their end. */
  #begins: Int32Array = new Int32Array(1024);
  #hashes: Int32Array = new Int32Array(1024);
  #slots: Int32Array = new Int32Array(4096).fill(EMPTY);
  #starts: Uint16Array = new Uint16Array(4096);
  #targets: Int32Array = new Int32Array(4096);
  #nodeCount = 0;
  #steps = 0;
  /** Of nodes that ask no piece of the packet: how many of them a walk can come to from there on. */
  readonly #asked = new Map<Ref, number>();

  constructor(limits: Pick<Limits, 'poolEdges' | 'steps' | 'asked'>) {
    this.#limits = limits;
  }

  /** Nodes in the pool, whether or not anything still leads to them. */
  get nodeCount(): number {
    return this.#nodeCount;
  }

  get edgeCount(): number {
    return i32(this.#begins, this.#nodeCount);
  }

  /** Edges looked at so far. */
  get steps(): number {
    return this.#steps;
  }

  /** The piece that the node asks; for a terminal a number above all. */
  pieceOf(ref: Ref): number {
    return ref < 0 ? PAST_ALL : u16(this.#pieces, ref);
  }

  /** The node's edges have the numbers from `firstEdge(node)` up to, without, `endEdge(node)`. */
  firstEdge(node: Ref): number {
    return i32(this.#begins, node);
  }

  endEdge(node: Ref): number {
    return i32(this.#begins, node + 1);
  }

  /** The first value of the edge's interval. */
  edgeStart(edge: number): number {
    return u16(this.#starts, edge);
  }

  edgeTarget(edge: number): Ref {
    return i32(this.#targets, edge);
  }

  /** Where the node leads for a value of its piece. */
  follow(node: Ref, value: number): Ref {
    return this.edgeTarget(this.edgeAt(this.firstEdge(node), this.endEdge(node), value));
  }

  /** The edge whose interval has the value, of those from `first`, that begins no later, up to `end`. */
  edgeAt(first: number, end: number, value: number): number {
    let low = first;
    let high = end;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (u16(this.#starts, middle) <= value) low = middle;
      else high = middle;
    }
    return low;
  }

  /** The terminal to which values of the pieces lead. */
  walk(root: Ref, values: Uint16Array): Ref {
    let ref = root;
    while (ref >= 0) ref = this.follow(ref, u16(values, u16(this.#pieces, ref)));
    return ref;
  }

  /** What is done may cost so much more than has been spent, and no more than the store's own limits. */
  within<T>(more: Pick<Limits, 'poolEdges' | 'steps'>, work: () => T): T {
    const outer = this.#limits;
    this.#limits = {
      ...outer,
      poolEdges: Math.min(outer.poolEdges, this.edgeCount + more.poolEdges),
      steps: Math.min(outer.steps, this.#steps + more.steps),
    };
    try {
      return work();
    } finally {
      this.#limits = outer;
    }
  }

  /** Counts edges looked at against the limit of steps. */
  spend(steps: number): void {
    this.#steps += steps;
    if (this.#steps > this.#limits.steps) throw new LimitError('steps', this.#limits.steps);
  }

  /** The row in which to put a node of the piece together, emptied. There is one for each piece. */
  row(piece: number): Row {
    for (let more = this.#rows.length; more <= piece; more++) this.#rows.push(new Row());
    const row = elementAt(this.#rows, piece);
    row.length = 0;
    return row;
  }

  /** The node that the row of the piece describes; its only target if it has one alone. */
  intern(piece: number): Ref {
    const row = elementAt(this.#rows, piece);
    const { length, starts, targets } = row;
    if (length === 1) return i32(targets, 0);

    let hash = imul(piece + 1, 0x9e3779b1);
    for (let i = 0; i < length; i++) {
      hash = imul(hash ^ u16(starts, i), 0x85ebca6b);
      hash = imul(hash ^ (hash >>> 15) ^ i32(targets, i), 0xc2b2ae35);
    }
    hash ^= hash >>> 16;
    const slotMask = this.#slots.length - 1;
    let slot = hash & slotMask;
    for (; i32(this.#slots, slot) !== EMPTY; slot = (slot + 1) & slotMask) {
      const node = i32(this.#slots, slot);
      if (i32(this.#hashes, node) === hash && this.#equals(node, piece, row)) return node;
    }
    const node = this.#append(piece, row, hash);
    this.#slots[slot] = node;
    if (this.#nodeCount * 2 > this.#slots.length) this.#rehash();
    return node;
  }

  /** Every node and terminal that the diagram leads to. */
  reachable(diagram: Ref): ReadonlySet<Ref> {
    const seen = new Set<Ref>([diagram]);
    for (const ref of seen) {
      if (isTerminal(ref)) continue;
      const end = this.endEdge(ref);
      for (let edge = this.firstEdge(ref); edge < end; edge++) seen.add(this.edgeTarget(edge));
    }
    return seen;
  }

  /** The reachable nodes and edges. */
  size(roots: readonly Ref[]): DiagramSize {
    const seen = new Uint8Array(this.#nodeCount);
    let nodes = 0;
    let edges = 0;
    const visit = (ref: Ref): void => {
      if (ref < 0 || seen[ref] === 1) return;
      seen[ref] = 1;
      nodes++;
      const end = this.endEdge(ref);
      edges += end - this.firstEdge(ref);
      for (let edge = this.firstEdge(ref); edge < end; edge++) visit(i32(this.#targets, edge));
    };
    roots.forEach(visit);
    return { nodes, edges };
  }

  /**
   * Copies what is reachable from the roots of a store, perhaps this one, with its terminals replaced;
   * the copy holds no garbage. Numbers it depth first, targets before their node.
   */
  copy(from: DiagramStore, roots: readonly Ref[], replace: (terminal: Ref) => Ref): readonly Ref[] {
    const copies = from === this ? new Map<Ref, Ref>() : new RefMap(from.nodeCount);
    const copyRef = (ref: Ref): Ref => {
      const known = copies.get(ref);
      if (known !== undefined) return known;
      const result = ref < 0 ? replace(ref) : copyNode(ref);
      copies.set(ref, result);
      return result;
    };
    const copyNode = (node: Ref): Ref => {
      const piece = from.pieceOf(node);
      const row = this.row(piece);
      const end = from.endEdge(node);
      for (let edge = from.firstEdge(node); edge < end; edge++)
        row.push(from.edgeStart(edge), copyRef(from.edgeTarget(edge)));
      return this.intern(piece);
    };
    return roots.map(copyRef);
  }

  /** As copy(), of what is reachable from one root. */
  copyOne(from: DiagramStore, root: Ref, replace: (terminal: Ref) => Ref): Ref {
    return elementAt(this.copy(from, [root], replace), 0);
  }

  #equals(node: Ref, piece: number, row: Row): boolean {
    const begin = i32(this.#begins, node);
    const { length } = row;
    if (u16(this.#pieces, node) !== piece || i32(this.#begins, node + 1) - begin !== length)
      return false;
    for (let i = 0; i < length; i++) {
      if (i32(this.#targets, begin + i) !== i32(row.targets, i)) return false;
      if (u16(this.#starts, begin + i) !== u16(row.starts, i)) return false;
    }
    return true;
  }

  #append(piece: number, row: Row, hash: number): Ref {
    const node = this.#nodeCount;
    const begin = i32(this.#begins, node);
    const end = begin + row.length;
    if (piece >= PIECES.length) this.#asked.set(node, this.#askedAt(row));
    if (end > this.#limits.poolEdges) throw new LimitError('poolEdges', this.#limits.poolEdges);
    if (node + 2 > this.#pieces.length) {
      this.#pieces = grown(this.#pieces, Uint16Array);
      this.#begins = grown(this.#begins, Int32Array);
      this.#hashes = grown(this.#hashes, Int32Array);
    }
    while (end > this.#starts.length) {
      this.#starts = grown(this.#starts, Uint16Array);
      this.#targets = grown(this.#targets, Int32Array);
    }
    for (let i = 0; i < row.length; i++) {
      this.#starts[begin + i] = u16(row.starts, i);
      this.#targets[begin + i] = i32(row.targets, i);
    }
    this.#pieces[node] = piece;
    this.#hashes[node] = hash;
    this.#begins[node + 1] = end;
    this.#nodeCount = node + 1;
    return node;
  }

  /** Such nodes lead to no others. */
  #askedAt({ targets, length }: Row): number {
    let asked = 0;
    for (let i = 0; i < length; i++) asked = Math.max(asked, this.#asked.get(i32(targets, i)) ?? 0);
    if (asked >= this.#limits.asked) throw new LimitError('asked', this.#limits.asked);
    return asked + 1;
  }

  #rehash(): void {
    const slots = new Int32Array(this.#slots.length * 2).fill(EMPTY);
    const slotMask = slots.length - 1;
    for (let node = 0; node < this.#nodeCount; node++) {
      let slot = i32(this.#hashes, node) & slotMask;
      while (i32(slots, slot) !== EMPTY) slot = (slot + 1) & slotMask;
      slots[slot] = node;
    }
    this.#slots = slots;
  }
}
