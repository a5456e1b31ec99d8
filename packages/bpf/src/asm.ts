// One function for each instruction. Names end in `Imm` where the operand is a number and in `32` where
// only the low half counts (the high half of the destination becomes 0). An immediate has 32 bits: a
// 64-bit instruction extends its sign, so it takes -2^31 to 2^31-1; a 32-bit one takes up to 2^32-1 as
// well. Anything else is a RangeError here, where the mistake is, and not in the verifier.

import { HELPERS, type HelperName } from './helpers.js';
import {
  ALU,
  CALL,
  type CallLabel,
  CLASS,
  COMPARE_EXCHANGE,
  CONDITION,
  type Condition,
  EXIT,
  FETCH,
  JUMP_ALWAYS,
  JUMP_MAYBE,
  type Jump,
  type Label,
  type LoadImm64,
  type LoadMap,
  type MapRef,
  MODE_ATOMIC,
  MODE_MEM,
  type Plain,
  type Register,
  SIZE_CODE,
  type Size,
  SOURCE_REGISTER,
} from './instruction.js';

function signed(value: number, bits: 16 | 32): number {
  const half = 2 ** (bits - 1);
  if (!Number.isInteger(value) || value < -half || value >= half) {
    throw new RangeError(`${value} does not fit into ${bits} signed bits`);
  }
  return value;
}

/** A value of `bits` bits, signed or unsigned, as the signed immediate with the same bits. */
function wrapped(value: number, bits: number): number {
  if (!Number.isInteger(value) || value < -(2 ** (bits - 1)) || value >= 2 ** bits) {
    throw new RangeError(`${value} does not fit into ${bits} bits`);
  }
  return value | 0;
}

function plain(opcode: number, dst: Register, src: Register, offset: number, imm: number): Plain {
  return Object.freeze({ kind: 'plain', opcode, dst, src, offset: signed(offset, 16), imm });
}

type RegisterForm = (dst: Register, src: Register) => Plain;
type ImmediateForm = (dst: Register, imm: number) => Plain;
type BinaryName = Exclude<keyof typeof ALU, 'neg' | 'end'>;

const reg64 =
  (name: BinaryName): RegisterForm =>
  (dst, src) =>
    plain(CLASS.alu64 | ALU[name] | SOURCE_REGISTER, dst, src, 0, 0);
const imm64 =
  (name: BinaryName): ImmediateForm =>
  (dst, imm) =>
    plain(CLASS.alu64 | ALU[name], dst, 'r0', 0, signed(imm, 32));
const reg32 =
  (name: BinaryName): RegisterForm =>
  (dst, src) =>
    plain(CLASS.alu | ALU[name] | SOURCE_REGISTER, dst, src, 0, 0);
const imm32 =
  (name: BinaryName): ImmediateForm =>
  (dst, imm) =>
    plain(CLASS.alu | ALU[name], dst, 'r0', 0, wrapped(imm, 32));

export const mov = reg64('mov');
export const movImm = imm64('mov');
export const mov32 = reg32('mov');
export const movImm32 = imm32('mov');
export const add = reg64('add');
export const addImm = imm64('add');
export const add32 = reg32('add');
export const addImm32 = imm32('add');
export const sub = reg64('sub');
export const subImm = imm64('sub');
export const sub32 = reg32('sub');
export const subImm32 = imm32('sub');
export const mul = reg64('mul');
export const mulImm = imm64('mul');
export const mul32 = reg32('mul');
export const mulImm32 = imm32('mul');
/** Unsigned; a division by zero gives 0. */
export const div = reg64('div');
export const divImm = imm64('div');
export const div32 = reg32('div');
export const divImm32 = imm32('div');
/** Unsigned; the remainder by zero is the dividend. */
export const mod = reg64('mod');
export const modImm = imm64('mod');
export const mod32 = reg32('mod');
export const modImm32 = imm32('mod');
export const or = reg64('or');
export const orImm = imm64('or');
export const or32 = reg32('or');
export const orImm32 = imm32('or');
export const and = reg64('and');
export const andImm = imm64('and');
export const and32 = reg32('and');
export const andImm32 = imm32('and');
export const xor = reg64('xor');
export const xorImm = imm64('xor');
export const xor32 = reg32('xor');
export const xorImm32 = imm32('xor');
export const lsh = reg64('lsh');
export const lshImm = imm64('lsh');
export const lsh32 = reg32('lsh');
export const lshImm32 = imm32('lsh');
export const rsh = reg64('rsh');
export const rshImm = imm64('rsh');
export const rsh32 = reg32('rsh');
export const rshImm32 = imm32('rsh');
/** Shifts the sign bit in. */
export const arsh = reg64('arsh');
export const arshImm = imm64('arsh');
export const arsh32 = reg32('arsh');
export const arshImm32 = imm32('arsh');

export const neg = (dst: Register): Plain => plain(CLASS.alu64 | ALU.neg, dst, 'r0', 0, 0);
export const neg32 = (dst: Register): Plain => plain(CLASS.alu | ALU.neg, dst, 'r0', 0, 0);

/** Converts the low bits between host and big-endian order; the bits above become 0. */
export const toBig = (dst: Register, bits: 16 | 32 | 64): Plain =>
  plain(CLASS.alu | ALU.end | SOURCE_REGISTER, dst, 'r0', 0, bits);

/** Converts the low bits between host and little-endian order: keeps them, the bits above become 0. */
export const toLittle = (dst: Register, bits: 16 | 32 | 64): Plain =>
  plain(CLASS.alu | ALU.end, dst, 'r0', 0, bits);

/** `dst = *(size *)(src + offset)`; the bits above become 0. */
export const load = (size: Size, dst: Register, src: Register, offset: number): Plain =>
  plain(CLASS.ldx | MODE_MEM | SIZE_CODE[size], dst, src, offset, 0);

/** `*(size *)(dst + offset) = src`. */
export const store = (size: Size, dst: Register, offset: number, src: Register): Plain =>
  plain(CLASS.stx | MODE_MEM | SIZE_CODE[size], dst, src, offset, 0);

/** `*(size *)(dst + offset) = imm`; for 8 bytes the sign of the 32 bits is extended. */
export const storeImm = (size: Size, dst: Register, offset: number, imm: number): Plain =>
  plain(
    CLASS.st | MODE_MEM | SIZE_CODE[size],
    dst,
    'r0',
    offset,
    size === 8 ? signed(imm, 32) : wrapped(imm, size * 8),
  );

/** Adds to memory so that no addition is lost: `lock *(size *)(dst + offset) += src`. */
export const atomicAdd = (size: 4 | 8, dst: Register, offset: number, src: Register): Plain =>
  plain(CLASS.stx | MODE_ATOMIC | SIZE_CODE[size], dst, src, offset, ALU.add);

/** As atomicAdd; what was there before is in `src` then. Linux 5.12. */
export const atomicFetchAdd = (size: 4 | 8, dst: Register, offset: number, src: Register): Plain =>
  plain(CLASS.stx | MODE_ATOMIC | SIZE_CODE[size], dst, src, offset, ALU.add | FETCH);

/**
 * Stores `src` if what is there equals r0; either way r0 is what was there before. Linux 5.12.
 */
export const atomicCompareExchange = (
  size: 4 | 8,
  dst: Register,
  offset: number,
  src: Register,
): Plain => plain(CLASS.stx | MODE_ATOMIC | SIZE_CODE[size], dst, src, offset, COMPARE_EXCHANGE);

/** A place that jumps and calls can name. */
export const label = (name: string): Label => Object.freeze({ kind: 'label', name });

const unconditional = (opcode: number, target: string): Jump =>
  Object.freeze({ kind: 'jump', opcode, dst: 'r0', src: 'r0', imm: 0, label: target });

export const jump = (target: string): Jump => unconditional(CLASS.jmp | JUMP_ALWAYS, target);

/**
 * Goes on, and to the label once it has been come to too often: some millions of times, or for a quarter of a
 * second. A loop over it ends, so that the verifier looks at its body and not at each round. It takes 16 bytes of the
 * stack, which nobody sees. Linux 6.9: see `hasMayGoto`.
 */
export const mayGoto = (target: string): Jump => unconditional(CLASS.jmp | JUMP_MAYBE, target);

function conditional(
  opcode: number,
  dst: Register,
  operand: Register | number,
  imm: (value: number) => number,
  target: string,
): Jump {
  return Object.freeze(
    typeof operand === 'number'
      ? { kind: 'jump', opcode, dst, src: 'r0', imm: imm(operand), label: target }
      : {
          kind: 'jump',
          opcode: opcode | SOURCE_REGISTER,
          dst,
          src: operand,
          imm: 0,
          label: target,
        },
  );
}

/** Jumps if all 64 bits of `dst` compare so to a register or to a sign-extended immediate. */
export const jumpIf = (
  condition: Condition,
  dst: Register,
  operand: Register | number,
  target: string,
): Jump =>
  conditional(CLASS.jmp | CONDITION[condition], dst, operand, (imm) => signed(imm, 32), target);

/** Jumps if the low 32 bits of `dst` compare so to a register's or to an immediate. */
export const jumpIf32 = (
  condition: Condition,
  dst: Register,
  operand: Register | number,
  target: string,
): Jump =>
  conditional(CLASS.jmp32 | CONDITION[condition], dst, operand, (imm) => wrapped(imm, 32), target);

/** Calls a kernel function with r1 to r5; the result is in r0. */
export const callHelper = (helper: HelperName | number): Plain =>
  plain(CLASS.jmp | CALL, 'r0', 'r0', 0, typeof helper === 'number' ? helper : HELPERS[helper]);

/** Calls a function of this program: it takes r1 to r5, has a stack of its own and ends in `exit`. */
export const callLabel = (target: string): CallLabel =>
  Object.freeze({ kind: 'callLabel', label: target });

/** Ends the program, or the function, with the value in r0. */
export const exit = (): Plain => plain(CLASS.jmp | EXIT, 'r0', 'r0', 0, 0);

/** A constant from -2^63 to 2^64-1. */
export function loadImm64(dst: Register, value: bigint): LoadImm64 {
  if (value < -(1n << 63n) || value >= 1n << 64n) {
    throw new RangeError(`${value} does not fit into 64 bits`);
  }
  return Object.freeze({ kind: 'loadImm64', dst, value });
}

/** A map, as helpers take it. */
export const loadMap = (dst: Register, map: MapRef): LoadMap =>
  Object.freeze({ kind: 'loadMap', dst, map, valueOffset: undefined });

/** The address of byte `offset` in the value of an array map of one entry: no look-up, never null. */
export const loadMapValue = (dst: Register, map: MapRef, offset: number): LoadMap =>
  Object.freeze({ kind: 'loadMap', dst, map, valueOffset: wrapped(offset, 32) });
