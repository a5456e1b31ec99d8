/** Conditions that are one path because each option of their rule is one test of numbers: put together without sets. */
import { elementAt, FIELD_BITS, FIELDS, type Field, type PlainTest } from '@sockfilter/table';
import { OF_FAMILY } from './clip.js';
import { fieldBits, firstPiece, PAST_VALUES, pieceAt } from './piece.js';

/** More pieces than any path asks. */
const MOST_INTERVALS = 64;

/** The pieces of a field of which tests of numbers ask, of addresses the last 32 bits. */
interface FieldPieces {
  readonly first: number;
  /** How many there are, each of so many bits. */
  readonly count: number;
  readonly bits: number;
  /** The greatest value of the field. */
  readonly most: number;
}

function piecesOf(field: Field): FieldPieces {
  const { bits } = pieceAt(firstPiece(field));
  const width = fieldBits(field, 4);
  const first = firstPiece(field) + (FIELD_BITS[field] - width) / bits;
  return { first, count: width / bits, bits, most: 2 ** width - 1 };
}

const PIECES_OF: ReadonlyMap<Field, FieldPieces> = new Map(
  FIELDS.map((field) => [field, piecesOf(field)]),
);

const FAMILY_PIECE = firstPiece('family');

/** Where the values end that stand for family 4: see clip(). */
const FAMILY_END = (() => {
  const { set } = OF_FAMILY[4];
  const range = set.kind === 'ranges' ? set.ranges[0] : undefined;
  if (range?.[0] !== 0n) throw new TypeError('family 4 does not come first');
  return Number(range[1]) + 1;
})();

/** An interval for each piece that is asked, the pieces ascending: values from `from` up to, without, `end`. */
export class PlainPath {
  readonly pieces = new Uint8Array(MOST_INTERVALS);
  readonly froms = new Int32Array(MOST_INTERVALS);
  readonly ends = new Int32Array(MOST_INTERVALS);
  length = 0;
  #hasFamily = false;

  clear(): void {
    this.length = 0;
    this.#hasFamily = false;
  }

  /** Adds what the test asks; false if all together are no path, or it is not told so easily. */
  readonly add = ({ field, family, from, to }: PlainTest): boolean => {
    if (family === 6) return false;
    if (family === 4 && !this.#hasFamily) {
      this.#hasFamily = true;
      this.#put(FAMILY_PIECE, 0, FAMILY_END);
    }
    const { first, count, bits, most } = PIECES_OF.get(field) ?? missing(field);
    if (to > most) return false;
    if (from === 0 && to === most) return true;
    const values = 1 << bits;
    let isDecided = false;
    for (let n = 0; n < count; n++) {
      const shift = bits * (count - 1 - n);
      const low = (from >>> shift) & (values - 1);
      const high = (to >>> shift) & (values - 1);
      if (low === 0 && high === values - 1) {
        isDecided = true;
        continue;
      }
      if (isDecided) return false;
      isDecided = low !== high;
      if (!this.#put(first + n, low, high === values - 1 ? PAST_VALUES : high + 1)) return false;
    }
    return true;
  };

  /** False if the piece is asked already. */
  #put(piece: number, from: number, end: number): boolean {
    const { pieces, froms, ends } = this;
    let at = this.length;
    for (; at > 0 && elementAt(pieces, at - 1) >= piece; at--) {
      if (pieces[at - 1] === piece) return false;
      pieces[at] = elementAt(pieces, at - 1);
      froms[at] = elementAt(froms, at - 1);
      ends[at] = elementAt(ends, at - 1);
    }
    pieces[at] = piece;
    froms[at] = from;
    ends[at] = end;
    this.length++;
    return true;
  }
}

function missing(field: Field): never {
  throw new TypeError(`no field ${field}`);
}
