/** The places of one decision diagram -> nodes that lead to each other. See layout.ts for what a node says. */
import { type DiagramStore, isTerminal, type Ref, RefMap } from '@sockfilter/diagram';
import { OP } from './layout.js';
import type { NodeBuffer } from './nodebuffer.js';

/** The most addresses that one INDEX node has. */
const MAX_INDEX = 4096;
/** A node gets an INDEX from so many intervals on, if it has at most so many addresses for each. */
const MIN_INDEXED = 5;
const INDEX_SPREAD = 4;

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
      const known = this.#addressOf(place);
      if (known !== undefined) {
        this.#fill(known, at, from, to);
        continue;
      }
      this.#nodes.makeRoom(2);
      this.#fill(this.#nodes.address, at, from, to);
      this.#here(place);
    }
    return this.#results;
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
    const store = this.#store;
    if (isTerminal(place)) this.#terminal(place, this.#onward);
    else this.#spread({ node: place, from: store.firstEdge(place), to: store.endEdge(place) });
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
    // What is not in the index goes to the last address: it can serve the first interval as well.
    const indexed = first === other ? from + 1 : from;
    const count = store.edgeStart(last) - store.edgeStart(indexed);
    const worth = to - from >= MIN_INDEXED && count <= INDEX_SPREAD * (to - from);
    if (worth && count <= MAX_INDEX) {
      this.#putIndex({ ...span, from: indexed }, count);
      return;
    }
    const middle = (from + to) >> 1;
    this.#branch(store.edgeStart(middle), slot, OP.less, this.#part(node, from, middle));
    this.#here(this.#part(node, middle, to));
  }

  /** A node with an address for each of `count` values, and one for all others. */
  #putIndex({ node, from, to }: Span, count: number): void {
    const store = this.#store;
    const first = store.edgeStart(from);
    const at = this.#nodes.putIndex(first, store.pieceOf(node), count);
    for (let edge = from; edge < to; edge++) {
      const start = store.edgeStart(edge) - first;
      const end = edge === to - 1 ? count + 1 : store.edgeStart(edge + 1) - first;
      this.#later(store.edgeTarget(edge), at, start, end);
    }
  }
}
