// Instructions as frozen data. An operand that is known only later (a label, a map) is a name until
// assemble() turns the list into bytes, so that a program can be built, compared and printed without a
// kernel. Encoding: RFC 9669 and Documentation/bpf/standardization/instruction-set.rst.
//
// Registers: r0 is the result of calls and of the program, r1 to r5 are arguments and lost in a call,
// r6 to r9 survive calls, r10 is the read-only frame pointer (512 bytes of stack below it).

export type Register = 'r0' | 'r1' | 'r2' | 'r3' | 'r4' | 'r5' | 'r6' | 'r7' | 'r8' | 'r9' | 'r10';

export const R0 = 'r0';
export const R1 = 'r1';
export const R2 = 'r2';
export const R3 = 'r3';
export const R4 = 'r4';
export const R5 = 'r5';
export const R6 = 'r6';
export const R7 = 'r7';
export const R8 = 'r8';
export const R9 = 'r9';
export const R10 = 'r10';

/** Width of a memory access in bytes. */
export type Size = 1 | 2 | 4 | 8;

/** An instruction of 8 bytes with nothing left to resolve. */
export interface Plain {
  readonly kind: 'plain';
  readonly opcode: number;
  readonly dst: Register;
  readonly src: Register;
  readonly offset: number;
  readonly imm: number;
}

/** A jump; its offset is the distance to the label. */
export interface Jump {
  readonly kind: 'jump';
  readonly opcode: number;
  readonly dst: Register;
  readonly src: Register;
  readonly imm: number;
  readonly label: string;
}

/** A call of a function in the same program. */
export interface CallLabel {
  readonly kind: 'callLabel';
  readonly label: string;
}

/** A 64-bit constant; takes 16 bytes. */
export interface LoadImm64 {
  readonly kind: 'loadImm64';
  readonly dst: Register;
  readonly value: bigint;
}

/** A map by the name it has in the program, or by a descriptor. */
export type MapRef = string | { readonly fd: number };

/** The address of a map, or of a byte in the value of an array map of one entry; takes 16 bytes. */
export interface LoadMap {
  readonly kind: 'loadMap';
  readonly dst: Register;
  readonly map: MapRef;
  readonly valueOffset: number | undefined;
}

/** A place in the program. */
export interface Label {
  readonly kind: 'label';
  readonly name: string;
}

export type Item = Plain | Jump | CallLabel | LoadImm64 | LoadMap | Label;

/** Instruction classes: the low three bits of an opcode. */
export const CLASS = Object.freeze({
  ld: 0x00,
  ldx: 0x01,
  st: 0x02,
  stx: 0x03,
  alu: 0x04,
  jmp: 0x05,
  jmp32: 0x06,
  alu64: 0x07,
});

/** In ALU and jump classes: the source operand is a register, else the immediate. */
export const SOURCE_REGISTER = 0x08;

export const ALU = Object.freeze({
  add: 0x00,
  sub: 0x10,
  mul: 0x20,
  div: 0x30,
  or: 0x40,
  and: 0x50,
  lsh: 0x60,
  rsh: 0x70,
  neg: 0x80,
  mod: 0x90,
  xor: 0xa0,
  mov: 0xb0,
  arsh: 0xc0,
  end: 0xd0,
});

/** Conditions; `set` is `dst & operand`, those with `s` compare as signed numbers. */
export const CONDITION = Object.freeze({
  eq: 0x10,
  gt: 0x20,
  ge: 0x30,
  set: 0x40,
  ne: 0x50,
  sgt: 0x60,
  sge: 0x70,
  lt: 0xa0,
  le: 0xb0,
  slt: 0xc0,
  sle: 0xd0,
});

export type Condition = keyof typeof CONDITION;

export const JUMP_ALWAYS = 0x00;
/** BPF_JCOND; with source register 0 it is may_goto. */
export const JUMP_MAYBE = 0xe0;
export const CALL = 0x80;
export const EXIT = 0x90;

/** Memory modes and sizes of the load and store classes. */
export const MODE_MEM = 0x60;
export const MODE_ATOMIC = 0xc0;
/** Atomic operations that give back what was there before. */
export const FETCH = 0x01;
export const COMPARE_EXCHANGE = 0xf0 | FETCH;
export const SIZE_CODE: Readonly<Record<Size, number>> = Object.freeze({
  1: 0x10,
  2: 0x08,
  4: 0x00,
  8: 0x18,
});

/** `lddw`: the only instruction of two slots. */
export const LOAD_IMM64 = 0x18;

/** Source register numbers that give an instruction another meaning (linux/bpf.h). */
export const PSEUDO = Object.freeze({ mapFd: 1, mapValue: 2, call: 1 });
