/** Nodes as they lie in a generation, walked from one to the next. See layout.ts for what a node says. */
import { elementAt } from '@sockfilter/table';
import { type ChainFacts, chainFacts } from './chainfacts.js';
import { ASK_NODES, OP } from './layout.js';

export interface Nodes {
  /** Two u32 a node. */
  readonly words: Uint32Array;
  /** The address of the first. */
  readonly first: number;
}

/** Some counters in the stead of others. */
export interface Splice {
  /** The first of those that go, and of those that come. */
  readonly at: number;
  readonly removed: number;
  readonly added: number;
}

/** How many nodes the one takes. */
function lengthOf(op: number, target: number): number {
  if (op === OP.index) return 1 + Math.ceil((target + 1) / 2);
  return op === OP.ask ? ASK_NODES : 1;
}

/** Gives the counters of all nodes other numbers. */
export function renumberCounters(words: Uint32Array, numberOf: (counter: number) => number): void {
  for (let at = 0; at < words.length; ) {
    const op = elementAt(words, at) >>> 24;
    const target = elementAt(words, at + 1);
    if (op === OP.count || op === OP.verdict || op === OP.report) words[at + 1] = numberOf(target);
    at += 2 * lengthOf(op, target);
  }
}

/** What nodes count in the stead of a counter that has gone: nothing that stays leads to them. */
export const GONE = 0xffff_ffff;

/**
 * Gives the counters from one on other numbers, after some of them have gone and others come; there may be a million nodes. Those that
 * go are equal to no other then.
 */
export function spliceCounters(words: Uint32Array, { at: from, removed, added }: Splice): void {
  const { length } = words;
  const stay = from + removed;
  for (let at = 0; at < length; ) {
    const op = elementAt(words, at) >>> 24;
    const target = elementAt(words, at + 1);
    if (op < OP.count) at += op === OP.index ? 2 * lengthOf(op, target) : 2;
    else {
      const counts = op !== OP.ask && op !== OP.rewrite;
      if (counts && target >= from && target !== GONE)
        words[at + 1] = target < stay ? GONE : target + added - removed;
      at += 2 * lengthOf(op, target);
    }
  }
}

/** Makes the verdicts that the counter counts refuse with the errno, or let pass for 0. */
export function setErrno(words: Uint32Array, counter: number, errno: number): void {
  for (let at = 0; at < words.length; ) {
    const op = elementAt(words, at) >>> 24;
    const target = elementAt(words, at + 1);
    if (op === OP.verdict && target === counter) words[at] = ((OP.verdict << 24) | errno) >>> 0;
    at += 2 * lengthOf(op, target);
  }
}

/** What the nodes that the address leads to do, of a table that rewrites nothing and has no opaque tests. */
export function factsFrom({ words, first }: Nodes, entry: number): ChainFacts {
  const count = words.length / 2;
  const seen = new Uint8Array(count);
  /** Places of nodes that have been seen and not been looked at; each is so once. */
  const pending = new Int32Array(count);
  let waiting = 0;
  let canRefuse = false;
  const see = (address: number) => {
    const place = address - first;
    const head = elementAt(words, 2 * place);
    // Many nodes are verdicts.
    if (head >>> 24 === OP.verdict) canRefuse ||= (head & 0xffff) !== 0;
    if (head >>> 24 === OP.verdict || seen[place] === 1) return;
    seen[place] = 1;
    pending[waiting++] = place;
  };
  const tested = new Set<number>();
  let slot = -1;
  see(entry);
  while (waiting > 0) {
    const place = elementAt(pending, --waiting);
    const head = elementAt(words, 2 * place);
    const target = elementAt(words, 2 * place + 1);
    const op = head >>> 24;
    if (op === OP.less || op === OP.unequal || op === OP.index) {
      const asked = (head >>> 16) & 0xff;
      if (asked !== slot) tested.add(asked);
      slot = asked;
    }
    if (op === OP.jump) see(target);
    else if (op === OP.index)
      for (let n = 0; n <= target; n++) see(elementAt(words, 2 * place + 2 + n));
    else {
      if (op === OP.less || op === OP.unequal || op === OP.ask) see(target);
      see(first + place + (op === OP.ask ? ASK_NODES : 1));
    }
  }
  return chainFacts(tested, { canRefuse, leads: false, keepsMark: false, asksGroup: false });
}
