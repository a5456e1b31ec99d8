/**
 * Whether nodes say the same, whoever made them and however they lie: both are walked in step, by all calls that tell
 * one from the other. Nothing is shared with what compiles, writes or edits nodes.
 */
import { firstPiece, PIECES } from '@sockfilter/diagram';
import { type BuiltinChain, chainNumber, elementAt } from '@sockfilter/table';
import { ASK_NODES, MAX_STEPS, OP, placesIn, SWITCH } from './layout.js';
import type { Nodes } from './nodes.js';

const PIECE_MASK = 0xffff;

/** The values of a call's pieces, by slot, of those that were asked; before anything was rewritten. */
export type AskedPieces = ReadonlyMap<number, number>;

/** Where values of a piece lead: those up to `last` that are above the last of the one before. */
interface Edge {
  readonly last: number;
  readonly target: number;
}

const CHAIN = firstPiece('chain');
const FAMILY = firstPiece('family');
const FAMILIES = [4, 6];

/** A value of the slot from `low` to `high` that a call of the chain can have; undefined if there is none. */
function possibleValue(slot: number, low: number, high: number, chain: number): number | undefined {
  const few = slot === CHAIN ? [chain] : slot === FAMILY ? FAMILIES : undefined;
  if (few) return few.find((value) => low <= value && value <= high);
  const { bits = 16 } = PIECES[slot] ?? {};
  return low < 1 << bits ? low : undefined;
}

/** One of the two, read by places of its words. */
class Side {
  readonly #words: Uint32Array;
  readonly #first: number;

  constructor({ words, first }: Nodes) {
    this.#words = words;
    this.#first = first;
  }

  get count(): number {
    return this.#words.length / 2;
  }

  /** The place that the address is of, or leads to by jumps alone. */
  placeOf(address: number): number {
    let place = address - this.#first;
    for (let steps = 0; this.op(place) === OP.jump; steps++) {
      if (steps === MAX_STEPS) throw new RangeError(`jumps go on and on at address ${address}`);
      place = this.target(place) - this.#first;
    }
    return place;
  }

  head(place: number): number {
    return elementAt(this.#words, 2 * place);
  }

  op(place: number): number {
    return this.head(place) >>> 24;
  }

  target(place: number): number {
    return elementAt(this.#words, 2 * place + 1);
  }

  /** The word of the node; its first two are the head and the target. */
  word(place: number, n: number): number {
    return elementAt(this.#words, 2 * place + n);
  }

  /** The place behind a node of so many. */
  behind(place: number, length: number): number {
    return this.placeOf(this.#first + place + length);
  }

  /** The slot that the node asks; undefined of one that does something. */
  asked(place: number): number | undefined {
    const head = this.head(place);
    return head >>> 24 < OP.count ? (head >>> 16) & 0xff : undefined;
  }

  /** Where the values of the slot lead from the place on; all to itself, if it does not ask that. */
  edges(place: number, slot: number): readonly Edge[] {
    const edges: Edge[] = [];
    this.#collect(place, slot, { from: 0, to: PIECE_MASK, edges });
    return edges;
  }

  #collect(place: number, slot: number, values: Collected): void {
    const { from, to, edges } = values;
    if (from > to) return;
    if (this.asked(place) !== slot) {
      edges.push({ last: to, target: place });
      return;
    }
    const value = this.head(place) & PIECE_MASK;
    const narrow = (low: number, high: number, next: number) =>
      this.#collect(this.placeOf(next), slot, {
        from: Math.max(from, low),
        to: Math.min(to, high),
        edges,
      });
    const target = this.target(place);
    const next = this.#first + place + 1;
    switch (this.op(place)) {
      case OP.less:
        narrow(0, value - 1, target);
        narrow(value, PIECE_MASK, next);
        break;
      case OP.unequal:
        narrow(0, value - 1, target);
        narrow(value, value, next);
        narrow(value + 1, PIECE_MASK, target);
        break;
      default: {
        // Differences wrap: what lies below the first value comes behind the last as well.
        const { last, width, shift } = placesIn(this.word(place, SWITCH.places / 4));
        const other = target + (last << width);
        narrow(0, value - 1, other);
        for (let n = 0; n < last; n++) {
          const low = value + (n << shift);
          narrow(low, low + (1 << shift) - 1, target + (n << width));
        }
        narrow(value + (last << shift), PIECE_MASK, other);
      }
    }
  }
}

interface Collected {
  readonly from: number;
  readonly to: number;
  readonly edges: Edge[];
}

/** A walk of both in step, for calls of one chain. */
class Comparison {
  readonly #left: Side;
  readonly #right: Side;
  readonly #chain: number;
  /** By place of the left: 1 + the first place of the right that was found to say the same. */
  readonly #same: Uint32Array;
  /** Others, as one number of both. */
  readonly #others = new Set<number>();
  /** What leads to where the two are. */
  readonly values = new Map<number, number>();
  #isRewritten = false;
  #steps = 0;

  constructor(left: Side, right: Side, chain: number) {
    this.#left = left;
    this.#right = right;
    this.#chain = chain;
    this.#same = new Uint32Array(left.count);
  }

  /** Whether both lead to the same; if not, `values` say what does not. */
  compare(left: number, right: number): boolean {
    const known = elementAt(this.#same, left);
    const pair = left * this.#right.count + right;
    if (known === right + 1 || (known !== 0 && this.#others.has(pair))) return true;
    if (this.#steps === 2 * MAX_STEPS) throw new RangeError('a walk of the nodes has no end');
    this.#steps++;
    const asked = [this.#left.asked(left), this.#right.asked(right)].filter(
      (slot) => slot !== undefined,
    );
    const isSame =
      asked.length === 0
        ? this.#compareDoings(left, right)
        : this.#compareEdges(left, right, Math.min(...asked));
    this.#steps--;
    if (!isSame) return false;
    if (known === 0) this.#same[left] = right + 1;
    else this.#others.add(pair);
    return true;
  }

  #compareEdges(left: number, right: number, slot: number): boolean {
    const [ours, others] = [this.#left.edges(left, slot), this.#right.edges(right, slot)];
    const wasRewritten = this.#isRewritten;
    const before = this.values.get(slot);
    for (let n = 0, m = 0, low = 0; low <= PIECE_MASK; ) {
      const our = elementAt(ours, n);
      const other = elementAt(others, m);
      const high = Math.min(our.last, other.last);
      const value = possibleValue(slot, low, high, this.#chain);
      if (value !== undefined && !wasRewritten) this.values.set(slot, value);
      this.#isRewritten = wasRewritten;
      if (value !== undefined && !this.compare(our.target, other.target)) return false;
      low = high + 1;
      if (our.last < low) n++;
      if (other.last < low) m++;
    }
    this.#isRewritten = wasRewritten;
    if (before === undefined) this.values.delete(slot);
    else this.values.set(slot, before);
    return true;
  }

  /** Nodes that do something, or ask an opaque test. */
  #compareDoings(left: number, right: number): boolean {
    const [ours, others] = [this.#left, this.#right];
    const op = ours.op(left);
    if (ours.head(left) !== others.head(right)) return false;
    if (op === OP.ask) return this.#compareAsks(left, right);
    if (ours.target(left) !== others.target(right)) return false;
    if (op === OP.verdict) return true;
    if (op === OP.rewrite) this.#isRewritten = true;
    return this.compare(ours.behind(left, 1), others.behind(right, 1));
  }

  #compareAsks(left: number, right: number): boolean {
    const [ours, others] = [this.#left, this.#right];
    for (let n = 2; n < 2 * ASK_NODES; n++)
      if (ours.word(left, n) !== others.word(right, n)) return false;
    const wasRewritten = this.#isRewritten;
    const holds = this.compare(ours.behind(left, ASK_NODES), others.behind(right, ASK_NODES));
    this.#isRewritten = wasRewritten;
    return (
      holds && this.compare(ours.placeOf(ours.target(left)), others.placeOf(others.target(right)))
    );
  }
}

/** An address of each. */
export interface Entries {
  readonly left: number;
  readonly right: number;
}

/**
 * What a call of the chain is asked that comes to something else from the one address than from the other; undefined if none does.
 * Throws RangeError for nodes that lead nowhere, or in a circle.
 */
export function differingCall(
  left: Nodes,
  right: Nodes,
  chain: BuiltinChain,
  entries: Entries,
): AskedPieces | undefined {
  const [one, other] = [new Side(left), new Side(right)];
  const comparison = new Comparison(one, other, chainNumber(chain));
  const isSame = comparison.compare(one.placeOf(entries.left), other.placeOf(entries.right));
  return isSame ? undefined : comparison.values;
}
