/** Where the packets of a set meet a terminal of another diagram, found without a diagram of them: no node is made. */
import { type DiagramStore, isTerminal, type Ref } from '../store.js';
import { IN, OUT } from './setstore.js';

const PAST_VALUES = 1 << 16;
/** More than a store has nodes. */
const NODES = 2 ** 26;

/** What is left of the set and of the diagram. */
export type Pair = readonly [set: Ref, diagram: Ref];

export class Meeting {
  readonly #store: DiagramStore;
  readonly #terminal: Ref;
  /** Pairs that have been looked at, and whether they meet. */
  readonly #known = new Map<number, boolean>();

  constructor(store: DiagramStore, terminal: Ref) {
    this.#store = store;
    this.#terminal = terminal;
  }

  /** Whether some packet of the set is led to the terminal. */
  exists(set: Ref, diagram: Ref): boolean {
    if (set === OUT) return false;
    // Each node of a set has some packet.
    if (isTerminal(diagram)) return diagram === this.#terminal;
    const key = (set - IN) * NODES + diagram;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const piece = Math.min(this.#store.pieceOf(set), this.#store.pieceOf(diagram));
    const found = this.#first([set, diagram], piece) !== undefined;
    this.#known.set(key, found);
    return found;
  }

  readonly follow = ([set, diagram]: Pair, piece: number, value: number): Pair | undefined => {
    const store = this.#store;
    const step = (ref: Ref) => (store.pieceOf(ref) === piece ? store.follow(ref, value) : ref);
    const rest = [step(set), step(diagram)] as const;
    return this.exists(...rest) ? rest : undefined;
  };

  readonly lowest = (
    pair: Pair,
    piece: number,
  ): { readonly value: number; readonly rest: Pair } => {
    const found = this.#first(pair, piece);
    if (!found) throw new TypeError('nothing is left of the set');
    return found;
  };

  /** The lowest value of the piece where the two meet. */
  #first([set, diagram]: Pair, piece: number) {
    const store = this.#store;
    const asksSet = store.pieceOf(set) === piece;
    const asksDiagram = store.pieceOf(diagram) === piece;
    let edge = asksSet ? store.firstEdge(set) : 0;
    const end = asksSet ? store.endEdge(set) : 0;
    let other = asksDiagram ? store.firstEdge(diagram) : 0;
    const otherEnd = asksDiagram ? store.endEdge(diagram) : 0;
    for (let value = 0; value < PAST_VALUES; ) {
      const next = edge + 1 < end ? store.edgeStart(edge + 1) : PAST_VALUES;
      const rest = asksSet ? store.edgeTarget(edge) : set;
      if (rest !== OUT) {
        if (asksDiagram) other = store.edgeAt(other, otherEnd, value);
        for (let at = value; at < next; other++) {
          const target = asksDiagram ? store.edgeTarget(other) : diagram;
          if (this.exists(rest, target)) return { value: at, rest: [rest, target] as const };
          store.spend(1);
          at = other + 1 < otherEnd ? store.edgeStart(other + 1) : PAST_VALUES;
        }
        // The last that was looked at may go on behind the border.
        other--;
      }
      value = next;
      edge++;
    }
    return undefined;
  }
}
