/**
 * Pieces: the variables of the diagram. Each field of the packet is asked in pieces of at most 16
 * bits, most significant first, the fields in the order of FIELD_BITS:
 *
 *     0 chain   1-2 group   3 family   4 protocol   5-12 source   13-20 destination
 *     21 destinationPort   22 sourcePort   23 flags   24-25 uid   26-27 gid   28-31 mark   then the details
 *
 * An IPv4 address lies in the last two of its eight pieces; the others are 0 then, and no node below
 * family 4 asks them.
 */
import {
  elementAt,
  type Family,
  FIELD_BITS,
  FIELDS,
  type Field,
  fieldValue,
  type Packet,
} from '@sockfilter/table';

export interface Piece {
  readonly field: Field;
  /** Which piece of its field this is; 0 is the most significant. */
  readonly index: number;
  /** Its width, 8 or 16. */
  readonly bits: number;
  /** How far its lowest bit lies above that of the field. */
  readonly shift: number;
}

const PIECE_BITS = 16;

/** Fields in narrower pieces: single bits of marks are asked for, and a node has an interval for each that they make. */
const NARROW: Partial<Readonly<Record<Field, number>>> = { mark: 8 };

/** All pieces, in the order in which a diagram asks them. */
export const PIECES: readonly Piece[] = FIELDS.flatMap((field) => {
  const bits = Math.min(FIELD_BITS[field], NARROW[field] ?? PIECE_BITS);
  const count = FIELD_BITS[field] / bits;
  return Array.from({ length: count }, (_, index) => ({
    field,
    index,
    bits,
    shift: bits * (count - 1 - index),
  }));
});

/** The piece with the number. */
export function pieceAt(number: number): Piece {
  return elementAt(PIECES, number);
}

const FIRST_PIECE = new Map(
  PIECES.flatMap((piece, number) => (piece.index === 0 ? [[piece.field, number]] : [])),
);

/** The number of the first piece of the field. */
export function firstPiece(field: Field): number {
  const first = FIRST_PIECE.get(field);
  if (first === undefined) throw new TypeError(`no field ${field}`);
  return first;
}

/** The width of the field in packets of the family: 32 for the addresses of family 4. */
export function fieldBits(field: Field, family: Family | undefined): number {
  const isAddress = field === 'source' || field === 'destination';
  return isAddress && family === 4 ? 32 : FIELD_BITS[field];
}

/** The value of each piece, in the order of PIECES; fills `values` and returns it. */
export function pieceValues(
  packet: Packet,
  values: Uint16Array = new Uint16Array(PIECES.length),
): Uint16Array {
  let number = 0;
  while (number < PIECES.length) {
    const { field, bits } = pieceAt(number);
    const count = FIELD_BITS[field] / bits;
    const width = BigInt(bits);
    let rest = fieldValue(packet, field);
    for (let index = count - 1; index >= 0; index--) {
      values[number + index] = Number(BigInt.asUintN(bits, rest));
      rest >>= width;
    }
    number += count;
  }
  return values;
}

/** The value of a field in the values of all pieces, whoever filled them in. */
export function fieldOf(values: ArrayLike<number>, field: Field): bigint {
  const first = firstPiece(field);
  const { bits } = pieceAt(first);
  let value = 0n;
  for (let n = 0; n < FIELD_BITS[field] / bits; n++)
    value = (value << BigInt(bits)) | BigInt(elementAt(values, first + n));
  return value;
}
