// The text is the verifier's own notation (kernel/bpf/disasm.c), with two differences: a jump names the
// slot it goes to, and a helper is named without its number. Registers are w0 to w10 in 32-bit forms.

import { helperName } from './helpers.js';
import {
  ALU,
  CALL,
  CLASS,
  COMPARE_EXCHANGE,
  CONDITION,
  EXIT,
  FETCH,
  JUMP_ALWAYS,
  JUMP_MAYBE,
  LOAD_IMM64,
  MODE_ATOMIC,
  MODE_MEM,
  PSEUDO,
  SIZE_CODE,
  SOURCE_REGISTER,
} from './instruction.js';

interface Slot {
  readonly opcode: number;
  readonly dst: number;
  readonly src: number;
  readonly offset: number;
  readonly imm: number;
}

const ALU_SIGN: ReadonlyMap<number, string> = new Map([
  [ALU.add, '+='],
  [ALU.sub, '-='],
  [ALU.mul, '*='],
  [ALU.div, '/='],
  [ALU.or, '|='],
  [ALU.and, '&='],
  [ALU.lsh, '<<='],
  [ALU.rsh, '>>='],
  [ALU.mod, '%='],
  [ALU.xor, '^='],
  [ALU.mov, '='],
  [ALU.arsh, 's>>='],
]);

const CONDITION_SIGN: ReadonlyMap<number, string> = new Map([
  [CONDITION.eq, '=='],
  [CONDITION.ne, '!='],
  [CONDITION.gt, '>'],
  [CONDITION.ge, '>='],
  [CONDITION.lt, '<'],
  [CONDITION.le, '<='],
  [CONDITION.set, '&'],
  [CONDITION.sgt, 's>'],
  [CONDITION.sge, 's>='],
  [CONDITION.slt, 's<'],
  [CONDITION.sle, 's<='],
]);

const TYPE: ReadonlyMap<number, string> = new Map([
  [SIZE_CODE[1], 'u8'],
  [SIZE_CODE[2], 'u16'],
  [SIZE_CODE[4], 'u32'],
  [SIZE_CODE[8], 'u64'],
]);

const unknown = ({ opcode }: Slot): string => `unknown opcode 0x${opcode.toString(16)}`;

function printAlu(slot: Slot, cls: number): string {
  const letter = cls === CLASS.alu ? 'w' : 'r';
  const code = slot.opcode & 0xf0;
  const dst = `${letter}${slot.dst}`;
  if (code === ALU.end) {
    const order = slot.opcode & SOURCE_REGISTER ? 'be' : 'le';
    return cls === CLASS.alu ? `r${slot.dst} = ${order}${slot.imm} r${slot.dst}` : unknown(slot);
  }
  if (code === ALU.neg) return `${dst} = -${dst}`;
  const sign = ALU_SIGN.get(code);
  if (sign === undefined || slot.offset !== 0) return unknown(slot);
  return `${dst} ${sign} ${slot.opcode & SOURCE_REGISTER ? `${letter}${slot.src}` : slot.imm}`;
}

function printJump(slot: Slot, cls: number, index: number): string {
  const code = slot.opcode & 0xf0;
  const target = index + 1 + slot.offset;
  if (cls === CLASS.jmp) {
    if (code === JUMP_ALWAYS) return `goto ${target}`;
    if (code === JUMP_MAYBE) return slot.src === 0 ? `may_goto ${target}` : unknown(slot);
    if (code === EXIT) return 'exit';
    if (code === CALL) {
      if (slot.src === PSEUDO.call) return `call ${index + 1 + slot.imm}`;
      return slot.src === 0 ? `call ${helperName(slot.imm) ?? `#${slot.imm}`}` : unknown(slot);
    }
  }
  const letter = cls === CLASS.jmp32 ? 'w' : 'r';
  const sign = CONDITION_SIGN.get(code);
  if (sign === undefined) return unknown(slot);
  const operand = slot.opcode & SOURCE_REGISTER ? `${letter}${slot.src}` : slot.imm;
  return `if ${letter}${slot.dst} ${sign} ${operand} goto ${target}`;
}

const ATOMIC: ReadonlyMap<number, (place: string, src: string) => string> = new Map([
  [ALU.add, (place, src) => `lock ${place} += ${src}`],
  [ALU.add | FETCH, (place, src) => `${src} = fetch_add(${place}, ${src})`],
  [COMPARE_EXCHANGE, (place, src) => `r0 = cmpxchg(${place}, r0, ${src})`],
]);

function printMemory(slot: Slot, cls: number): string {
  const type = TYPE.get(slot.opcode & 0x18) ?? 'u8';
  const mode = slot.opcode & 0xe0;
  const base = cls === CLASS.ldx ? slot.src : slot.dst;
  const place = `*(${type} *)(r${base} ${slot.offset < 0 ? '-' : '+'}${Math.abs(slot.offset)})`;
  if (mode === MODE_MEM) {
    if (cls === CLASS.ldx) return `r${slot.dst} = ${place}`;
    return `${place} = ${cls === CLASS.stx ? `r${slot.src}` : slot.imm}`;
  }
  if (mode !== MODE_ATOMIC || cls !== CLASS.stx) return unknown(slot);
  return ATOMIC.get(slot.imm)?.(place, `r${slot.src}`) ?? unknown(slot);
}

function printWide(slot: Slot, high: number): string {
  const dst = `r${slot.dst}`;
  if (slot.src === PSEUDO.mapFd) return `${dst} = map[fd:${slot.imm}]`;
  if (slot.src === PSEUDO.mapValue) return `${dst} = map_value[fd:${slot.imm}]+${high >>> 0}`;
  if (slot.src !== 0) return unknown(slot);
  const value = (BigInt(high >>> 0) << 32n) | BigInt(slot.imm >>> 0);
  return `${dst} = 0x${value.toString(16)} ll`;
}

function printSlot(slot: Slot, index: number): string {
  const cls = slot.opcode & 0x07;
  if (cls === CLASS.alu || cls === CLASS.alu64) return printAlu(slot, cls);
  if (cls === CLASS.jmp || cls === CLASS.jmp32) return printJump(slot, cls, index);
  return cls === CLASS.ld ? unknown(slot) : printMemory(slot, cls);
}

/** The instructions as text, one a line, each after the number of its slot. */
export function disassemble(bytes: Uint8Array): string {
  if (bytes.length % 8 !== 0) throw new RangeError('a program is a multiple of 8 bytes');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const lines: string[] = [];
  for (let at = 0; at < bytes.length; at += 8) {
    const registers = view.getUint8(at + 1);
    const slot: Slot = {
      opcode: view.getUint8(at),
      dst: registers & 0x0f,
      src: registers >> 4,
      offset: view.getInt16(at + 2, true),
      imm: view.getInt32(at + 4, true),
    };
    const index = at / 8;
    if (slot.opcode === LOAD_IMM64 && at + 16 <= bytes.length) {
      lines.push(`${index}: ${printWide(slot, view.getInt32(at + 12, true))}`);
      at += 8;
    } else {
      lines.push(`${index}: ${printSlot(slot, index)}`);
    }
  }
  return lines.join('\n');
}
