import { andImm, jump, jumpIf, load, R0, R1, R6 } from '@sockfilter/bpf';
import type { QuestionOf } from '@sockfilter/table';
import { NODE } from '../layout.js';
import type { QuestionRow } from '../questionrow.js';

export const chance: QuestionRow<QuestionOf<'chance'>> = {
  parameters: ({ threshold }) => [BigInt(threshold)],
  answer: ({ holds, fails, random }) => [
    ...random,
    andImm(R0, 0x7fff_ffff),
    load(8, R1, R6, NODE.parameters),
    jumpIf('lt', R0, R1, holds),
    jump(fails),
  ],
};
