/** Places of decision diagrams -> the nodes that the programs walk. See layout.ts for what a node says. */
import {
  type Ask,
  type DiagramStore,
  firstPiece,
  isTerminal,
  PIECES,
  pieceAt,
  RANK,
  type Ref,
  RefMap,
} from '@sockfilter/diagram';
import { EVENT_KINDS } from '@sockfilter/events';
import {
  type Change,
  type Choice,
  changedParts,
  elementAt,
  isUnchanged,
  type PlacedTest,
  REWRITTEN_PARTS,
  type Report,
  type Rewriting,
  type RewrittenPart,
} from '@sockfilter/table';
import { CHOOSES, choiceWords } from './chosen.js';
import { NODE, OP, REWRITES } from './layout.js';
import { NodeBuffer } from './nodebuffer.js';
import { QUESTION_KINDS, questionParameters } from './question.js';

/** The most addresses that one INDEX node has. */
const MAX_INDEX = 4096;
/** A node gets an INDEX from so many intervals on, if it has at most so many addresses for each. */
const MIN_INDEXED = 5;
const INDEX_SPREAD = 4;

export interface AskPlace {
  /** Its number among the nodes. */
  readonly node: number;
  readonly test: number;
}

/** Some of a node's intervals: the numbers of their edges, `from` up to, without, `to`. */
interface Span {
  readonly node: Ref;
  readonly from: number;
  readonly to: number;
}

type Place = Ref | Span;

/** How what a terminal says leads on to other terminals. */
export interface Onward {
  /** Gives the address of the place once it is known. */
  readonly later: (place: Ref, fill: (address: number) => void) => void;
  /** Writes the place, or a jump to it. */
  readonly here: (place: Ref) => void;
}

/**
 * Writes depth first, so that a path lies together: where a node goes on to the next one, that is
 * what it leads to, unless it stands elsewhere already.
 */
export class Writer {
  readonly #nodes: NodeBuffer;
  readonly asks: AskPlace[] = [];
  readonly #pending: { readonly place: Place; readonly fill: (address: number) => void }[] = [];

  constructor(first: number) {
    this.#nodes = new NodeBuffer(first);
  }

  get words(): Uint32Array {
    return this.#nodes.words;
  }

  /**
   * Writes all that is reachable from the places of one diagram; returns their addresses. What stands somewhere
   * already has its address from `standing`.
   */
  write(
    store: DiagramStore,
    places: readonly Ref[],
    terminal: (ref: Ref, onward: Onward) => void,
    standing: (ref: Ref) => number | undefined = () => undefined,
  ): number[] {
    const addresses = new RefMap(store.nodeCount);
    const addressOf = (ref: Ref) => addresses.get(ref) ?? standing(ref);
    const results = places.map(() => 0);

    const later = (place: Place, fill: (address: number) => void): void => {
      const known = typeof place === 'number' ? addressOf(place) : undefined;
      if (known === undefined) this.#pending.push({ place, fill });
      else fill(known);
    };
    /** A node that leads to `place`, or else to the next. */
    const branch = (value: number, slot: number, op: number, place: Place): void => {
      const at = this.#nodes.put(value, slot, op, 0, 2);
      later(place, (address) => this.#nodes.setTarget(at, address));
    };
    /** Here goes what the place says, or a jump to it. */
    const here = (place: Place): void => {
      if (typeof place !== 'number') {
        spread(place);
        return;
      }
      const known = addressOf(place);
      if (known !== undefined) {
        this.#nodes.put(0, 0, OP.jump, known, 1);
        return;
      }
      this.#nodes.makeRoom(2);
      addresses.set(place, this.#nodes.address);
      if (isTerminal(place)) terminal(place, { later, here });
      else spread({ node: place, from: store.firstEdge(place), to: store.endEdge(place) });
    };
    const part = (node: Ref, from: number, to: number): Place =>
      to - from === 1 ? store.edgeTarget(from) : { node, from, to };

    const spread = ({ node, from, to }: Span): void => {
      const slot = store.pieceOf(node);
      const start = (edge: number) => store.edgeStart(edge);
      const target = (edge: number) => store.edgeTarget(edge);
      const last = to - 1;
      const isOneValue = start(last) === start(last - 1) + 1;
      if (to - from === 3 && isOneValue && target(from) === target(last)) {
        branch(start(from + 1), slot, OP.unequal, target(last));
        here(target(from + 1));
        return;
      }
      // What is not in the index goes to the last address: it can serve the first interval as well.
      const indexed = target(from) === target(last) ? from + 1 : from;
      const count = start(last) - start(indexed);
      const worth = to - from >= MIN_INDEXED && count <= INDEX_SPREAD * (to - from);
      if (worth && count <= MAX_INDEX) {
        const at = this.#nodes.putIndex(start(indexed), slot, count);
        for (let edge = indexed; edge < to; edge++) {
          const end = edge === last ? count + 1 : start(edge + 1) - start(indexed);
          later(target(edge), (address) => {
            for (let n = start(edge) - start(indexed); n < end; n++)
              this.#nodes.setEntry(at, n, address);
          });
        }
        return;
      }
      const middle = (from + to) >> 1;
      branch(start(middle), slot, OP.less, part(node, from, middle));
      here(part(node, middle, to));
    };

    places.forEach((place, n) => {
      later(place, (address) => {
        results[n] = address;
      });
    });
    for (let next = this.#pending.pop(); next; next = this.#pending.pop()) {
      const { place, fill } = next;
      const known = typeof place === 'number' ? addressOf(place) : undefined;
      if (known !== undefined) {
        fill(known);
        continue;
      }
      this.#nodes.makeRoom(2);
      fill(this.#nodes.address);
      here(place);
    }
    return results;
  }

  /** Adds one to the counter. */
  putCount(counter: number): void {
    this.#nodes.put(0, 0, OP.count, counter, 2);
  }

  /** Reports each. */
  putReports(reports: readonly Report[]): void {
    for (const { kind, counter } of reports)
      this.#nodes.put(EVENT_KINDS[kind], 0, OP.report, counter, 2);
  }

  putJump(address: number): void {
    this.#nodes.put(0, 0, OP.jump, address, 1);
  }

  /** What the call goes on as, a node for each piece that becomes something else. */
  putRewriting(rewriting: Rewriting): void {
    if (isUnchanged(rewriting)) return;
    const { destination4, destination6, ...others } = rewriting;
    if (destination4 && destination6) this.#putDestinations(destination4, destination6);
    else if (destination4) this.#putChange('destination4', destination4);
    else if (destination6) this.#putChange('destination6', destination6);
    for (const [part, change] of changedParts(others)) this.#putChange(part, change);
  }

  /** The destination of either family: calls of both come here. */
  #putDestinations(destination4: Change, destination6: Change): void {
    const test = this.#nodes.put(4, firstPiece('family'), OP.unequal, 0, 2);
    this.#putChange('destination4', destination4);
    const skip = this.#nodes.put(0, 0, OP.jump, 0, 1);
    this.#nodes.makeRoom(2);
    this.#nodes.setTarget(test, this.#nodes.address);
    this.#putChange('destination6', destination6);
    this.#nodes.makeRoom(2);
    this.#nodes.setTarget(skip, this.#nodes.address);
  }

  #putChange(part: RewrittenPart, change: Change): void {
    const { field, bits: width } = REWRITTEN_PARTS[part];
    const first = firstPiece(field);
    const what = field === 'mark' ? REWRITES.mark : REWRITES.destination;
    const isChosen = (shift: number) => change.among && shift < 64;
    for (let piece = first; PIECES[piece]?.field === field; piece++) {
      const { shift, bits } = pieceAt(piece);
      if (shift >= width || isChosen(shift)) continue;
      const slice = (value: bigint) => Number(BigInt.asUintN(bits, value >> BigInt(shift)));
      const [keep, flip] = [slice(change.keep), slice(change.flip)];
      if (keep !== (1 << bits) - 1 || flip !== 0)
        this.#nodes.put(what, piece, OP.rewrite, ((keep << 16) | flip) >>> 0, 2);
    }
    if (change.among && field !== 'mark') {
      this.#putChoice(field, change.flip, change.among);
      // Says that something has been written.
      this.#nodes.put(what, first, OP.rewrite, 0xffff_0000, 2);
    }
  }

  #putChoice(field: 'destination' | 'destinationPort', first: bigint, choice: Choice): void {
    const node = this.#nodes.putAsk(CHOOSES);
    this.#nodes.setWords(node, NODE.parameters, choiceWords(field, first, choice));
    this.#nodes.setTarget(node, this.#nodes.address);
  }

  /** Keeps the rank of the first rule that has matched. */
  putRank(rank: number): void {
    this.#nodes.put(0, RANK, OP.rewrite, rank, 2);
  }

  putVerdict(errno: number, counter: number): void {
    this.#nodes.put(errno, 0, OP.verdict, counter, 1);
  }

  /** Writes nodes of one step each, the last a verdict, whose words they are. */
  putEnd(words: readonly number[]): void {
    for (let at = 0; at < words.length; at += 2) {
      const head = elementAt(words, at);
      const room = at + 2 < words.length ? 2 : 1;
      const [value, slot, op] = [head & 0xffff, (head >>> 16) & 0xff, head >>> 24];
      this.#nodes.put(value, slot, op, elementAt(words, at + 1), room);
    }
  }

  /** Asks the test; leads to what is written next if it holds, else to `otherwise`. */
  putAsk(
    { test, as, holds, fails }: Ask,
    tests: readonly PlacedTest[],
    { later, here }: Onward,
  ): void {
    this.putRewriting(as);
    const { question, negated } = elementAt(tests, test).test;
    const value = QUESTION_KINDS.indexOf(question.kind) | (Number(negated) << NODE.negatedShift);
    const node = this.#nodes.putAsk(value);
    this.asks.push({ node, test });
    this.#nodes.setWords(node, NODE.test, [test]);
    const halves = questionParameters(question).flatMap((parameter) => [
      Number(BigInt.asUintN(32, parameter)),
      Number(parameter >> 32n),
    ]);
    this.#nodes.setWords(node, NODE.parameters, halves);
    later(fails, (address) => this.#nodes.setTarget(node, address));
    here(holds);
  }
}
