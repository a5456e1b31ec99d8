/** A finished diagram, and what it says of a packet. */
import { type Decision, elementAt, type Packet } from '@sockfilter/table';
import type { Outcome } from './outcome.js';
import { pieceValues } from './piece.js';
import { type DiagramStore, type Ref, terminalNumber } from './store.js';

/** A table's decision diagrams, without garbage, in a store of their own. */
export interface Diagram {
  readonly store: DiagramStore;
  /**
   * Diagrams to walk, each for its part of the answer: those that only count, then, always last, the
   * one with the verdicts. A packet's counts are those of all together.
   */
  readonly roots: readonly Ref[];
  /** What each terminal means, by its number. */
  readonly outcomes: readonly Outcome[];
}

/** The diagram of the verdicts. */
export function verdictRoot({ roots }: Diagram): Ref {
  return elementAt(roots, roots.length - 1);
}

/** What becomes of a packet: what evaluate() says, but for the order of `counted`. */
export function decide(diagram: Diagram, packet: Packet): Decision {
  const values = pieceValues(packet);
  const outcomes = diagram.roots.map((root) =>
    elementAt(diagram.outcomes, terminalNumber(diagram.store.walk(root, values))),
  );
  const verdict = outcomes.at(-1)?.verdict;
  if (!verdict) throw new TypeError('the last diagram has no verdicts');
  return { ...verdict, counted: outcomes.flatMap(({ counted }) => counted) };
}
