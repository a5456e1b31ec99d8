import { atomicFetchAdd, jump, jumpIf, load, movImm, R1, R2, R6, R9 } from '@sockfilter/bpf';
import type { QuestionOf } from '@sockfilter/table';
import { NODE } from '../layout.js';
import type { QuestionRow } from '../questionrow.js';

/** The state is how often it was asked. */
export const budget: QuestionRow<QuestionOf<'budget'>> = {
  parameters: ({ calls }) => [calls],
  answer: ({ holds, fails }) => [
    movImm(R1, 1),
    atomicFetchAdd(8, R9, 0, R1),
    load(8, R2, R6, NODE.parameters),
    jumpIf('lt', R1, R2, holds),
    jump(fails),
  ],
};
