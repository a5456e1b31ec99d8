/** The words of nodes as they are written, one after the other, on pages. */
import {
  ASK_NODES,
  NODES_PER_PAGE,
  OP,
  type Places,
  SWITCH,
  SWITCH_NODES,
  wordOf,
} from './layout.js';

/**
 * Places of four nodes lie in one line of the processor's cache each: an array's first entry begins 16 bytes behind the begin of a line
 * (struct bpf_array).
 */
const ALIGNMENT = 4;
const BEFORE = 2;
const aligned = (address: number) =>
  address + ((ALIGNMENT - ((address + BEFORE) % ALIGNMENT)) % ALIGNMENT);

export class NodeBuffer {
  readonly #first: number;
  #words = new Uint32Array(1024);
  #length = 0;

  /** @param first the address of the first node */
  constructor(first: number) {
    this.#first = first;
  }

  /** What has been written: two u32 a node. Nothing is to be written any more. */
  get words(): Uint32Array {
    return this.#words.subarray(0, 2 * this.#length);
  }

  /** Where the next node goes, if its page has room for it. */
  get address(): number {
    return this.#first + this.#length;
  }

  /** Writes a node that has to have `room` nodes left on its page, itself included; returns its place. */
  put(value: number, slot: number, op: number, target: number, room: number): number {
    this.makeRoom(room);
    const at = this.#length;
    this.#grow(at + 1);
    this.#words[2 * at] = (value | (slot << 16) | (op << 24)) >>> 0;
    this.#words[2 * at + 1] = target;
    this.#length = at + 1;
    return at;
  }

  /** Goes on on the next page where this one has not so many nodes left. */
  makeRoom(room: number): void {
    const left = NODES_PER_PAGE - (this.address % NODES_PER_PAGE);
    if (left >= room) return;
    const next = this.#length + left;
    this.#grow(next);
    this.#words[2 * this.#length] = (OP.jump << 24) >>> 0;
    this.#words[2 * this.#length + 1] = this.#first + next;
    this.#length = next;
  }

  /** A node that asks, with nothing said yet but its kind and no target; returns its place. */
  putAsk(kind: number): number {
    const at = this.put(kind, 0, OP.ask, 0, ASK_NODES + 1);
    this.#grow(at + ASK_NODES);
    this.#length = at + ASK_NODES;
    return at;
  }

  /** A SWITCH, whose places are still to be written; returns its place. */
  putSwitch(base: number, slot: number): number {
    const at = this.put(base, slot, OP.switch, 0, SWITCH_NODES);
    this.#grow(at + SWITCH_NODES);
    this.#length = at + SWITCH_NODES;
    return at;
  }

  /** Makes what comes next the places of the SWITCH, all on one page; returns the address of the first. */
  beginPlaces(at: number, places: Places): number {
    this.makeRoom(ALIGNMENT + ((places.last + 1) << places.width));
    this.skipTo(aligned(this.address));
    this.setTarget(at, this.address);
    this.setWords(at, SWITCH.places, [wordOf(places)]);
    return this.address;
  }

  /** Leaves nodes out up to the address. */
  skipTo(address: number): void {
    this.#length = address - this.#first;
    this.#grow(this.#length);
  }

  setTarget(at: number, address: number): void {
    this.#words[2 * at + 1] = address;
  }

  /** Says more in what belongs to a node, `offset` bytes behind its beginning. */
  setWords(at: number, offset: number, words: ArrayLike<number>): void {
    this.#words.set(words, 2 * at + offset / 4);
  }

  #grow(length: number): void {
    if (2 * length <= this.#words.length) return;
    const words = new Uint32Array(Math.max(4 * length, 2 * this.#words.length));
    words.set(this.#words);
    this.#words = words;
  }
}
