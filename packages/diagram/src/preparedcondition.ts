/**
 * Conditions of rules, each taken apart once for all diagrams that it is made in: as a diagram of its own in numbers,
 * which any store writes down for any terminal.
 *
 *     the number of its nodes, or ALWAYS, or NEVER
 *     for each node, those that it leads to before it: its piece, how many edges, and for each its start and target
 *
 * A target is MISS, HIT or the number of a node. The last node is the first that is asked.
 */
import { elementAt, type Rule, type Scope } from '@sockfilter/table';
import { NONE } from './operation.js';
import { PIECES } from './piece.js';
import { type DiagramStore, isTerminal, type Ref } from './store.js';

const ALWAYS = -1;
const NEVER = -2;
const MISS = -1;
const HIT = -2;

/** What rules mean in one scope after the other; it forgets a scope when another comes. */
export class PreparedConditions {
  readonly #places = new Map<Rule, number>();
  #numbers: Int32Array = new Int32Array(1 << 10);
  #length = 0;
  #scope: Scope | undefined;

  /** Takes up the scope in which rules are asked for. */
  enter({ groups, sets }: Scope): void {
    if (this.#scope?.groups === groups && this.#scope.sets === sets) return;
    this.#scope = { groups, sets };
    this.#places.clear();
    this.#length = 0;
  }

  /** The rule's condition with the terminal or what is asked behind all pieces of packets; undefined if it is not known yet. */
  make(rule: Rule, store: DiagramStore, hit: Ref): Ref | undefined {
    const place = this.#places.get(rule);
    if (place === undefined) return undefined;
    const numbers = this.#numbers;
    const count = elementAt(numbers, place);
    if (count < 0) return count === ALWAYS ? hit : NONE;
    const made = new Int32Array(count);
    let at = place + 1;
    for (let node = 0; node < count; node++) {
      const piece = elementAt(numbers, at);
      const end = at + 2 + 2 * elementAt(numbers, at + 1);
      const row = store.row(piece);
      for (at += 2; at < end; at += 2) {
        const target = elementAt(numbers, at + 1);
        row.push(
          elementAt(numbers, at),
          target === MISS ? NONE : target === HIT ? hit : elementAt(made, target),
        );
      }
      made[node] = store.intern(piece);
    }
    return elementAt(made, count - 1);
  }

  /** Keeps a condition that has been made, as a diagram with one terminal beside NONE. */
  keep(rule: Rule, store: DiagramStore, diagram: Ref): void {
    this.#places.set(rule, this.#length);
    if (isTerminal(diagram)) {
      this.#write(diagram === NONE ? NEVER : ALWAYS);
      return;
    }
    const count = this.#length;
    this.#write(0);
    const known = new Map<Ref, number>();
    const visit = (ref: Ref): number => {
      if (isTerminal(ref)) return ref === NONE ? MISS : HIT;
      const before = known.get(ref);
      if (before !== undefined) return before;
      const first = store.firstEdge(ref);
      const end = store.endEdge(ref);
      for (let edge = first; edge < end; edge++) visit(store.edgeTarget(edge));
      this.#write(store.pieceOf(ref));
      this.#write(end - first);
      for (let edge = first; edge < end; edge++) {
        this.#write(store.edgeStart(edge));
        this.#write(visit(store.edgeTarget(edge)));
      }
      const number = known.size;
      known.set(ref, number);
      return number;
    };
    visit(diagram);
    this.#numbers[count] = known.size;
  }

  #write(number: number): void {
    if (this.#length === this.#numbers.length) {
      const grown = new Int32Array(this.#length * 2);
      grown.set(this.#numbers);
      this.#numbers = grown;
    }
    this.#numbers[this.#length++] = number;
  }
}

/** Whether all that the diagram asks lies behind the pieces of packets. */
export function isBehindPackets(store: DiagramStore, ref: Ref): boolean {
  return store.pieceOf(ref) >= PIECES.length;
}
