import {
  add,
  atomicCompareExchange,
  jump,
  jumpIf,
  label,
  load,
  mov,
  movImm,
  R0,
  R1,
  R2,
  R3,
  R4,
  R5,
  R6,
  R9,
  sub,
  subImm,
} from '@sockfilter/bpf';
import type { QuestionOf } from '@sockfilter/table';
import { NODE } from '../layout.js';
import type { QuestionRow } from '../questionrow.js';

/** Each time that another CPU is first, that one has asked: as often as so many at once, it does not hold. */
const TRIES = 64;

/**
 * The state is the time at which the bucket will be full. Taking a token puts it off by the token's cost; as
 * long as it lies no further ahead than the cost of all tokens, there was one.
 */
export const bucket: QuestionRow<QuestionOf<'bucket'>> = {
  parameters: ({ cost, burst }) => [cost, cost * BigInt(burst)],
  answer: ({ name, holds, fails, uptime }) => [
    ...uptime,
    mov(R2, R0),
    movImm(R3, TRIES),
    label(`${name}.try`),
    jumpIf('eq', R3, 0, fails),
    subImm(R3, 1),
    load(8, R0, R9, 0),
    mov(R1, R0),
    jumpIf('ge', R1, R2, `${name}.filling`),
    mov(R1, R2),
    label(`${name}.filling`),
    load(8, R4, R6, NODE.parameters),
    add(R1, R4),
    mov(R4, R1),
    sub(R4, R2),
    load(8, R5, R6, NODE.parameters + 8),
    jumpIf('gt', R4, R5, fails),
    mov(R4, R0),
    atomicCompareExchange(8, R9, 0, R1),
    jumpIf('ne', R0, R4, `${name}.try`),
    jump(holds),
  ],
};
