/** A sign of life for people who wait: after a second, on a terminal. */
import { note } from '../output.js';
import { isTerminal } from '../terminal.js';

const QUIET_MS = 1000;

export class Progress {
  readonly #total: number;
  readonly #noun: string;
  #last = Date.now();

  constructor(total: number, noun: string) {
    this.#total = total;
    this.#noun = noun;
  }

  /** To be called when so many are done. */
  report(done: number): void {
    if (!isTerminal(2) || Date.now() - this.#last < QUIET_MS || done === this.#total) return;
    this.#last = Date.now();
    note(`${done} of ${this.#total} ${this.#noun}`);
  }
}
