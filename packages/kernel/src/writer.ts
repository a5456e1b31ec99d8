/** The nodes that the programs walk. See layout.ts for what a node says. */
import { type Ask, firstPiece, PIECES, pieceAt, RANK, type Ref } from '@sockfilter/diagram';
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
import { DiagramWriter, type Onward, type WrittenDiagram } from './diagramwriter.js';
import { NODE, OP, REWRITES } from './layout.js';
import { NodeBuffer } from './nodebuffer.js';
import { QUESTION_KINDS, questionParameters } from './question.js';

export interface AskPlace {
  /** Its number among the nodes. */
  readonly node: number;
  readonly test: number;
}

/** Writes nodes: those of diagrams, and what terminals say. */
export class Writer {
  readonly #nodes: NodeBuffer;
  readonly asks: AskPlace[] = [];

  constructor(first: number) {
    this.#nodes = new NodeBuffer(first);
  }

  get words(): Uint32Array {
    return this.#nodes.words;
  }

  /** Writes all that is reachable from the places of the diagram; returns their addresses. */
  write(diagram: WrittenDiagram, places: readonly Ref[]): number[] {
    return new DiagramWriter(this.#nodes, diagram).write(places);
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
    later(fails, node);
    here(holds);
  }
}
