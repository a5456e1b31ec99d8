/** Nodes as they lie in a generation, walked from one to the next. See layout.ts for what a node says. */
import { elementAt } from '@sockfilter/table';
import { ASK_NODES, OP, SWITCH_NODES } from './layout.js';

export interface Nodes {
  /** Two u32 a node. */
  readonly words: Uint32Array;
  /** The address of the first. */
  readonly first: number;
}

/** Some counters in the stead of others. Where there are several splices, they stand in the order of what they change. */
export interface Splice {
  /** The first of those that go, and of those that come. */
  readonly at: number;
  readonly removed: number;
  readonly added: number;
}

/** How many nodes the one takes. */
function lengthOf(op: number): number {
  if (op === OP.switch) return SWITCH_NODES;
  return op === OP.ask ? ASK_NODES : 1;
}

/** Gives the counters of all nodes other numbers. */
export function renumberCounters(words: Uint32Array, numberOf: (counter: number) => number): void {
  for (let at = 0; at < words.length; ) {
    const op = elementAt(words, at) >>> 24;
    const target = elementAt(words, at + 1);
    if (op === OP.count || op === OP.verdict || op === OP.report) words[at + 1] = numberOf(target);
    at += 2 * lengthOf(op);
  }
}

/** Words from which on nodes are a SWITCH, and count. */
const [FIRST_SWITCH, FIRST_COUNT] = [OP.switch << 24, OP.count << 24];

/** What nodes count in the stead of a counter that has gone: nothing that stays leads to them. */
export const GONE = 0xffff_ffff;

/** The numbers that counters have after the splices: of those from the first to the last splice, and how many more the others behind have. */
function numbersAfter(
  first: Splice,
  splices: readonly Splice[],
): { readonly numbers: Uint32Array; readonly more: number } {
  const from = first.at;
  const end = splices.reduce((last, { at, removed }) => Math.max(last, at + removed), from);
  const numbers = new Uint32Array(end - from).fill(GONE);
  let [old, made] = [from, from];
  for (const { at, removed, added } of splices) {
    while (old < at) numbers[old++ - from] = made++;
    old += removed;
    made += added;
  }
  return { numbers, more: made - old };
}

/**
 * Gives the counters from the first splice on other numbers, after some of them have gone and others come; there may be a million
 * nodes. Those that go are equal to no other then.
 */
export function spliceCounters(words: Uint32Array, splices: readonly Splice[]): void {
  const [first] = splices;
  if (!first) return;
  const { numbers, more } = numbersAfter(first, splices);
  const { length } = words;
  const from = first.at;
  const stay = from + numbers.length;
  for (let at = 0; at < length; ) {
    // Most nodes count nothing, and nothing is called for them: it is over before V8 has optimized it.
    const head = words[at] ?? 0;
    if (head < FIRST_COUNT) at += head < FIRST_SWITCH ? 2 : 2 * SWITCH_NODES;
    else {
      const op = head >>> 24;
      const target = elementAt(words, at + 1);
      const counts = op !== OP.ask && op !== OP.rewrite;
      if (counts && target >= from && target !== GONE)
        words[at + 1] = target < stay ? elementAt(numbers, target - from) : target + more;
      at += 2 * lengthOf(op);
    }
  }
}

/** Makes the verdicts that the counter counts refuse with the errno, or let pass for 0. */
export function setErrno(words: Uint32Array, counter: number, errno: number): void {
  for (let at = 0; at < words.length; ) {
    const op = elementAt(words, at) >>> 24;
    const target = elementAt(words, at + 1);
    if (op === OP.verdict && target === counter) words[at] = ((OP.verdict << 24) | errno) >>> 0;
    at += 2 * lengthOf(op);
  }
}

/** The counter of the verdict by which all calls pass that come to the entry; undefined where they are asked for something. */
export function settledCounter({ words, first }: Nodes, entry: number): number | undefined {
  const at = 2 * (entry - first);
  const passes = words[at] === (OP.verdict << 24) >>> 0;
  return passes ? words[at + 1] : undefined;
}
