/**
 * Nodes that stand, read back as the diagram that they say, in one store with others: equal ones are one. They must be
 * of a table that rewrites nothing and has neither opaque tests nor several diagrams.
 */
import {
  type DiagramStore,
  type Meets,
  type Ref,
  type Row,
  terminalNumber,
  terminalRef,
} from '@sockfilter/diagram';
import { elementAt } from '@sockfilter/table';
import type { EndTable } from './ends.js';
import { OP, placeFor, placesIn, SWITCH } from './layout.js';
import type { Nodes } from './nodes.js';

const PIECE_MASK = 0xffff;

const slotOf = (head: number) => (head >>> 16) & 0xff;

/** Terminals from this number on stand for nodes that have not been read, by their place; there are fewer ends. */
const FIRST_PLACE = 2 ** 28;

/** The place of what the terminal stands for; undefined for an end, and for a node. */
function placeOf(ref: Ref): number | undefined {
  const number = terminalNumber(ref);
  return number < FIRST_PLACE ? undefined : number - FIRST_PLACE;
}

/** Whether it is a terminal that stands for a node which has not been read. */
export const isUnread = (ref: Ref): boolean => placeOf(ref) !== undefined;

/** A node in the making, of several that ask the same piece. */
interface Level {
  readonly row: Row;
  readonly slot: number;
  readonly targetAt: (address: number) => Ref;
  /** Its first node. */
  readonly address: number;
  readonly meets: Meets;
}

const ALL: Meets = () => true;

/** Values of a node that it is asked for by who looks for one that tells it from another. */
const MOST_VALUES = 8;

/** Reads nodes into the store, all that an address leads to or as far as somebody looks. */
export class NodeReader {
  readonly #words: Uint32Array;
  readonly #first: number;
  readonly #store: DiagramStore;
  readonly #ends: EndTable;
  /** By place: 1 where what stands there has been read, and what it is. */
  readonly #isKnown: Uint8Array;
  readonly #refs: Int32Array;
  /** By number of a node, and of an end: where it stands, or 0. */
  readonly #nodes: Int32Array;
  readonly #terminals: Int32Array;

  constructor({ words, first }: Nodes, store: DiagramStore, ends: EndTable) {
    const count = words.length / 2;
    this.#words = words;
    this.#first = first;
    this.#store = store;
    this.#ends = ends;
    this.#isKnown = new Uint8Array(count);
    this.#refs = new Int32Array(count);
    this.#nodes = new Int32Array(count);
    this.#terminals = new Int32Array(count);
  }

  /** Where the node or the end stands among those that have been read; undefined for another. */
  readonly standing = (ref: Ref): number | undefined => {
    const unread = placeOf(ref);
    if (unread !== undefined) return this.#first + unread;
    const places = ref < 0 ? this.#terminals : this.#nodes;
    return places[ref < 0 ? terminalNumber(ref) : ref] || undefined;
  };

  /** What the nodes from the address on say. */
  readonly at = (address: number): Ref => {
    const place = this.#placeAt(address);
    if (this.#isKnown[place] === 1) return elementAt(this.#refs, place);
    const ref = this.#endAt(place) ?? this.#nodeAt(place, this.at);
    this.#isKnown[place] = 1;
    this.#refs[place] = ref;
    return ref;
  };

  /** The same, but a terminal that stands for it where it is no end. */
  readonly unread = (address: number): Ref => {
    const place = this.#placeAt(address);
    return this.#endAt(place) ?? terminalRef(FIRST_PLACE + place);
  };

  /** The piece that the node asks, or that which such a terminal stands for; a number above all of an end. */
  readonly pieceOf = (ref: Ref): number => {
    const place = placeOf(ref);
    return place === undefined ? this.#store.pieceOf(ref) : slotOf(this.#headAt(place));
  };

  /**
   * The node that such a terminal stands for, which leads to such terminals and to ends: of a SWITCH that leads to others, to those for
   * values that are not met.
   */
  readonly open = (ref: Ref, meets: Meets = ALL): Ref => {
    const place = placeOf(ref);
    if (place === undefined) throw new TypeError('an end is not to be opened');
    return this.#nodeAt(place, this.unread, meets);
  };

  /** Where it leads for a value of the piece; itself where it asks another. */
  readonly follow = (ref: Ref, piece: number, value: number): Ref => {
    if (this.pieceOf(ref) !== piece) return ref;
    const place = placeOf(ref);
    if (place === undefined) return this.#store.follow(ref, value);
    let at = place;
    while (this.#asks(at, piece)) at = this.#placeAt(this.#targetFor(at, value));
    return this.unread(this.#first + at);
  };

  /** Some values that it tells from others. */
  readonly valuesOf = (ref: Ref): readonly number[] => {
    const place = placeOf(ref);
    if (place !== undefined) return [this.#headAt(place) & PIECE_MASK];
    const [first, end] = [this.#store.firstEdge(ref), this.#store.endEdge(ref)];
    const step = Math.ceil((end - first) / MOST_VALUES);
    return Array.from({ length: Math.ceil((end - first) / step) }, (_, n) =>
      this.#store.edgeStart(first + n * step),
    );
  };

  #headAt(place: number): number {
    return elementAt(this.#words, 2 * place);
  }

  #asks(place: number, slot: number): boolean {
    const head = this.#headAt(place);
    return head >>> 24 <= OP.switch && slotOf(head) === slot;
  }

  /** The address that a node leads to which asks a piece, for a value of that. */
  #targetFor(place: number, asked: number): number {
    const [head, target] = [this.#headAt(place), elementAt(this.#words, 2 * place + 1)];
    const value = head & PIECE_MASK;
    const op = head >>> 24;
    if (op === OP.switch) {
      const places = placesIn(elementAt(this.#words, 2 * place + SWITCH.places / 4));
      return placeFor(target, places, asked - value);
    }
    const isElsewhere = op === OP.less ? asked < value : asked !== value;
    return isElsewhere ? target : this.#first + place + 1;
  }

  /** Where the address leads to. */
  #placeAt(address: number): number {
    let place = address - this.#first;
    while (this.#headAt(place) >>> 24 === OP.jump)
      place = elementAt(this.#words, 2 * place + 1) - this.#first;
    return place;
  }

  #endAt(place: number): Ref | undefined {
    if (this.#headAt(place) >>> 24 <= OP.switch) return undefined;
    const end = this.#ends.read(this.#words, this.#first, place);
    this.#terminals[terminalNumber(end)] ||= this.#first + place;
    return end;
  }

  #nodeAt(place: number, targetAt: (address: number) => Ref, meets = ALL): Ref {
    const address = this.#first + place;
    const slot = slotOf(this.#headAt(place));
    const row = this.#store.row(slot);
    this.#level({ row, targetAt, slot, address, meets }, address, 0, PIECE_MASK);
    const ref = this.#store.intern(slot);
    // What has turned out to ask nothing is better found elsewhere.
    if (this.#store.pieceOf(ref) === slot) this.#nodes[ref] ||= address;
    return ref;
  }

  /** Puts into the row where values of the piece from `low` to `high` lead. */
  #level(level: Level, address: number, low: number, high: number): void {
    const { row, targetAt, slot } = level;
    if (low > high) return;
    const words = this.#words;
    const at = 2 * (address - this.#first);
    const head = elementAt(words, at);
    const target = elementAt(words, at + 1);
    const op = head >>> 24;
    const value = head & PIECE_MASK;
    if (op === OP.jump) {
      this.#level(level, target, low, high);
    } else if (op > OP.switch || slotOf(head) !== slot) {
      row.push(low, targetAt(address));
    } else if (op === OP.less) {
      this.#level(level, target, low, Math.min(high, value - 1));
      this.#level(level, address + 1, Math.max(low, value), high);
    } else if (op === OP.unequal) {
      this.#level(level, target, low, Math.min(high, value - 1));
      if (low <= value && value <= high) this.#level(level, address + 1, value, value);
      this.#level(level, target, Math.max(low, value + 1), high);
    } else if (address !== level.address && !level.meets(low, high)) {
      row.push(low, terminalRef(FIRST_PLACE + address - this.#first));
    } else {
      const { last, width, shift } = placesIn(elementAt(words, at + SWITCH.places / 4));
      const end = value + (last << shift);
      const other = target + (last << width);
      this.#level(level, other, low, Math.min(high, value - 1));
      const from = Math.max(0, low - value) >>> shift;
      for (let n = from, start = value + (from << shift); n < last && start <= high; n++) {
        const next = start + (1 << shift);
        this.#level(level, target + (n << width), Math.max(low, start), Math.min(high, next - 1));
        start = next;
      }
      this.#level(level, other, Math.max(low, end), high);
    }
  }
}
