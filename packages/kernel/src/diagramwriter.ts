/** The places of one decision diagram -> nodes that lead to each other. See layout.ts for what a node says. */
import { type DiagramStore, isTerminal, type Ref, RefMap } from '@sockfilter/diagram';
import { OP } from './layout.js';
import { indexNodes, type NodeBuffer } from './nodebuffer.js';

/** The most addresses that one INDEX node has. */
const MAX_INDEX = 4096;
/** A node gets an INDEX from so many intervals on, if it has at most so many addresses for each. */
const MIN_INDEXED = 5;
const INDEX_SPREAD = 4;
/** So many intervals that have no index are told apart, down to fewer ones, by tests that lie together. */
const MIN_LADDER = 256;

/** Some of a node's intervals: the numbers of their edges, `from` up to, without, `to`. */
interface Span {
  readonly node: Ref;
  readonly from: number;
  readonly to: number;
}

type Place = Ref | Span;

/** Where the address of a place is to be written: the target of a node, entries of an index, or a result. */
const TARGET = -1;
const RESULT = -2;

/** How what a terminal says leads on to other terminals. */
export interface Onward {
  /** Makes the place the node's target once its address is known. */
  readonly later: (place: Ref, node: number) => void;
  /** Writes the place, or a jump to it. */
  readonly here: (place: Ref) => void;
}

/** A diagram that is to be written. */
export interface WrittenDiagram {
  readonly store: DiagramStore;
  /** Writes what a terminal says. */
  readonly terminal: (ref: Ref, onward: Onward) => void;
  /** The address of what stands somewhere already. */
  readonly standing: (ref: Ref) => number | undefined;
}

/**
 * Writes depth first, so that a path lies together: where a node goes on to the next one, that is
 * what it leads to, unless it stands elsewhere already.
 */
export class DiagramWriter {
  readonly #nodes: NodeBuffer;
  readonly #store: DiagramStore;
  readonly #terminal: WrittenDiagram['terminal'];
  readonly #standing: WrittenDiagram['standing'];
  readonly #addresses: RefMap;
  /** Places that are still to be written, and for each where its address goes: `at`, `from` and `to` as in #fill(). */
  readonly #pending: Place[] = [];
  readonly #wanted: number[] = [];
  #results: number[] = [];
  readonly #onward: Onward = {
    later: (place, node) => this.#later(place, node, TARGET),
    here: (place) => this.#here(place),
  };

  constructor(nodes: NodeBuffer, { store, terminal, standing }: WrittenDiagram) {
    this.#nodes = nodes;
    this.#store = store;
    this.#terminal = terminal;
    this.#standing = standing;
    this.#addresses = new RefMap(store.nodeCount);
  }

  /** Writes all that is reachable from the places; returns their addresses. */
  write(places: readonly Ref[]): number[] {
    this.#results = places.map(() => 0);
    places.forEach((place, n) => {
      this.#later(place, n, RESULT);
    });
    const pending = this.#pending;
    for (let place = pending.pop(); place !== undefined; place = pending.pop()) {
      const [to = 0, from = 0, at = 0] = [
        this.#wanted.pop(),
        this.#wanted.pop(),
        this.#wanted.pop(),
      ];
      this.#write(place, at, from, to);
    }
    return this.#results;
  }

  #write(place: Place, at: number, from: number, to: number): void {
    const known = this.#addressOf(place);
    if (known !== undefined) {
      this.#fill(known, at, from, to);
      return;
    }
    this.#nodes.makeRoom(this.#roomOf(place));
    this.#fill(this.#nodes.address, at, from, to);
    this.#here(place);
  }

  /** How many nodes have to be left on the page of its first one: an index goes there at once, and not by a jump. */
  #roomOf(place: Place): number {
    if (typeof place === 'number' && isTerminal(place)) return 2;
    const indexed = this.#indexOf(this.#spanOf(place));
    return indexed ? indexNodes(this.#valuesOf(indexed)) : 2;
  }

  /** Writes the address down: of the index at `at` as the entries `from` up to, without, `to`. */
  #fill(address: number, at: number, from: number, to: number): void {
    if (from === TARGET) this.#nodes.setTarget(at, address);
    else if (from === RESULT) this.#results[at] = address;
    else for (let n = from; n < to; n++) this.#nodes.setEntry(at, n, address);
  }

  #addressOf(place: Place): number | undefined {
    if (typeof place !== 'number') return undefined;
    return this.#addresses.get(place) ?? this.#standing(place);
  }

  #later(place: Place, at: number, from: number, to = 0): void {
    const known = this.#addressOf(place);
    if (known !== undefined) {
      this.#fill(known, at, from, to);
      return;
    }
    this.#pending.push(place);
    this.#wanted.push(at, from, to);
  }

  /** Here goes what the place says, or a jump to it. */
  #here(place: Place): void {
    if (typeof place !== 'number') {
      this.#spread(place);
      return;
    }
    const known = this.#addressOf(place);
    if (known !== undefined) {
      this.#nodes.put(0, 0, OP.jump, known, 1);
      return;
    }
    this.#nodes.makeRoom(2);
    this.#addresses.set(place, this.#nodes.address);
    if (isTerminal(place)) this.#terminal(place, this.#onward);
    else this.#spread(this.#spanOf(place));
  }

  #spanOf(place: Place): Span {
    if (typeof place !== 'number') return place;
    const store = this.#store;
    return { node: place, from: store.firstEdge(place), to: store.endEdge(place) };
  }

  /** A node that leads to `place`, or else to the next. */
  #branch(value: number, slot: number, op: number, place: Place): void {
    const at = this.#nodes.put(value, slot, op, 0, 2);
    this.#later(place, at, TARGET);
  }

  #part(node: Ref, from: number, to: number): Place {
    return to - from === 1 ? this.#store.edgeTarget(from) : { node, from, to };
  }

  /** Tells the intervals from each other. */
  #spread(span: Span): void {
    const { node, from, to } = span;
    const store = this.#store;
    const slot = store.pieceOf(node);
    const last = to - 1;
    const [first, other] = [store.edgeTarget(from), store.edgeTarget(last)];
    const isOneValue = store.edgeStart(last) === store.edgeStart(last - 1) + 1;
    if (to - from === 3 && isOneValue && first === other) {
      this.#branch(store.edgeStart(from + 1), slot, OP.unequal, other);
      this.#here(store.edgeTarget(from + 1));
      return;
    }
    const indexed = this.#indexOf(span);
    if (indexed) {
      this.#putIndex(indexed);
      return;
    }
    if (this.#isLadder(span)) {
      this.#putLadder(span);
      return;
    }
    const middle = (from + to) >> 1;
    this.#branch(store.edgeStart(middle), slot, OP.less, this.#part(node, from, middle));
    this.#here(this.#part(node, middle, to));
  }

  /** The intervals that an index is to tell apart; undefined where none is worth it, or has room. */
  #indexOf({ node, from, to }: Span): Span | undefined {
    const store = this.#store;
    const last = to - 1;
    // What is not in the index goes to the last address: it can serve the first interval as well.
    const isSame = store.edgeTarget(from) === store.edgeTarget(last);
    const indexed = { node, from: isSame ? from + 1 : from, to };
    const count = this.#valuesOf(indexed);
    const worth = to - from >= MIN_INDEXED && count <= INDEX_SPREAD * (to - from);
    return worth && count <= MAX_INDEX ? indexed : undefined;
  }

  /** How many values there are before the last interval. */
  #valuesOf({ from, to }: Span): number {
    return this.#store.edgeStart(to - 1) - this.#store.edgeStart(from);
  }

  #isLadder(span: Span): boolean {
    return span.to - span.from >= MIN_LADDER && this.#indexOf(span) === undefined;
  }

  /**
   * Halves the intervals, and these, by tests that lie together: what they lead to is long, and a walk from one to the next would
   * touch other pages each time.
   */
  #putLadder({ node, from, to }: Span): void {
    const store = this.#store;
    const middle = (from + to) >> 1;
    const at = this.#nodes.put(store.edgeStart(middle), store.pieceOf(node), OP.less, 0, 2);
    const [lower, upper] = [
      { node, from, to: middle },
      { node, from: middle, to },
    ];
    if (this.#isLadder(upper)) this.#putLadder(upper);
    else this.#later(upper, this.#nodes.put(0, 0, OP.jump, 0, 1), TARGET);
    if (!this.#isLadder(lower)) {
      this.#later(lower, at, TARGET);
      return;
    }
    this.#nodes.makeRoom(2);
    this.#nodes.setTarget(at, this.#nodes.address);
    this.#putLadder(lower);
  }

  /** Whether a ladder is to be written for the place. */
  #beginsLadder(place: Ref): boolean {
    if (this.#addressOf(place) !== undefined || isTerminal(place)) return false;
    return this.#isLadder(this.#spanOf(place));
  }

  /** A node with an address for each of the values, and one for all others. */
  #putIndex(span: Span): void {
    const { node, from, to } = span;
    const store = this.#store;
    const count = this.#valuesOf(span);
    const first = store.edgeStart(from);
    const at = this.#nodes.putIndex(first, store.pieceOf(node), count);
    for (let edge = from; edge < to; edge++) {
      const start = store.edgeStart(edge) - first;
      const end = edge === to - 1 ? count + 1 : store.edgeStart(edge + 1) - first;
      const place = store.edgeTarget(edge);
      // The tests that follow on those of the index lie beside it.
      if (this.#beginsLadder(place)) this.#write(place, at, start, end);
      else this.#later(place, at, start, end);
    }
  }
}
