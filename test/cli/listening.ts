/** A command that prints until it is told to end. */
import type { ChildProcess } from 'node:child_process';
import { type Ended, ended, type Workplace } from './command.js';

/** How often it is tried, and how long a command has to say what came of a try. */
const TRIES = 300;
const TRY_MS = 50;

/** Those that run: a test that fails must leave none. */
const running = new Set<ChildProcess>();
afterEach(() => {
  for (const child of running) child.kill('SIGKILL');
  running.clear();
});

export class Listening {
  readonly #child: ChildProcess;
  readonly #ended: Promise<Ended>;
  #text = '';

  constructor(place: Workplace, words: readonly string[]) {
    this.#child = place.start(words);
    running.add(this.#child);
    this.#ended = ended(this.#child);
    this.#child.stdout?.on('data', (piece) => {
      this.#text += piece;
    });
  }

  get text(): string {
    return this.#text;
  }

  /** Does something again and again until what was printed is as wanted: the command may not listen yet. */
  async until(isWanted: (text: string) => boolean, act: () => Promise<unknown>): Promise<string> {
    for (let n = 0; n < TRIES && !isWanted(this.#text); n++) {
      await act();
      await new Promise((resolve) => setTimeout(resolve, TRY_MS));
    }
    if (!isWanted(this.#text)) throw new Error(`it has said only: ${this.#text}`);
    return this.#text;
  }

  end(signal: NodeJS.Signals = 'SIGINT'): Promise<Ended> {
    this.#child.kill(signal);
    return this.#ended;
  }

  /** Of a command that ends by itself. */
  get ended(): Promise<Ended> {
    return this.#ended;
  }
}
