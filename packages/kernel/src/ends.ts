/**
 * Ends of walks: what nodes do once a call has been told from all others. They count and report, the last is a verdict; a diagram that
 * nodes are read back as has them for terminals.
 */
import { type Ref, terminalNumber, terminalRef } from '@sockfilter/diagram';
import { elementAt } from '@sockfilter/table';
import { OP } from './layout.js';
import { GONE } from './nodes.js';

const PIECE_MASK = 0xffff;
const HALF = 2 ** 32;

/** A built-in chain from the first edited place on, by its counters. */
export interface Tail {
  readonly from: number;
  /** The last, its policy's. */
  readonly policy: number;
}

/** Whether a rule in the tail counts there, or one that has gone. */
const isIn = ({ from, policy }: Tail, counter: number) =>
  counter === GONE || (counter >= from && counter <= policy);

/** Where the words of what comes in the tail begin; behind all of them if none do. Words of chains that its rules call follow theirs. */
function tailStart(words: readonly number[], tail: Tail): number {
  for (let at = 0; at < words.length; at += 2) if (isIn(tail, elementAt(words, at + 1))) return at;
  return words.length;
}

/** What a call does at a rule of the tail, with the words of chains that it calls. */
interface Step {
  readonly counter: number;
  readonly words: number[];
}

/** What a call does at the rules of the tail that there are, in their order; the words from `start` on are the tail's. */
function stepsAlong(words: readonly number[], start: number, tail: Tail): readonly Step[] {
  const steps: Step[] = [];
  for (let at = start; at < words.length; at += 2) {
    const [head, counter] = [elementAt(words, at), elementAt(words, at + 1)];
    const last = steps.at(-1);
    if (last && !isIn(tail, counter)) last.words.push(head, counter);
    else steps.push({ counter, words: [head, counter] });
  }
  return steps.filter(({ counter }) => counter !== GONE);
}

/** The steps of both in the order of the rules, up to a verdict; at the same rule they are the same. */
function merged(steps: readonly Step[], others: readonly Step[]): readonly number[] {
  const known = new Set(steps.map(({ counter }) => counter));
  const all = [...steps, ...others.filter(({ counter }) => !known.has(counter))];
  const words: number[] = [];
  for (const step of all.toSorted((a, b) => a.counter - b.counter)) {
    words.push(...step.words);
    if (elementAt(words, words.length - 2) >>> 24 === OP.verdict) break;
  }
  return words;
}

/** The ends of walks, each once, numbered from 1 on: the terminal NONE is none of them. */
export class EndTable {
  readonly #all: (readonly number[])[] = [[]];
  /** Verdicts that nothing is counted before, nearly all: by errno and counter. */
  readonly #verdicts = new Map<number, Ref>();
  readonly #others = new Map<string, Ref>();

  /** The words of its nodes, as they are written one after the other. */
  wordsOf(end: Ref): readonly number[] {
    return elementAt(this.#all, terminalNumber(end));
  }

  /** The end that the nodes from the place on are. */
  read(words: Uint32Array, first: number, start: number): Ref {
    const head = elementAt(words, 2 * start);
    if (head >>> 24 === OP.verdict) return this.#verdict(head, elementAt(words, 2 * start + 1));
    return this.#other(endAt(words, first, start));
  }

  /** Whether calls that come to the end come through the tail. */
  comesTo(end: Ref, tail: Tail): boolean {
    const words = this.wordsOf(end);
    return tailStart(words, tail) < words.length;
  }

  /**
   * What calls come to that came to the end, where those rules of the tail are met as well that the other end says: all that have
   * come, and where calls came to one that has gone and did not leave them to the rules behind it, all behind that. None is traced.
   */
  joined(next: Ref, end: Ref, tail: Tail): Ref {
    const words = this.wordsOf(end);
    const start = tailStart(words, tail);
    const steps = stepsAlong(words, start, tail);
    const all = [
      ...words.slice(0, start),
      ...merged(steps, stepsAlong(this.wordsOf(next), 0, tail)),
    ];
    return all.length === 2
      ? this.#verdict(elementAt(all, 0), elementAt(all, 1))
      : this.#other(all);
  }

  #verdict(head: number, counter: number): Ref {
    const key = (head & PIECE_MASK) * HALF + counter;
    const known = this.#verdicts.get(key) ?? this.#add([head, counter]);
    this.#verdicts.set(key, known);
    return known;
  }

  #other(end: readonly number[]): Ref {
    const key = end.join();
    const known = this.#others.get(key) ?? this.#add(end);
    this.#others.set(key, known);
    return known;
  }

  #add(words: readonly number[]): Ref {
    this.#all.push(words);
    return terminalRef(this.#all.length - 1);
  }
}

function endAt(words: Uint32Array, first: number, start: number): readonly number[] {
  const end: number[] = [];
  for (let place = start; ; ) {
    const head = elementAt(words, 2 * place);
    const target = elementAt(words, 2 * place + 1);
    const op = head >>> 24;
    if (op === OP.jump) {
      place = target - first;
      continue;
    }
    end.push(head, target);
    if (op === OP.verdict) return end;
    if (op !== OP.count && op !== OP.report) throw new TypeError(`an end has a node of kind ${op}`);
    place++;
  }
}
