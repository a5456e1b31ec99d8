/**
 * Opaque tests as free variables: each is a piece behind those of the packet, 1 where the test holds. The
 * same test of the same occurrence is one variable in all tables of a store, so that what two tables make of
 * it can be compared. A rule that is asked twice on one way gives the same answer twice: it has then said
 * already, the first time, whatever else it could have led to.
 */
import { type Assume, elementAt, isFree, placedTests, type Table } from '@sockfilter/table';
import type { OutcomeTable, Verdict } from '../outcome.js';
import { isTerminal, type Ref } from '../store.js';
import { draws } from '../walk.js';
import { isFreePiece } from './freepieces.js';
import { IN, OUT, type SetStore } from './setstore.js';

/** The opaque tests of one table, in diagrams of a store. */
export class FreeTests {
  readonly #store: SetStore;
  readonly #pieces: readonly number[];
  readonly #known: ReadonlyMap<number, boolean>;
  readonly #draws: boolean;
  readonly #byCounter = new Map<number, number[]>();

  /** @param assume what tests say for sure, which are no variables then */
  constructor(store: SetStore, table: Table, assume: Assume = () => undefined) {
    this.#store = store;
    const tests = placedTests(table);
    this.#pieces = tests.length === 0 ? [] : store.freePieces.of(table);
    this.#draws = draws(table);
    if (this.#draws) store.freePieces.draw();
    this.#known = new Map(
      tests.flatMap(({ test }, n) => {
        const answer = assume(test);
        return answer === undefined ? [] : [[elementAt(this.#pieces, n), answer]];
      }),
    );
    tests.forEach(({ counter, test }, n) => {
      if (!isFree(test)) return;
      const pieces = this.#byCounter.get(counter) ?? [];
      this.#byCounter.set(counter, pieces);
      pieces.push(elementAt(this.#pieces, n));
    });
  }

  /** The diagram where all tests of the rule hold; a rule is known by its counter. */
  where(counter: number, diagram: Ref): Ref {
    const pieces = this.#byCounter.get(counter) ?? [];
    return pieces.reduceRight((inner, piece) => this.#choose(piece, inner, OUT), diagram);
  }

  /** The diagram of a terminal's verdicts: `mark` says which terminal each is. */
  verdicts(
    outcomes: OutcomeTable,
    terminal: Ref,
    mark: (verdict: Verdict) => Ref,
    known: Map<Ref, Ref>,
  ): Ref {
    const before = known.get(terminal);
    if (before !== undefined) return before;
    const { verdict, ask } = outcomes.of(terminal);
    const made = ask
      ? this.#choose(
          elementAt(this.#pieces, ask.test),
          this.verdicts(outcomes, ask.holds, mark, known),
          this.verdicts(outcomes, ask.fails, mark, known),
        )
      : verdict
        ? mark(verdict)
        : OUT;
    known.set(terminal, made);
    return made;
  }

  /** Where the terminal's packets are counted by the counter, and what tests say then. */
  counting(outcomes: OutcomeTable, terminal: Ref, counter: number, known: Map<Ref, Ref>): Ref {
    const before = known.get(terminal);
    if (before !== undefined) return before;
    const { counted, ask } = outcomes.of(terminal);
    const made = counted.includes(counter)
      ? IN
      : ask
        ? this.#choose(
            elementAt(this.#pieces, ask.test),
            this.counting(outcomes, ask.holds, counter, known),
            this.counting(outcomes, ask.fails, counter, known),
          )
        : OUT;
    known.set(terminal, made);
    return made;
  }

  /** The set of packets of which some answers of the tests make the diagram hold. */
  possible(set: Ref): Ref {
    return this.#pieces.length === 0 && !this.#draws ? set : this.#store.forget(set, isFreePiece);
  }

  /** The first where the variable is 1, else the second; they may ask earlier ones, and it as well. */
  #choose(piece: number, holds: Ref, fails: Ref): Ref {
    if (holds === fails) return holds;
    const known = this.#known.get(piece);
    if (known !== undefined) return known ? holds : fails;
    const { diagrams, guard, overlay } = this.#store;
    if (this.#asksLater(piece, holds) && this.#asksLater(piece, fails)) {
      const row = diagrams.row(piece);
      row.push(0, fails);
      row.push(1, holds);
      return diagrams.intern(piece);
    }
    return overlay(
      guard(this.#variable(piece, true), holds),
      guard(this.#variable(piece, false), fails),
    );
  }

  #asksLater(piece: number, ref: Ref): boolean {
    return isTerminal(ref) || this.#store.diagrams.pieceOf(ref) > piece;
  }

  #variable(piece: number, value: boolean): Ref {
    const { diagrams } = this.#store;
    const row = diagrams.row(piece);
    row.push(0, value ? OUT : IN);
    row.push(1, value ? IN : OUT);
    return diagrams.intern(piece);
  }
}
