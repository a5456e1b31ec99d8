/** Binary operations on the diagrams of a store: what `a` and `b` say of each packet, made one. */
import { elementAt } from '@sockfilter/table';
import { type DiagramStore, isTerminal, type Ref } from './store.js';

/**
 * The result where it is known without a look below `a` and `b`, else undefined. It must know it for
 * two terminals that nothing absorbs, and depend on nothing but them.
 */
export type Settle = (a: Ref, b: Ref) => Ref | undefined;

export type Operation = (a: Ref, b: Ref) => Ref;

/**
 * The result where one side alone tells it, else undefined: it is asked before `settle` and of all sizes, so that what
 * hangs on the other side as well shows in the smallest of diagrams.
 */
export interface Absorbing {
  readonly first?: (a: Ref) => Ref | undefined;
  readonly second?: (b: Ref) => Ref | undefined;
}

/** Of one reference, that it absorbs all others and is the result. */
export const absorbs = (absorbing: Ref) => (ref: Ref) =>
  ref === absorbing ? absorbing : undefined;

const ABOVE_ALL = 1 << 16;
/** From so many edges left on a search for the edge at a value is cheaper than a step to the next. */
const FAR = 8;
const VACANT = 0x7fffffff;
const MEMO_ENTRIES = 1 << 20;

const { imul } = Math;

/** A hash map from pairs of references to references, in one array of three numbers an entry. */
export class PairMap {
  #entries: Int32Array = new Int32Array(3 << 6).fill(VACANT);
  #count = 0;

  get count(): number {
    return this.#count;
  }

  get(a: Ref, b: Ref): Ref | undefined {
    const at = this.#find(this.#entries, a, b);
    const value = this.#entries[at + 2];
    return value === VACANT ? undefined : value;
  }

  set(a: Ref, b: Ref, value: Ref): void {
    if (this.#count * 6 > this.#entries.length) this.#grow();
    this.#write(this.#entries, a, b, value);
    this.#count++;
  }

  #find(entries: Int32Array, a: Ref, b: Ref): number {
    const capacity = entries.length / 3;
    let hash = imul(a ^ imul(b, 0x85ebca6b), 0x9e3779b1);
    hash ^= hash >>> 15;
    let slot = hash & (capacity - 1);
    for (;;) {
      const at = slot * 3;
      if (entries[at + 2] === VACANT || (entries[at] === a && entries[at + 1] === b)) return at;
      slot = (slot + 1) & (capacity - 1);
    }
  }

  #write(entries: Int32Array, a: Ref, b: Ref, value: Ref): void {
    const at = this.#find(entries, a, b);
    entries[at] = a;
    entries[at + 1] = b;
    entries[at + 2] = value;
  }

  #grow(): void {
    const old = this.#entries;
    const entries = new Int32Array(old.length * 2).fill(VACANT);
    for (let at = 0; at < old.length; at += 3)
      if (old[at + 2] !== VACANT)
        this.#write(entries, elementAt(old, at), elementAt(old, at + 1), elementAt(old, at + 2));
    this.#entries = entries;
  }
}

/**
 * The operation on whole diagrams that `settle` is on terminals; it remembers its results. What it
 * absorbs is not looked at: a narrow diagram and a wide one cost about what the narrow one costs.
 */
export function defineOperation(
  store: DiagramStore,
  settle: Settle,
  { first, second }: Absorbing = {},
): Operation {
  let memo = new PairMap();

  function combine(a: Ref, b: Ref): Ref {
    const settled = first?.(a) ?? second?.(b) ?? settle(a, b);
    if (settled !== undefined) return settled;
    const known = memo.get(a, b);
    if (known !== undefined) return known;

    const pieceA = store.pieceOf(a);
    const pieceB = store.pieceOf(b);
    const piece = Math.min(pieceA, pieceB);
    let edgeA = pieceA === piece ? store.firstEdge(a) : 0;
    const endA = pieceA === piece ? store.endEdge(a) : 0;
    let edgeB = pieceB === piece ? store.firstEdge(b) : 0;
    const endB = pieceB === piece ? store.endEdge(b) : 0;
    let targetA = pieceA === piece ? store.edgeTarget(edgeA) : a;
    let targetB = pieceB === piece ? store.edgeTarget(edgeB) : b;
    let looked = 0;
    const row = store.row(piece);
    for (let start = 0; ; ) {
      looked++;
      row.push(start, combine(targetA, targetB));
      const nextA = edgeA + 1 < endA ? store.edgeStart(edgeA + 1) : ABOVE_ALL;
      const nextB = edgeB + 1 < endB ? store.edgeStart(edgeB + 1) : ABOVE_ALL;
      const skipsB = nextB < nextA && edgeB + FAR < endB && first?.(targetA) !== undefined;
      const skipsA = nextA < nextB && edgeA + FAR < endA && second?.(targetB) !== undefined;
      start = skipsB ? nextA : skipsA ? nextB : Math.min(nextA, nextB);
      if (start === ABOVE_ALL) break;
      if (skipsA) edgeA = store.edgeAt(edgeA, endA, start);
      else if (nextA === start) edgeA++;
      if (skipsB) edgeB = store.edgeAt(edgeB, endB, start);
      else if (nextB === start) edgeB++;
      if (pieceA === piece) targetA = store.edgeTarget(edgeA);
      if (pieceB === piece) targetB = store.edgeTarget(edgeB);
    }
    store.spend(looked);
    const result = store.intern(piece);
    memo.set(a, b, result);
    return result;
  }

  return (a, b) => {
    if (memo.count > MEMO_ENTRIES) memo = new PairMap();
    return combine(a, b);
  };
}

/** The terminal of packets of which a diagram says nothing. */
export const NONE: Ref = -1;

/** `b` where the condition `a` is anything but NONE, else NONE. */
export function defineGuard(store: DiagramStore): Operation {
  const none = absorbs(NONE);
  return defineOperation(store, (a, b) => (isTerminal(a) ? b : undefined), {
    first: none,
    second: none,
  });
}
