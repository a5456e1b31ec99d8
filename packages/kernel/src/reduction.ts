/**
 * What an edit has made, without nodes that tell nothing apart. Nodes that stand are looked at as far as an edit needs
 * them, so that what it makes may say the same as one beside it that nobody has looked at: the store, in which equal ones
 * are one, cannot tell.
 */
import { type DiagramStore, isTerminal, PAST_ALL, type Ref } from '@sockfilter/diagram';
import { isUnread, type NodeReader } from './standingdiagram.js';

/** Nodes that are compared in one edit; past them what is made may have some that tell nothing apart. */
const MOST_COMPARED = 10_000;

type Reader = Pick<NodeReader, 'standing' | 'pieceOf' | 'open' | 'follow' | 'valuesOf'>;

/** Pieces by which calls are told apart at most that two diagrams are first tried with. */
const DEPTH = 4;
/** Values that are tried of pieces behind the first. */
const FEW_VALUES = 2;

interface Interval {
  readonly start: number;
  readonly target: Ref;
}

export class Reduction {
  readonly #store: DiagramStore;
  readonly #reader: Reader;
  readonly #reduced = new Map<Ref, Ref>();
  #left = MOST_COMPARED;

  constructor(store: DiagramStore, reader: Reader) {
    this.#store = store;
    this.#reader = reader;
  }

  /** The same with nodes alone that lead somewhere else for some value. */
  readonly reduce = (ref: Ref): Ref => {
    if (isTerminal(ref) || this.#stands(ref)) return ref;
    const known = this.#reduced.get(ref);
    if (known !== undefined) return known;
    const made = this.#make(this.#store.pieceOf(ref), this.#intervals(ref));
    this.#reduced.set(ref, made);
    return made;
  };

  #stands(ref: Ref): boolean {
    return this.#reader.standing(ref) !== undefined;
  }

  /** Where the node's values lead, by intervals that differ. */
  #intervals(node: Ref): readonly Interval[] {
    const store = this.#store;
    const intervals: Interval[] = [];
    for (let edge = store.firstEdge(node); edge < store.endEdge(node); edge++) {
      const target = this.reduce(store.edgeTarget(edge));
      const last = intervals.at(-1);
      if (last && this.#areOne(last.target, target)) {
        if (this.#stands(target)) intervals[intervals.length - 1] = { ...last, target };
      } else intervals.push({ start: store.edgeStart(edge), target });
    }
    return intervals;
  }

  #make(piece: number, intervals: readonly Interval[]): Ref {
    const row = this.#store.row(piece);
    for (const { start, target } of intervals) row.push(start, target);
    return this.#store.intern(piece);
  }

  /** Whether both lead to the same; of nodes that stand none is another. */
  #areOne(a: Ref, b: Ref): boolean {
    const [one, other] = [this.#reader.standing(a), this.#reader.standing(b)];
    return one !== undefined && other !== undefined ? one === other : this.#isSame(a, b);
  }

  #isSame(a: Ref, b: Ref): boolean {
    if (a === b) return true;
    const stands = this.#reader.standing(a);
    if (stands !== undefined && stands === this.#reader.standing(b)) return true;
    if (this.#reader.pieceOf(a) !== this.#reader.pieceOf(b) || this.#isTold(a, b, DEPTH))
      return false;
    const [one, other] = [this.#opened(a), this.#opened(b)];
    if (one === other) return true;
    if (isTerminal(one) || isTerminal(other) || this.#left === 0) return false;
    this.#left--;
    return this.#leadAlike(one, other);
  }

  /**
   * Whether one of some calls comes to another end from the one than from the other: what differs does for most, and to look at all of
   * both costs more.
   */
  #isTold(a: Ref, b: Ref, depth: number): boolean {
    const { pieceOf, valuesOf, follow } = this.#reader;
    const piece = Math.min(pieceOf(a), pieceOf(b));
    if (piece === PAST_ALL) return a !== b;
    if (depth === 0) return false;
    const values = [a, b].flatMap((ref) => (pieceOf(ref) === piece ? valuesOf(ref) : []));
    // Those of the first node are the most.
    return values
      .slice(0, depth === DEPTH ? undefined : FEW_VALUES)
      .some((value) => this.#isTold(follow(a, piece, value), follow(b, piece, value), depth - 1));
  }

  #opened(ref: Ref): Ref {
    return isUnread(ref) ? this.#reader.open(ref) : ref;
  }

  #leadAlike(a: Ref, b: Ref): boolean {
    const store = this.#store;
    const [first, other] = [store.firstEdge(a), store.firstEdge(b)];
    const count = store.endEdge(a) - first;
    if (store.pieceOf(a) !== store.pieceOf(b) || store.endEdge(b) - other !== count) return false;
    for (let n = 0; n < count; n++)
      if (store.edgeStart(first + n) !== store.edgeStart(other + n)) return false;
    return Array.from({ length: count }, (_, n) => n).every((n) =>
      this.#isSame(store.edgeTarget(first + n), store.edgeTarget(other + n)),
    );
  }
}
