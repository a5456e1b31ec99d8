/** The walk over the nodes of a generation, from a chain's entry. */
import {
  add,
  add32,
  addImm,
  addImm32,
  and,
  andImm,
  callLabel,
  type Item,
  jump,
  jumpIf,
  jumpIf32,
  label,
  load,
  lsh,
  lshImm,
  mayGoto,
  mov,
  movImm,
  or,
  R0,
  R1,
  R2,
  R3,
  R4,
  R6,
  R8,
  R9,
  R10,
  rsh,
  rshImm,
  store,
  sub,
  subImm,
  xor,
} from '@sockfilter/bpf';
import { ASK_NODES, HEADER, MAX_STEPS, NODE_BITS, NODES_PER_PAGE, OP, SWITCH } from '../layout.js';
import type { Offsets } from '../offsets.js';
import { ANSWER, ASK } from './ask.js';
import { count, findStripe } from './counting.js';
import { DECIDED, lookUpPage, REFUSED, TOLD } from './generation.js';
import { COUNTER, reportCounter, reportPassed } from './report.js';
import { KEY, PACKET, REWRITTEN, SCRATCH, SLOTS, SPILL } from './stack.js';

export interface Walk {
  /** Begins the names of the walk's own labels. */
  readonly name: string;
  /** Where it jumps with the errno in r8: 0, unless it counts nothing. */
  readonly decided: string;
  /** Of a judging again, the rules and policies that refuse; nothing where the nodes are verdicts alone. */
  readonly counts: 'all' | 'refusals' | 'nothing';
}

const ONCE: Walk = { name: 'walk', decided: DECIDED, counts: 'all' };

/**
 * r9 = the steps that are left; r6 is the header. Where there is no may_goto, the verifier must know the number to
 * see that the walk ends, and looks at every step. Else it must not: rounds that differ in what it knows are looked
 * at each.
 */
function countSteps(offsets: Pick<Offsets, 'mayGoto'>): readonly Item[] {
  if (!offsets.mayGoto) return [movImm(R9, MAX_STEPS)];
  return [load(8, R9, R6, HEADER.zero), addImm(R9, MAX_STEPS)];
}

/** What a node does that finds no way. */
function act(
  at: (what: string) => string,
  { decided, countsAll }: { readonly decided: string; readonly countsAll: boolean },
): readonly Item[] {
  return [
    jumpIf('eq', R2, OP.verdict, at('verdict')),
    jumpIf('eq', R2, OP.count, at('count')),
    jumpIf('eq', R2, OP.report, at('report')),
    jumpIf('eq', R2, OP.rewrite, at('rewrite')),
    store(8, R10, SPILL, R0),
    mov(R1, R8),
    andImm(R1, NODES_PER_PAGE - 1),
    // The encoder puts no node across the end of a page; the verifier wants to see it.
    jumpIf('gt', R1, NODES_PER_PAGE - ASK_NODES, REFUSED),
    lshImm(R1, 3),
    add(R1, R6),
    movImm(R2, countsAll ? 0 : 1),
    mov(R3, R10),
    addImm(R3, PACKET),
    callLabel(ASK),
    mov(R1, R0),
    load(8, R0, R10, SPILL),
    jumpIf32('eq', R1, ANSWER.fails, at('take')),
    addImm32(R8, ASK_NODES),
    jump(at('step')),

    label(at('count')),
    ...(countsAll ? count(at('counting')) : []),
    addImm32(R8, 1),
    jump(at('step')),

    label(at('report')),
    ...(countsAll ? [mov(R3, R4), ...reportCounter(at('reported'))] : []),
    addImm32(R8, 1),
    jump(at('step')),

    // r0 = the node's target, r1 = the node, r3 = what its slot has
    label(at('rewrite')),
    load(1, R2, R1, 2),
    andImm(R2, SLOTS - 1),
    lshImm(R2, 1),
    add(R2, R10),
    mov(R1, R0),
    rshImm(R1, 16),
    and(R3, R1),
    xor(R3, R0),
    store(2, R2, PACKET, R3),
    load(4, R1, R10, REWRITTEN),
    or(R1, R4),
    store(4, R10, REWRITTEN, R1),
    addImm32(R8, 1),
    jump(at('step')),

    label(at('verdict')),
    ...(countsAll ? [] : [mov(R8, R4), jumpIf('eq', R4, 0, decided)]),
    store(8, R10, SPILL, R4),
    ...count(at('deciding')),
    load(8, R8, R10, SPILL),
    load(8, R0, R10, SCRATCH),
    jumpIf('eq', R8, 0, countsAll ? at('passes') : decided),
    ...COUNTER,
    store(8, R10, SPILL, R4),
    jump(TOLD),

    ...(countsAll ? [label(at('passes')), ...reportPassed(at('passed')), jump(decided)] : []),
  ];
}

/** r6 = the page of the node at r8, of which the header in r6 is one at first. */
function turnPage(at: (what: string) => string): readonly Item[] {
  return [
    mov(R1, R8),
    rshImm(R1, NODE_BITS),
    // By what is in KEY the verifier tells ways apart: it would look at the walk for each.
    store(4, R10, KEY, R1),
    // The header's page has the first nodes.
    jumpIf('eq', R1, 0, at('step')),

    label(at('page')),
    mov(R1, R8),
    rshImm(R1, NODE_BITS),
    store(4, R10, KEY, R1),
    ...lookUpPage(),
    mov(R6, R0),
  ];
}

/** Walks from the node at r8, with the header in r6 and the context at CONTEXT, and jumps to where it is decided with the errno in r8, or to REFUSED. */
export function walk(
  offsets: Pick<Offsets, 'mayGoto'>,
  { name, decided, counts }: Walk = ONCE,
): readonly Item[] {
  const at = (what: string) => `${name}.${what}`;
  return [
    ...(counts === 'nothing' ? [] : findStripe()),
    ...countSteps(offsets),
    ...turnPage(at),

    label(at('step')),
    ...(offsets.mayGoto ? [mayGoto(REFUSED)] : []),
    subImm(R9, 1),
    jumpIf('eq', R9, 0, REFUSED),
    mov(R1, R8),
    andImm(R1, NODES_PER_PAGE - 1),
    lshImm(R1, 3),
    add(R1, R6),
    load(4, R0, R1, 4),
    load(2, R4, R1, 0),
    load(1, R3, R1, 2),
    load(1, R2, R1, 3),
    andImm(R3, SLOTS - 1),
    lshImm(R3, 1),
    add(R3, R10),
    load(2, R3, R3, PACKET),

    jumpIf('ne', R2, OP.unequal, at('notUnequal')),
    jumpIf('ne', R3, R4, at('take')),
    addImm32(R8, 1),
    jump(at('step')),

    label(at('notUnequal')),
    jumpIf('ne', R2, OP.less, at('notLess')),
    jumpIf('lt', R3, R4, at('take')),
    addImm32(R8, 1),
    jump(at('step')),

    label(at('notLess')),
    jumpIf('eq', R2, OP.jump, at('take')),
    jumpIf('ge', R2, OP.count, at('act')),

    // OP.switch, whose second node lies behind it: r2 = its places
    mov(R1, R8),
    addImm(R1, 1),
    andImm(R1, NODES_PER_PAGE - 1),
    lshImm(R1, 3),
    add(R1, R6),
    load(4, R2, R1, SWITCH.places - 8),
    sub(R3, R4),
    andImm(R3, 0xffff),
    mov(R1, R2),
    rshImm(R1, SWITCH.shift),
    andImm(R1, SWITCH.partMask),
    rsh(R3, R1),
    mov(R1, R2),
    andImm(R1, SWITCH.lastMask),
    jumpIf('le', R3, R1, at('inside')),
    mov(R3, R1),
    label(at('inside')),
    rshImm(R2, SWITCH.width),
    andImm(R2, SWITCH.partMask),
    lsh(R3, R2),
    add32(R0, R3),

    label(at('take')),
    mov(R1, R8),
    xor(R1, R0),
    mov(R8, R0),
    rshImm(R1, NODE_BITS),
    jumpIf('eq', R1, 0, at('step')),
    jump(at('page')),

    label(at('act')),
    ...(counts === 'nothing'
      ? [jumpIf('ne', R2, OP.verdict, REFUSED), mov(R8, R4), jump(decided)]
      : act(at, { decided, countsAll: counts === 'all' })),
  ];
}
