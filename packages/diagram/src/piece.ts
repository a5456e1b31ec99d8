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
  chainNumber,
  elementAt,
  type Family,
  FIELD_BITS,
  FIELDS,
  type Field,
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

/**
 * The last slot of a walk, behind those of the packet: the rank of the first rule that has matched in the layers of a
 * chain so far, see layers.ts. Diagrams ask it as a piece of 16 bits, after all others.
 */
export const RANK = 63;

/** Where an interval ends that goes on to the last value of its piece: past all values that a piece can have. */
export const PAST_VALUES = 1 << PIECE_BITS;

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

/** Where the pieces of a field lie: from `first` to `last`. */
interface Span {
  readonly field: Field;
  readonly first: number;
  readonly last: number;
  readonly bits: number;
  /** The greatest value of a piece. */
  readonly mask: number;
  /** Both once more, for values that are bigints. */
  readonly wide: { readonly bits: bigint; readonly mask: bigint };
}

const SPANS: readonly Span[] = [...FIRST_PIECE].map(([field, first]) => {
  const { bits } = pieceAt(first);
  const mask = 2 ** bits - 1;
  const wide = { bits: BigInt(bits), mask: BigInt(mask) };
  return { field, first, last: first + FIELD_BITS[field] / bits - 1, bits, mask, wide };
});

/** The value of each piece, in the order of PIECES, and room for all that a walk has slots for. */
export function pieceValues(packet: Packet): Uint16Array {
  const values = new Uint16Array(RANK + 1);
  for (const span of SPANS) {
    const value = packet[span.field] ?? 0;
    if (typeof value === 'bigint') spreadWide(values, span, value);
    else spread(values, span, typeof value === 'string' ? chainNumber(value) : value);
  }
  return values;
}

function spread(values: Uint16Array, { first, last, bits, mask }: Span, value: number): void {
  for (let at = last, rest = value; at >= first; at--, rest >>>= bits) values[at] = rest & mask;
}

/** BigInts are slow, and most addresses are of IPv4 and most details 0: the loop ends with the value. */
function spreadWide(values: Uint16Array, { first, last, wide }: Span, value: bigint): void {
  for (let at = last, rest = value; at >= first && rest !== 0n; at--, rest >>= wide.bits)
    values[at] = Number(rest & wide.mask);
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
