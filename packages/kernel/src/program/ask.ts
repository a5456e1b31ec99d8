/**
 * The function that answers opaque tests. It is global: the verifier looks at it once, and not for each step
 * and each way on which the walk could come to it.
 *
 *     r6 the node   r7 kind and negation   r8 the packet   r9 the state, if the question has one
 */
import {
  addImm,
  andImm,
  callHelper,
  exit,
  type GlobalFunction,
  type Item,
  jump,
  jumpIf,
  label,
  load,
  loadMap,
  mov,
  movImm,
  R0,
  R1,
  R2,
  R3,
  R6,
  R7,
  R8,
  R9,
  R10,
  rshImm,
  store,
  xor,
} from '@sockfilter/bpf';
import { type QuestionKind, questionHasState, saysAgain } from '@sockfilter/table';
import { CHOOSES, choose } from '../chosen.js';
import { ASK_NODES, NODE } from '../layout.js';
import { MAPS } from '../mapnames.js';
import { QUESTION_KINDS, QUESTIONS } from '../question.js';
import type { World } from '../questionrow.js';
import { SLOTS } from './stack.js';

/** Its label. It takes the node, whether the call is judged once more, and the packet. */
export const ASK = 'ask';

/** What it gives. */
export const ANSWER = { fails: 0, holds: 1 } as const;

const KEY = -4;

/** The real one. */
const WORLD: World = {
  uptime: [callHelper('ktime_get_boot_ns')],
  atomicTime: [callHelper('ktime_get_tai_ns')],
  random: [callHelper('get_prandom_u32')],
};

function findState(): readonly Item[] {
  return [
    load(4, R2, R6, NODE.state),
    store(4, R10, KEY, R2),
    loadMap(R1, MAPS.states),
    mov(R2, R10),
    addImm(R2, KEY),
    callHelper('map_lookup_elem'),
    jumpIf('eq', R0, 0, 'ask.fails'),
    mov(R9, R0),
  ];
}

function answer(kind: QuestionKind, world: World): readonly Item[] {
  const name = `ask.${kind}`;
  const again = saysAgain(kind);
  const answering = { name, holds: 'ask.holds', fails: 'ask.fails', ...world };
  return [
    label(name),
    ...(again === undefined ? [] : [jumpIf('ne', R2, 0, again ? 'ask.holds' : 'ask.fails')]),
    ...(questionHasState(kind) || QUESTIONS[kind].readsClock ? findState() : []),
    ...QUESTIONS[kind].answer(answering),
  ];
}

/** The function that answers by what the world says. */
export function askFunction(world: World = WORLD): GlobalFunction {
  return {
    name: ASK,
    parameters: [{ bytes: 8 * ASK_NODES }, 'number', { bytes: 2 * SLOTS }],
    items: [
      movImm(R7, 0),
      jumpIf('eq', R1, 0, 'ask.fails'),
      jumpIf('eq', R3, 0, 'ask.fails'),
      mov(R6, R1),
      mov(R8, R3),
      load(2, R7, R6, 0),
      mov(R1, R7),
      andImm(R1, NODE.kindMask),
      ...QUESTION_KINDS.map((kind, n) => jumpIf('eq', R1, n, `ask.${kind}`)),
      jumpIf('eq', R1, CHOOSES, 'ask.choose'),
      jump('ask.fails'),
      label('ask.choose'),
      ...choose('ask.choose', 'ask.holds'),
      ...QUESTION_KINDS.flatMap((kind) => answer(kind, world)),
      label('ask.holds'),
      movImm(R0, ANSWER.holds),
      jump('ask.answered'),
      label('ask.fails'),
      movImm(R0, ANSWER.fails),
      label('ask.answered'),
      rshImm(R7, NODE.negatedShift),
      xor(R0, R7),
      exit(),
    ],
  };
}
