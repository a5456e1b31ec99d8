/** Which terminals packets of a set lead to, found without a diagram of them: no node is made. */
import { PairMap } from '../operation.js';
import { type DiagramStore, isTerminal, type Ref } from '../store.js';

const PAST_VALUES = 1 << 16;

/**
 * The terminals to which the diagram leads some packet of the set. `out` is the terminal of what is not in the set;
 * a node of it has some packet, as equal targets are one. Once one is found that is enough, others may be missing.
 */
export function terminalsWithin(
  store: DiagramStore,
  set: Ref,
  diagram: Ref,
  out: Ref,
  isEnough: (terminal: Ref) => boolean = () => false,
): ReadonlySet<Ref> {
  const found = new Set<Ref>();
  let isOver = false;
  const seen = new PairMap();

  function visit(a: Ref, b: Ref): void {
    if (a === out) return;
    if (isTerminal(b)) {
      found.add(b);
      isOver ||= isEnough(b);
      return;
    }
    if (seen.get(a, b) !== undefined) return;
    seen.set(a, b, 0);
    const pieceA = store.pieceOf(a);
    const pieceB = store.pieceOf(b);
    const endA = pieceA <= pieceB ? store.endEdge(a) : 0;
    const endB = pieceB <= pieceA ? store.endEdge(b) : 0;
    let edgeA = endA > 0 ? store.firstEdge(a) : 0;
    let edgeB = endB > 0 ? store.firstEdge(b) : 0;
    let looked = 0;
    for (let start = 0; start < PAST_VALUES && !isOver; looked++) {
      const targetA = endA > 0 ? store.edgeTarget(edgeA) : a;
      const nextA = edgeA + 1 < endA ? store.edgeStart(edgeA + 1) : PAST_VALUES;
      if (targetA === out) {
        start = nextA;
        edgeA++;
        if (endB > 0 && start < PAST_VALUES) edgeB = store.edgeAt(edgeB, endB, start);
        continue;
      }
      visit(targetA, endB > 0 ? store.edgeTarget(edgeB) : b);
      const nextB = edgeB + 1 < endB ? store.edgeStart(edgeB + 1) : PAST_VALUES;
      start = Math.min(nextA, nextB);
      if (nextA === start) edgeA++;
      if (nextB === start) edgeB++;
    }
    store.spend(looked);
  }

  visit(set, diagram);
  return found;
}
