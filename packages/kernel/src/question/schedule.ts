/**
 * A schedule in the program: the time of day is atomic time, which the program can have, and an offset, which
 * it finds in the state of slot 0 (statemap.ts). The day of the month is counted in years that begin in
 * March, as Howard Hinnant's "chrono-Compatible Low-Level Date Algorithms" has it.
 */
import {
  add,
  addImm,
  andImm,
  div,
  divImm,
  type Item,
  jump,
  jumpIf,
  label,
  load,
  mod,
  modImm,
  mov,
  movImm,
  mulImm,
  R0,
  R1,
  R2,
  R3,
  R4,
  R5,
  R6,
  R9,
  rsh,
  sub,
  subImm,
} from '@sockfilter/bpf';
import type { QuestionOf } from '@sockfilter/table';
import { CLOCK_STATE, NODE } from '../layout.js';
import type { QuestionRow } from '../questionrow.js';

const DAY = 86_400;
const FLAG = { contiguous: 1, local: 2 } as const;
const AT = {
  begin: NODE.parameters,
  end: NODE.parameters + 4,
  from: NODE.parameters + 8,
  to: NODE.parameters + 12,
  monthdays: NODE.parameters + 16,
  weekdays: NODE.parameters + 20,
  flags: NODE.parameters + 24,
} as const;

const pair = (low: number, high: number) => (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0);

/** Goes to `fails` unless bit r1 of the mask at the offset is set; destroys r2. */
function unlessBit(offset: number, fails: string): readonly Item[] {
  return [load(4, R2, R6, offset), rsh(R2, R1), andImm(R2, 1), jumpIf('eq', R2, 0, fails)];
}

/** r1 = the day of the month of the day r3 since 1970; destroys r2 to r5. */
function dayOfMonth(): readonly Item[] {
  return [
    // Days of an era of 400 years, from 1st March 2000 backwards and forwards.
    addImm(R3, 719_468),
    modImm(R3, 146_097),
    // r4 = the year of the era: (day - day/1460 + day/36524 - day/146096) / 365
    mov(R4, R3),
    mov(R5, R3),
    divImm(R5, 1460),
    sub(R4, R5),
    mov(R5, R3),
    divImm(R5, 36_524),
    add(R4, R5),
    mov(R5, R3),
    divImm(R5, 146_096),
    sub(R4, R5),
    divImm(R4, 365),
    // r3 = the day of that year: day - (365*year + year/4 - year/100)
    mov(R5, R4),
    mulImm(R5, 365),
    sub(R3, R5),
    mov(R5, R4),
    divImm(R5, 4),
    sub(R3, R5),
    divImm(R4, 100),
    add(R3, R4),
    // r4 = its month: (5*day + 2) / 153; r1 = day - (153*month + 2)/5 + 1
    mov(R4, R3),
    mulImm(R4, 5),
    addImm(R4, 2),
    divImm(R4, 153),
    mulImm(R4, 153),
    addImm(R4, 2),
    divImm(R4, 5),
    mov(R1, R3),
    sub(R1, R4),
    addImm(R1, 1),
  ];
}

export const schedule: QuestionRow<QuestionOf<'schedule'>> = {
  parameters: ({ begin, end, from, to, monthdays, weekdays, isContiguous, isLocal }) => [
    pair(begin, end),
    pair(from, to),
    pair(monthdays, weekdays),
    pair((isContiguous ? FLAG.contiguous : 0) | (isLocal ? FLAG.local : 0), 0),
  ],
  readsClock: true,
  answer: ({ name, holds, fails, atomicTime }) => [
    ...atomicTime,
    mov(R3, R0),
    movImm(R1, 1_000_000_000),
    div(R3, R1),
    load(4, R1, R6, AT.flags),
    load(8, R2, R9, CLOCK_STATE.utc),
    jumpIf('set', R1, FLAG.local, `${name}.local`),
    jump(`${name}.zoned`),
    label(`${name}.local`),
    load(8, R2, R9, CLOCK_STATE.local),
    label(`${name}.zoned`),
    add(R3, R2),
    load(4, R2, R6, AT.begin),
    jumpIf('lt', R3, R2, fails),
    load(4, R2, R6, AT.end),
    jumpIf('gt', R3, R2, fails),
    // r4 = seconds since midnight, r5 = its end
    movImm(R2, DAY),
    mov(R4, R3),
    mod(R4, R2),
    load(4, R5, R6, AT.to),
    load(4, R2, R6, AT.from),
    jumpIf('ge', R2, R5, `${name}.night`),
    jumpIf('lt', R4, R2, fails),
    jumpIf('gt', R4, R5, fails),
    jump(`${name}.days`),
    label(`${name}.night`),
    jumpIf('le', R4, R5, `${name}.morning`),
    jumpIf('lt', R4, R2, fails),
    jump(`${name}.days`),
    label(`${name}.morning`),
    jumpIf('set', R1, FLAG.contiguous, `${name}.before`),
    jump(`${name}.days`),
    label(`${name}.before`),
    subImm(R3, DAY),
    label(`${name}.days`),
    divImm(R3, DAY),
    // 1970 began on a Thursday, day 4.
    mov(R1, R3),
    addImm(R1, 3),
    modImm(R1, 7),
    addImm(R1, 1),
    ...unlessBit(AT.weekdays, fails),
    ...dayOfMonth(),
    ...unlessBit(AT.monthdays, fails),
    jump(holds),
  ],
};
