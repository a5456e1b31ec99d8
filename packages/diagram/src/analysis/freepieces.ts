/** The pieces that no answer is about: what calls draw, and behind those of the packet one for each opaque test. */
import {
  elementKey,
  LUCKS,
  type OpaqueTest,
  placedTests,
  requireSet,
  type Table,
} from '@sockfilter/table';
import { LimitError } from '../limit.js';
import { firstPiece, PIECES } from '../piece.js';

/** Pieces have 16 bits, and one number is that of terminals. */
const MOST_PIECES = 0xffff;

const FIRST_FREE = Math.min(...LUCKS.map(firstPiece));

/** True for a piece that is an opaque test, or of what calls draw. */
export function isFreePiece(piece: number): boolean {
  return piece >= FIRST_FREE;
}

/** What the test asks. A set that holds something else is something else, whatever becomes of that with time. */
function keyOf({ question, negated }: OpaqueTest, table: Table): string {
  const held =
    question.kind === 'member' && question.changes
      ? requireSet(table, question.set).elements.map(
          (element) => `${elementKey(element)} ${element.timeout ?? ''} ${element.nomatch}`,
        )
      : [];
  // What elements count is no part of what they answer.
  const asked = question.kind === 'member' ? { ...question, counts: false } : question;
  const text = JSON.stringify([asked, held.sort()], (_, value) =>
    typeof value === 'bigint' ? `${value}n` : value,
  );
  return `${negated} ${text}`;
}

/** Numbers the variables of all tables of a store. */
export class FreePieces {
  readonly #pieces = new Map<string, number>();

  #draws = false;

  /** False while no table had an opaque test, or several destinations for a call. */
  get hasAny(): boolean {
    return this.#draws || this.#pieces.size > 0;
  }

  /** A table chooses. */
  draw(): void {
    this.#draws = true;
  }

  /** The piece of each test of the table, by its number. */
  of(table: Table): readonly number[] {
    const seen = new Map<string, number>();
    return placedTests(table).map(({ test }) => {
      const key = keyOf(test, table);
      const occurrence = seen.get(key) ?? 0;
      seen.set(key, occurrence + 1);
      const name = `${occurrence} ${key}`;
      const known = this.#pieces.get(name);
      if (known !== undefined) return known;
      const piece = PIECES.length + this.#pieces.size;
      if (piece >= MOST_PIECES) throw new LimitError('counted', MOST_PIECES);
      this.#pieces.set(name, piece);
      return piece;
    });
  }
}
