/** A set together with its care set, outside which nothing about it matters, and a step through both. */
import { pieceAt } from '../piece.js';
import { isTerminal, type Ref } from '../store.js';
import type { SetStore } from './setstore.js';
import type { Span } from './span.js';

/** A set and its care set: the first lies within the second. */
export interface Cared {
  readonly set: Ref;
  readonly care: Ref;
}

/** Values of a field that lead to the same rest. */
export interface FieldClass extends Cared {
  readonly spans: readonly Span[];
}

function asks({ diagrams }: SetStore, ref: Ref, piece: number): boolean {
  return !isTerminal(ref) && diagrams.pieceOf(ref) === piece;
}

export function step(store: SetStore, { set, care }: Cared, piece: number, value: number): Cared {
  const next = (ref: Ref) => (asks(store, ref, piece) ? store.diagrams.follow(ref, value) : ref);
  return { set: next(set), care: next(care) };
}

/** Runs of the piece's values with their rests, in order; neighbours may have the same. */
export function stepsOf(store: SetStore, cared: Cared, piece: number) {
  const { diagrams } = store;
  const starts = new Set([0]);
  for (const ref of [cared.set, cared.care]) {
    if (!asks(store, ref, piece)) continue;
    for (let edge = diagrams.firstEdge(ref); edge < diagrams.endEdge(ref); edge++)
      starts.add(diagrams.edgeStart(edge));
  }
  const sorted = [...starts].sort((a, b) => a - b);
  return sorted.map((start, at) => ({
    start,
    end: sorted[at + 1] ?? 1 << pieceAt(piece).bits,
    rest: step(store, cared, piece, start),
  }));
}
