/**
 * One of several values as nodes and programs have it: an ASK of a kind of its own, which always holds and writes the
 * value into the packet. The number that the call has drawn says which: so the value is the same however often it is
 * asked for.
 *
 *     parameters   the first value, its low 64 bits
 *                  u32 how many destinations there are, u32 by how many of them the next value comes
 *                  u32 how many values there are, u32 flags
 */
import {
  add,
  div,
  type Item,
  jump,
  jumpIf,
  label,
  load,
  lshImm,
  mod,
  mul,
  or,
  R0,
  R1,
  R4,
  R6,
  R8,
  rshImm,
  store,
} from '@sockfilter/bpf';
import { firstPiece } from '@sockfilter/diagram';
import { type Choice, drawnNumber, elementAt, type Field } from '@sockfilter/table';
import { NODE } from './layout.js';
import { QUESTION_KINDS } from './question.js';

/** Its number among the kinds of an ASK. */
export const CHOOSES = QUESTION_KINDS.length;

const FLAG = { persistence: 1, port: 2 } as const;

const AT = {
  first: NODE.parameters,
  of: NODE.parameters + 8,
  step: NODE.parameters + 12,
  count: NODE.parameters + 16,
  flags: NODE.parameters + 20,
} as const;

/** The pieces of an address that differ between the values. */
const LOW = [7, 6, 5, 4] as const;

/** The parameters, two words each. */
export function choiceWords(
  field: 'destination' | 'destinationPort',
  first: bigint,
  { by, of, step, count }: Choice,
): readonly number[] {
  const flags =
    (by === 'persistence' ? FLAG.persistence : 0) | (field === 'destinationPort' ? FLAG.port : 0);
  const half = (n: number) => Number(BigInt.asUintN(32, first >> BigInt(n)));
  return [half(0), half(32), of, step, count, flags];
}

/** Writes what the node at the place chooses into the pieces of a packet, as programs do. */
export function writeChosen(words: Uint32Array, node: number, values: Uint16Array): void {
  const word = (at: number) => elementAt(words, node + at / 4);
  const by = word(AT.flags) & FLAG.persistence ? 'persistence' : 'chance';
  const piece = (n: number) => elementAt(values, firstPiece(by) + n);
  const drawn = by === 'persistence' ? piece(0) : piece(0) * 2 ** 16 + piece(1);
  const number = Math.floor(drawnNumber(drawn, { by, of: word(AT.of) }) / word(AT.step));
  const first = (BigInt(word(AT.first + 4)) << 32n) | BigInt(word(AT.first));
  const value = first + BigInt(number % word(AT.count));
  if (word(AT.flags) & FLAG.port) values[firstPiece('destinationPort')] = Number(value);
  else
    LOW.forEach((at, n) => {
      values[firstPiece('destination') + at] = Number(BigInt.asUintN(16, value >> BigInt(16 * n)));
    });
}

/** The instructions; see program/ask.ts for what the registers hold. */
export function choose(name: string, chosen: string): readonly Item[] {
  const at = (field: Field, piece = 0) => 2 * (firstPiece(field) + piece);
  return [
    load(4, R4, R6, AT.flags),
    jumpIf('set', R4, FLAG.persistence, `${name}.persistence`),
    load(2, R0, R8, at('chance')),
    lshImm(R0, 16),
    load(2, R1, R8, at('chance', 1)),
    or(R0, R1),
    jump(`${name}.drawn`),
    label(`${name}.persistence`),
    load(2, R0, R8, at('persistence')),
    lshImm(R0, 16),
    label(`${name}.drawn`),
    load(4, R1, R6, AT.of),
    mul(R0, R1),
    rshImm(R0, 32),
    load(4, R1, R6, AT.step),
    div(R0, R1),
    load(4, R1, R6, AT.count),
    mod(R0, R1),
    load(8, R1, R6, AT.first),
    add(R0, R1),
    jumpIf('set', R4, FLAG.port, `${name}.port`),
    ...LOW.flatMap((piece) => [store(2, R8, at('destination', piece), R0), rshImm(R0, 16)]),
    jump(chosen),
    label(`${name}.port`),
    store(2, R8, at('destinationPort'), R0),
    jump(chosen),
  ];
}
