/** The pieces behind those of the packet: one for each opaque test. */
import {
  elementKey,
  type OpaqueTest,
  placedTests,
  requireSet,
  type Table,
} from '@sockfilter/table';
import { LimitError } from '../limit.js';
import { PIECES } from '../piece.js';

/** Pieces have 16 bits, and one number is that of terminals. */
const MOST_PIECES = 0xffff;

/** True for a piece that is an opaque test. */
export function isFreePiece(piece: number): boolean {
  return piece >= PIECES.length;
}

/** What the test asks. A set that holds something else is something else, whatever becomes of that with time. */
function keyOf({ question, negated }: OpaqueTest, table: Table): string {
  const held =
    question.kind === 'member' && question.changes
      ? requireSet(table, question.set).elements.map(
          (element) => `${elementKey(element)} ${element.timeout ?? ''}`,
        )
      : [];
  const text = JSON.stringify([question, held.sort()], (_, value) =>
    typeof value === 'bigint' ? `${value}n` : value,
  );
  return `${negated} ${text}`;
}

/** Numbers the variables of all tables of a store. */
export class FreePieces {
  readonly #pieces = new Map<string, number>();

  /** False while no table had an opaque test. */
  get hasAny(): boolean {
    return this.#pieces.size > 0;
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
