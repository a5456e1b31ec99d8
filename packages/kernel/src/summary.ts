/**
 * What is known of a node of all that it leads to: how long a walk from it on can be, and what is asked and refused on the way. It lies
 * beside the nodes, so that who puts some before others need not look at those: nodes that stand say what they said.
 *
 *     bit 0..9    steps of the longest walk from the node on, which is one of them; 1023 for more
 *     bit 10      a call may be refused
 *     bit 11..13  the group is asked for; the ids of the owner; the mark
 *     bit 14..    the n-th of READ_FIELDS is
 *
 * 0 is what is not known, and what is no node's: verdicts say so much themselves.
 */
import { largePages } from '@sockfilter/bpf';
import { PIECES } from '@sockfilter/diagram';
import { elementAt, type Field } from '@sockfilter/table';
import type { ChainFacts } from './chainfacts.js';
import { READ_FIELDS } from './detail.js';
import { ASK_NODES, OP, placesIn, SWITCH } from './layout.js';

const STEPS = 0x3ff;
const REFUSES = 1 << 10;
const ASKS = { group: 1 << 11, owner: 1 << 12, mark: 1 << 13, detail: 1 << 14 } as const;

const DETAIL_BITS = new Map<Field, number>(
  READ_FIELDS.map((field, n) => [field, ASKS.detail << n]),
);

function askBit(field: Field): number {
  if (field === 'group') return ASKS.group;
  if (field === 'uid' || field === 'gid') return ASKS.owner;
  if (field === 'mark') return ASKS.mark;
  return DETAIL_BITS.get(field) ?? 0;
}

/** By slot of the packet what a node says that asks it. */
const SLOT_BITS = Uint32Array.from({ length: 256 }, (_, slot) => {
  const piece = PIECES[slot];
  return piece ? askBit(piece.field) : 0;
});

/** One for each node, none of which is known. */
export function noSummaries(nodes: number): Uint32Array<ArrayBuffer> {
  const { buffer, byteOffset } = largePages(4 * nodes);
  return new Uint32Array(buffer, byteOffset, nodes);
}

/** Of nodes that both lead on: the facts of either, and the steps of the longer. */
function either(a: number, b: number): number {
  return ((a | b) & ~STEPS) | Math.max(a & STEPS, b & STEPS);
}

/**
 * The summaries of the entries, of the nodes from the address `first` on; with that of all nodes that they lead to are known. Those that
 * are known already are not looked behind.
 *
 * A walk is followed for as many steps as a summary can say. Where one is longer, its entry says so, and so may nodes that others share
 * with it: of the entries before it all is exact, and what is known then is not to be kept.
 */
export function summarize(
  words: Uint32Array,
  first: number,
  entries: readonly number[],
  known: Uint32Array,
): readonly number[] {
  const visit = (address: number, before: number): number => {
    if (before === STEPS) return STEPS;
    const node = address - first;
    const at = 2 * node;
    const head = elementAt(words, at);
    const op = head >>> 24;
    if (op === OP.verdict) return (head & 0xffff) === 0 ? 1 : 1 | REFUSES;
    const summary = elementAt(known, node);
    if (summary > 0) return summary;
    const onward = behind(op, elementAt(words, at + 1), address, before + 1);
    const steps = Math.min(1 + (onward & STEPS), STEPS);
    const asked =
      op <= OP.switch && op !== OP.jump ? elementAt(SLOT_BITS, (head >>> 16) & 0xff) : 0;
    const made = (onward & ~STEPS) | asked | steps;
    known[node] = made;
    return made;
  };
  const behind = (op: number, target: number, address: number, before: number): number => {
    if (op === OP.jump) return visit(target, before);
    if (op === OP.count || op === OP.report || op === OP.rewrite) return visit(address + 1, before);
    if (op === OP.ask) return either(visit(target, before), visit(address + ASK_NODES, before));
    if (op !== OP.switch) return either(visit(target, before), visit(address + 1, before));
    const { last, width } = placesIn(elementAt(words, 2 * (address - first) + SWITCH.places / 4));
    let all = 0;
    for (let n = 0; n <= last; n++) all = either(all, visit(target + (n << width), before));
    return all;
  };
  return entries.map((entry) => visit(entry, 0));
}

/** The most steps that a walk from the node on takes; a number past all that may be for more than that. */
export const stepsOf = (summary: number): number => summary & STEPS;

/** What a chain asks whose first node has the summary, of a table that rewrites nothing and has no opaque tests. */
export function factsIn(summary: number): ChainFacts {
  const says = (bit: number) => (summary & bit) !== 0;
  return {
    canRefuse: says(REFUSES),
    leadsElsewhere: false,
    testsGroup: says(ASKS.group),
    testsOwner: says(ASKS.owner),
    testsMark: says(ASKS.mark),
    details: READ_FIELDS.filter((_, n) => says(ASKS.detail << n)),
  };
}
