/** Counting: each call adds one to the counters of this CPU's stripe. */
import {
  add,
  and,
  andImm,
  atomicAdd,
  callHelper,
  type Item,
  jump,
  jumpIf,
  label,
  load,
  lshImm,
  mov,
  movImm,
  mul,
  R0,
  R1,
  R2,
  R3,
  R6,
  R8,
  R10,
  rshImm,
  store,
} from '@sockfilter/bpf';
import { COUNTERS_PER_PAGE, HEADER, NODE_BITS } from '../layout.js';
import { lookUpPage, REFUSED } from './generation.js';
import { keepSequence } from './report.js';
import { KEY, SCRATCH, STRIPE } from './stack.js';

/** Adds one to the counter whose index is in r0, and keeps that at SCRATCH; keeps r6 to r9. `name` begins its labels. */
export function count(name: string, missing: string = REFUSED): readonly Item[] {
  const [far, found] = [`${name}.far`, `${name}.found`];
  return [
    store(8, R10, SCRATCH, R0),
    load(4, R1, R10, STRIPE),
    add(R0, R1),
    rshImm(R0, NODE_BITS),
    store(4, R10, KEY, R0),
    // Those of a small table lie on the page of its nodes.
    mov(R1, R8),
    rshImm(R1, NODE_BITS),
    jumpIf('ne', R0, R1, far),
    mov(R0, R6),
    jump(found),
    label(far),
    ...lookUpPage(missing),
    label(found),
    load(8, R1, R10, SCRATCH),
    load(4, R2, R10, STRIPE),
    add(R1, R2),
    andImm(R1, COUNTERS_PER_PAGE - 1),
    lshImm(R1, 3),
    add(R0, R1),
    movImm(R1, 1),
    atomicAdd(8, R0, 0, R1),
  ];
}

/** The events' sequence number, and the address of this CPU's first counter; r6 is the header. */
export function findStripe(): readonly Item[] {
  return [
    ...keepSequence(),
    callHelper('get_smp_processor_id'),
    load(4, R1, R6, HEADER.stripeMask),
    load(4, R2, R6, HEADER.stripeLength),
    load(4, R3, R6, HEADER.firstCounter),
    and(R0, R1),
    mul(R0, R2),
    add(R0, R3),
    store(4, R10, STRIPE, R0),
  ];
}
