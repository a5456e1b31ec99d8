/** How packets are rewritten, numbered, so that marks can name it. */
import { elementAt, type Rewriting, rewritingKey, UNCHANGED } from '@sockfilter/table';

export class RewritingNumbers {
  readonly #all: Rewriting[] = [UNCHANGED];
  readonly #numbers = new Map([[rewritingKey(UNCHANGED), 0]]);

  /** Equal for rewritings that make the same of every packet; 0 for none. */
  numberOf(rewriting: Rewriting): number {
    const key = rewritingKey(rewriting);
    const known = this.#numbers.get(key);
    if (known !== undefined) return known;
    const number = this.#all.length;
    this.#all.push(rewriting);
    this.#numbers.set(key, number);
    return number;
  }

  at(number: number): Rewriting {
    return elementAt(this.#all, number);
  }
}
