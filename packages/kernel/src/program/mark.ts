/** The mark of the socket that a call is made on: read for the rules, and set to what they make of it. */
import {
  addImm,
  andImm,
  callHelper,
  type Item,
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
  R10,
  store,
} from '@sockfilter/bpf';
import type { BuiltinChain } from '@sockfilter/table';
import { HEADER, REWRITES } from '../layout.js';
import type { Offsets } from '../offsets.js';
import { chainBit, FAILED } from './generation.js';
import { CONTEXT, peek, put8s, REWRITTEN, SCRATCH, take8s } from './stack.js';

const SOL_SOCKET = 1;
const SO_MARK = 36;

/** The mark that `read` leaves in r1, only where one of the chains asks for it; r6 is the header. */
export function putMark(chains: readonly BuiltinChain[], read: readonly Item[]): readonly Item[] {
  const known = `${chains.join()}.markKnown`;
  return [
    load(4, R1, R6, HEADER.markChains),
    andImm(
      R1,
      chains.reduce((bits, chain) => bits | chainBit(chain), 0),
    ),
    jumpIf('eq', R1, 0, known),
    ...read,
    ...put8s('mark', R1),
    label(known),
  ];
}

/** r1 = the mark of the socket whose address in the kernel `socket` leaves in r3; destroys r0 to r5 and SCRATCH. */
export function peekMark(
  socket: readonly Item[],
  offsets: Offsets,
  failed: string,
): readonly Item[] {
  return [...socket, ...peek(offsets.sockMark, 4, failed), mov(R1, R3)];
}

/** Sets the mark of the socket to the packet's if a rule has rewritten that; a call for which that fails, fails. */
export function applyMark(): readonly Item[] {
  return [
    load(4, R1, R10, REWRITTEN),
    andImm(R1, REWRITES.mark),
    jumpIf('eq', R1, 0, 'marked'),
    ...take8s('mark', R1),
    store(4, R10, SCRATCH, R1),
    load(8, R1, R10, CONTEXT),
    movImm(R2, SOL_SOCKET),
    movImm(R3, SO_MARK),
    mov(R4, R10),
    addImm(R4, SCRATCH),
    movImm(R5, 4),
    callHelper('setsockopt'),
    jumpIf('ne', R0, 0, FAILED),
    label('marked'),
  ];
}
