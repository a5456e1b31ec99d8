/** What calls draw where rules have several destinations for them. */
import {
  add,
  callHelper,
  type Item,
  load,
  lshImm,
  mov,
  movImm,
  mulImm,
  or,
  R0,
  R1,
  R2,
  R6,
  rshImm,
  store,
  xor,
} from '@sockfilter/bpf';
import { firstPiece } from '@sockfilter/diagram';
import type { DetailReader } from '../detailreader.js';

/** Another number for each call. */
export const chance: DetailReader = {
  ofCaller: true,
  read: ({ slots }) => [
    callHelper('get_prandom_u32'),
    store(2, R6, slots + 2, R0),
    rshImm(R0, 16),
    store(2, R6, slots, R0),
  ],
};

/** Odd, and with bits all over 32. */
const SPREAD = 0x5bd1_e995;

/** r0 = a number in which each of its bits has a say in the lower half; destroys r1. */
function spread(): readonly Item[] {
  return [mov(R1, R0), rshImm(R1, 29), xor(R0, R1), mulImm(R0, SPREAD)];
}

/** The same number for each control group of the caller and source address of the packet. */
export const persistence: DetailReader = {
  ofCaller: true,
  read: ({ slots }) => [
    callHelper('get_current_cgroup_id'),
    ...spread(),
    ...[0, 4].flatMap((half) => [
      movImm(R2, 0),
      ...[0, 1, 2, 3].flatMap((n) => [
        lshImm(R2, 16),
        load(2, R1, R6, 2 * (firstPiece('source') + half + n)),
        or(R2, R1),
      ]),
      add(R0, R2),
      ...spread(),
    ]),
    ...spread(),
    rshImm(R0, 32),
    store(2, R6, slots, R0),
  ],
};
