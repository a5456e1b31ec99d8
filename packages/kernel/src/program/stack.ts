/**
 * How the programs use registers and their 512 bytes of stack.
 *
 *     fp-128 .. fp-1      the packet: a slot of 16 bits for each piece of the diagram, in host byte order
 *     fp-132              the address of this CPU's first counter
 *     fp-136              key of a page look-up
 *     fp-144, fp-152       scratch
 *     fp-160              the number of the generation, in the upper half, while it is walked
 *     fp-168             the kernel's address of the socket or the skb
 *     fp-176             the context, while a walk has its register
 *     fp-216 .. fp-177   the IP header, or the address and port that a send asks for
 *     fp-232 .. fp-217   the header behind the IP header
 *     fp-236             what the walk has rewritten of the packet, see REWRITES
 *     fp-248             the word of the readers of events, as it was when the call's group was looked up
 *
 * Of bind(2) the header's place has what the socket is bound to, and whether BIND gives other destinations.
 *
 * While the packet is built: r6 the header page, r7 the generation, r8 free, r9 the context.
 * While it walks: r6 the page, r7 the generation, r8 the node's address, r9 the steps left.
 */
import {
  addImm,
  andImm,
  callHelper,
  type Item,
  jumpIf,
  load,
  lshImm,
  mov,
  movImm,
  neg,
  or,
  R0,
  R1,
  R2,
  R3,
  R6,
  R10,
  type Register,
  rshImm,
  store,
  storeImm,
} from '@sockfilter/bpf';
import { firstPiece } from '@sockfilter/diagram';
import type { Field } from '@sockfilter/table';
import { HEADER } from '../layout.js';

export const PACKET = -128;
export const STRIPE = -132;
export const KEY = -136;
export const SCRATCH = -144;
export const SPILL = -152;
export const GENERATION = -160;
export const OBJECT = -168;
export const CONTEXT = -176;
export const IP_HEADER = -216;
export const NEXT_HEADER = -232;
export const ASKED_ADDRESS = -216;
export const ASKED_PORT = -200;
export const REWRITTEN = -236;
export const READERS = -248;
export const AS_BOUND = -216;
export const LEADS = -196;

/** Slots on the stack; a power of two no less than the number of pieces. */
export const SLOTS = 64;

/** Where a field's piece lies, relative to the frame pointer. */
export function slot(field: Field, piece = 0): number {
  return PACKET + 2 * (firstPiece(field) + piece);
}

/**
 * Sets all slots to 0; r6 is the header page. The 0 comes from there because the verifier would take
 * slots that it knows to be 0 for a state of their own, and walk the walk once more for each.
 */
export function clearPacket(): readonly Item[] {
  return [
    load(8, R1, R6, HEADER.zero),
    ...Array.from({ length: SLOTS / 4 }, (_, at) => store(8, R10, PACKET + 8 * at, R1)),
    store(4, R10, REWRITTEN, R1),
  ];
}

/** Stores a field of 16 bits or fewer; its register keeps its value. */
export function put16(field: Field, from: Register, piece = 0): readonly Item[] {
  return [store(2, R10, slot(field, piece), from)];
}

export function putConstant(field: Field, value: number): readonly Item[] {
  return [storeImm(2, R10, slot(field), value)];
}

/** Stores 32 bits as the piece and the one after it; destroys the register. */
export function put32(field: Field, from: Register, piece = 0): readonly Item[] {
  return [
    store(2, R10, slot(field, piece + 1), from),
    rshImm(from, 16),
    store(2, R10, slot(field, piece), from),
  ];
}

/** Stores 32 bits as pieces of 8, from the most significant; destroys the register. */
export function put8s(field: Field, from: Register): readonly Item[] {
  return [3, 2, 1, 0].flatMap((piece) => [
    mov(R2, from),
    andImm(R2, 0xff),
    store(2, R10, slot(field, piece), R2),
    rshImm(from, 8),
  ]);
}

/** The same back into the register. */
export function take8s(field: Field, to: Register): readonly Item[] {
  return [
    movImm(to, 0),
    ...[0, 1, 2, 3].flatMap((piece) => [
      lshImm(to, 8),
      load(2, R2, R10, slot(field, piece)),
      or(to, R2),
    ]),
  ];
}

/**
 * Reads kernel memory at the address in r3 to the stack, destroys r0 to r5; jumps to `failed` if it
 * can't be read. The address is a number, never a pointer that the verifier knows.
 */
export function probe(to: number, bytes: number, failed: string): readonly Item[] {
  return [
    mov(R1, R10),
    addImm(R1, to),
    movImm(R2, bytes),
    callHelper('probe_read_kernel'),
    jumpIf('ne', R0, 0, failed),
  ];
}

/** Reads `bytes` at r3 + offset to SCRATCH and from there into r3. */
export function peek(offset: number, bytes: 1 | 4 | 8, failed: string): readonly Item[] {
  return [addImm(R3, offset), ...probe(SCRATCH, bytes, failed), load(bytes, R3, R10, SCRATCH)];
}

/** Follows pointers from the number in r3, each at its offset in what the one before points to. */
export function follow(offsets: readonly number[], failed: string): readonly Item[] {
  return offsets.flatMap((offset) => peek(offset, 8, failed));
}

/**
 * r3 = the pointer that the verifier tracks in `from`, as a number: it knows nothing about the negative
 * of a pointer, and so nothing about that one's negative.
 */
export function numberOf(from: Register): readonly Item[] {
  return [mov(R3, from), neg(R3), neg(R3)];
}

/** Turns a pointer that the verifier tracks, in `from`, into a number at `to` on the stack. */
export function addressOf(from: Register, to: number, failed: string): readonly Item[] {
  return [store(8, R10, SPILL, from), mov(R3, R10), addImm(R3, SPILL), ...probe(to, 8, failed)];
}
