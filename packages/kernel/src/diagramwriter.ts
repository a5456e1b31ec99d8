/** The places of one decision diagram -> nodes that lead to each other. See layout.ts for what a node says. */
import { type DiagramStore, isTerminal, type Ref, RefMap } from '@sockfilter/diagram';
import { OP, SWITCH_NODES } from './layout.js';
import type { NodeBuffer } from './nodebuffer.js';

/** From so many intervals on a piece gets a SWITCH with a place for each value, and one with a place for several. */
const MIN_EACH = 5;
const MIN_SHARED = 16;
/** The places of a SWITCH at most, and base 2 logarithms of that and of the nodes that one has. */
const MAX_PLACES = 512;
const PLACES_BITS = 8;
const MAX_WIDTH = 2;

/** Some intervals of a node's piece, of values from `low` on: the numbers of their edges, `from` up to, without, `to`. */
interface Span {
  readonly node: Ref;
  readonly from: number;
  readonly to: number;
  readonly low: number;
}

/** A SWITCH that tells them apart by so many places, the first of which begins at a value; the last interval has one more. */
interface Switch extends Span {
  readonly base: number;
  readonly shift: number;
  readonly count: number;
}

/** What a call goes on to. */
type Target = Ref | Span;

const isTerminalTarget = (target: Target): target is Ref =>
  typeof target === 'number' && isTerminal(target);

/** A test of a span's piece: where it goes to the next node, and where elsewhere. */
interface Test {
  readonly op: number;
  readonly value: number;
  readonly next: Target;
  readonly other: Target;
}

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
  /** How many nodes that is, none of which leads elsewhere; Infinity for any other. */
  readonly lengthOf: (ref: Ref) => number;
  /** The address of what stands somewhere already. */
  readonly standing: (ref: Ref) => number | undefined;
}

/** What is to be written, the last first, and for each the node whose target it is, or -1 less the number of a result. */
class Pending<T> {
  readonly #targets: T[] = [];
  readonly #wanted: number[] = [];

  add(target: T, wanted: number): void {
    this.#targets.push(target);
    this.#wanted.push(wanted);
  }

  /** Takes one; false if there is none. */
  take(write: (target: T, wanted: number) => void): boolean {
    const [target, wanted] = [this.#targets.pop(), this.#wanted.pop()];
    if (target === undefined || wanted === undefined) return false;
    write(target, wanted);
    return true;
  }
}

/**
 * Writes depth first, so that a path lies together: where a node goes on to the next one, that is
 * what it leads to, unless it stands elsewhere already.
 */
export class DiagramWriter {
  readonly #nodes: NodeBuffer;
  readonly #diagram: WrittenDiagram;
  readonly #addresses: RefMap;
  /** Places that are still to be written: first of what leads to many others, so that it lies together and a walk comes to few pages. */
  readonly #leading = new Pending<Switch>();
  readonly #places = new Pending<Switch>();
  readonly #targets = new Pending<Target>();
  #results: number[] = [];
  readonly #onward: Onward = {
    later: (target, node) => this.#later(target, node),
    here: (target) => this.#here(target),
  };

  constructor(nodes: NodeBuffer, diagram: WrittenDiagram) {
    this.#nodes = nodes;
    this.#diagram = diagram;
    this.#addresses = new RefMap(diagram.store.nodeCount);
  }

  /** Writes all that is reachable from the places; returns their addresses. */
  write(places: readonly Ref[]): number[] {
    this.#results = places.map(() => 0);
    places.forEach((place, n) => {
      this.#later(place, -1 - n);
    });
    const write = (target: Target, wanted: number) => this.#write(target, wanted);
    const writePlaces = (made: Switch, node: number) => this.#writePlaces(made, node);
    while (
      this.#leading.take(writePlaces) ||
      this.#targets.take(write) ||
      this.#places.take(writePlaces)
    );
    return this.#results;
  }

  #write(target: Target, wanted: number): void {
    const known = this.#addressOf(target);
    if (known === undefined) this.#nodes.makeRoom(2);
    this.#fill(known ?? this.#nodes.address, wanted);
    if (known === undefined) this.#here(target);
  }

  #fill(address: number, wanted: number): void {
    if (wanted < 0) this.#results[-1 - wanted] = address;
    else this.#nodes.setTarget(wanted, address);
  }

  #addressOf(target: Target): number | undefined {
    if (typeof target !== 'number') return undefined;
    return this.#addresses.get(target) ?? this.#diagram.standing(target);
  }

  #later(target: Target, wanted: number): void {
    const known = this.#addressOf(target);
    if (known === undefined) this.#targets.add(target, wanted);
    else this.#fill(known, wanted);
  }

  /** Here goes, in so many nodes at most, what is to be done there, or a jump to it. */
  #here(target: Target, room = Number.POSITIVE_INFINITY): void {
    if (!this.#fits(target, room)) {
      this.#later(target, this.#nodes.put(0, 0, OP.jump, 0, 1));
      return;
    }
    this.#nodes.makeRoom(2);
    if (typeof target === 'number' && this.#addressOf(target) === undefined)
      this.#addresses.set(target, this.#nodes.address);
    if (isTerminalTarget(target)) {
      this.#diagram.terminal(target, this.#onward);
      return;
    }
    const span = this.#spanOf(target);
    const made = this.#switchOf(span);
    if (made) {
      const pending = made.shift < PLACES_BITS ? this.#places : this.#leading;
      pending.add(made, this.#nodes.putSwitch(made.base, this.#slotOf(span)));
    } else {
      const { op, value, next, other } = this.#testOf(span);
      this.#later(other, this.#nodes.put(value, this.#slotOf(span), op, 0, 2));
      this.#here(next, room - 1);
    }
  }

  /** Whether the first of it is written where so many nodes are left, and no jump to it. */
  #fits(target: Target, room: number): boolean {
    if (isTerminalTarget(target)) {
      const length = this.#diagram.lengthOf(target);
      return length === 1 || (length <= room && this.#addressOf(target) === undefined);
    }
    return this.#addressOf(target) === undefined && room >= 2;
  }

  /** How many nodes it takes where so many are left. */
  #lengthIn(target: Target, room: number): number {
    if (!this.#fits(target, room)) return 1;
    if (isTerminalTarget(target)) return this.#diagram.lengthOf(target);
    const span = this.#spanOf(target);
    if (this.#switchOf(span)) return SWITCH_NODES;
    return 1 + this.#lengthIn(this.#testOf(span).next, room - 1);
  }

  #spanOf(target: Target): Span {
    if (typeof target !== 'number') return target;
    const { store } = this.#diagram;
    return { node: target, from: store.firstEdge(target), to: store.endEdge(target), low: 0 };
  }

  #slotOf({ node }: Span): number {
    return this.#diagram.store.pieceOf(node);
  }

  #part(node: Ref, from: number, to: number, low: number): Target {
    return to - from === 1 ? this.#diagram.store.edgeTarget(from) : { node, from, to, low };
  }

  /** Tells one value from all others, or halves the intervals. */
  #testOf({ node, from, to, low }: Span): Test {
    const { store } = this.#diagram;
    const last = to - 1;
    const [first, other] = [store.edgeTarget(from), store.edgeTarget(last)];
    const start = store.edgeStart(last);
    // What nothing else leads to, as far as is known, goes to the next node.
    if (to - from === 2 && start === low + 1 && this.#addressOf(other) !== undefined)
      return { op: OP.unequal, value: low, next: first, other };
    if (to - from === 3 && first === other && start === store.edgeStart(from + 1) + 1)
      return { op: OP.unequal, value: start - 1, next: store.edgeTarget(from + 1), other };
    const middle = (from + to) >> 1;
    const value = store.edgeStart(middle);
    const [lower, next] = [
      this.#part(node, from, middle, low),
      this.#part(node, middle, to, value),
    ];
    return { op: OP.less, value, next, other: lower };
  }

  /** The SWITCH that is to tell the intervals apart; undefined where tests do. */
  #switchOf(span: Span): Switch | undefined {
    const { from, to, low } = span;
    const intervals = to - from;
    if (intervals < MIN_EACH) return undefined;
    const { store } = this.#diagram;
    // What is in no place goes to the last one: it can serve the first interval as well.
    const isSame = store.edgeTarget(from) === store.edgeTarget(to - 1);
    const first = isSame ? store.edgeStart(from + 1) : Math.max(low, store.edgeStart(from));
    const last = store.edgeStart(to - 1) - 1;
    const placesOf = (shift: number) => (last >> shift) - (first >> shift) + 1;
    if (intervals < MIN_SHARED && placesOf(0) > intervals) return undefined;
    // Those that lead elsewhere than what lies before and behind all of them.
    let own = 1;
    for (let edge = from + 1; edge < to; edge++)
      if (store.edgeTarget(edge) !== store.edgeTarget(from)) own++;
    let shift = 0;
    while (placesOf(shift) > own) shift++;
    if (shift > 0 && intervals < MIN_SHARED) return undefined;
    // More have a SWITCH of such that have as many as they may.
    if (placesOf(shift) > MAX_PLACES) shift += PLACES_BITS;
    return { ...span, base: (first >> shift) << shift, shift, count: placesOf(shift) };
  }

  /** Where the values of each place lead. */
  #targetsOf({ node, from, to, base, shift, count }: Switch): readonly Target[] {
    const { store } = this.#diagram;
    let edge = from;
    const targets = Array.from({ length: count }, (_, n) => {
      const start = base + (n << shift);
      while (edge + 1 < to && store.edgeStart(edge + 1) <= start) edge++;
      let behind = edge + 1;
      while (behind < to && store.edgeStart(behind) < start + (1 << shift)) behind++;
      return this.#part(node, edge, behind, start);
    });
    return [...targets, store.edgeTarget(to - 1)];
  }

  /** Base 2 logarithm of the nodes that a place is to have for the targets. */
  #widthFor(targets: readonly Target[]): number {
    const room = 1 << MAX_WIDTH;
    const all = targets.reduce(
      (sum: number, target, n) =>
        sum + (target === targets[n - 1] ? 1 : this.#lengthIn(target, room)),
      0,
    );
    const length = all / targets.length;
    if (length > 2) return MAX_WIDTH;
    return length > 1.25 ? 1 : 0;
  }

  /** Writes the places of the SWITCH at the node. */
  #writePlaces(made: Switch, node: number): void {
    const targets = this.#targetsOf(made);
    const width = this.#widthFor(targets);
    const first = this.#nodes.beginPlaces(node, { last: made.count, width, shift: made.shift });
    targets.forEach((target, n) => {
      this.#here(target, 1 << width);
      this.#nodes.skipTo(first + ((n + 1) << width));
    });
  }
}
