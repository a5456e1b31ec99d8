/** Listening to whatever is installed at a root: through commits, upgrades and new installs, until it is told to end. */
import { type Batch, EventReader } from '@sockfilter/events';
import { EventSource, PinWatch } from '@sockfilter/kernel';
import type { Globals } from '../globals.js';
import { note } from '../output.js';
import { Knowledge } from './knowledge.js';

/** Who listens. */
export interface Audience {
  /** Whether calls that pass are to be told too. */
  readonly passed: boolean;
  /** Told of each instance, before its first event; throws where what is asked for does not fit the first. */
  readonly begin: (knowledge: Knowledge, isFirst: boolean) => void;
  /** False ends the listening; the next batch waits for it. */
  readonly hear: (batch: Batch, knowledge: Knowledge) => boolean | Promise<boolean>;
  /** Ends the listening by its abort. */
  readonly until?: AbortSignal;
  /** Told what a person should know; standard error if left out. */
  readonly tell?: (text: string) => void;
  /** Descriptors that end the listening when their other end goes; standard output if left out. */
  readonly outputs?: readonly number[];
}

const STDOUT = 1;
const LOOK_AGAIN_MS = 1000;

export class Listener {
  readonly #root: string;
  readonly #audience: Required<Omit<Audience, 'until'>>;
  readonly #watch: PinWatch;
  #isFirst = true;
  #isEnded = false;
  #source: EventSource | undefined;
  #knowledge: Knowledge | undefined;
  #reader: EventReader | undefined;
  #changed: () => void = () => undefined;

  constructor({ root }: Pick<Globals, 'root'>, audience: Audience) {
    this.#root = root;
    this.#audience = { tell: note, outputs: [STDOUT], ...audience };
    this.#watch = new PinWatch(root, () => this.#look());
  }

  async run(): Promise<void> {
    try {
      for (let isFirst = true; !this.#isEnded; isFirst = false) {
        const source = EventSource.open(this.#root);
        if (source) await this.#read(source);
        else await this.#waitForInstall(isFirst);
      }
    } finally {
      this.#watch.close();
    }
  }

  end(): void {
    this.#isEnded = true;
    this.#reader?.end();
    this.#changed();
  }

  /** After something was pinned or unpinned. */
  #look(): void {
    this.#changed();
    if (!this.#source) return;
    if (this.#source.isGone) this.#reader?.end();
    else this.#knowledge?.learn();
  }

  async #waitForInstall(tells: boolean): Promise<void> {
    if (tells)
      this.#audience.tell(
        `this release enforces nothing below ${this.#root} yet: waiting until it does`,
      );
    await new Promise<void>((resolve) => {
      // A pin may come between the look and the wait.
      const again = setTimeout(resolve, LOOK_AGAIN_MS);
      this.#changed = () => {
        clearTimeout(again);
        resolve();
      };
    });
  }

  async #read(source: EventSource): Promise<void> {
    this.#source = source;
    const { events, slot, cpus } = source;
    const reader = new EventReader(events, slot.slot, cpus, this.#audience.outputs);
    this.#reader = reader;
    try {
      const knowledge = new Knowledge(source);
      this.#knowledge = knowledge;
      this.#audience.begin(knowledge, this.#isFirst);
      this.#isFirst = false;
      if (this.#audience.passed && source.isOfOtherRelease)
        this.#audience.tell(
          'another release has put the rules in force: of calls that pass it tells nothing',
        );
      slot.announce({ passed: this.#audience.passed });
      if (this.#isEnded || source.isGone) return;
      for await (const batch of reader.batches()) {
        knowledge.learn();
        if (!(await this.#audience.hear(batch, knowledge))) this.end();
      }
      if (!source.isGone) this.#isEnded = true;
    } finally {
      this.#source = undefined;
      this.#reader = undefined;
      source.slot.close();
      reader.close();
      source.close();
    }
  }
}

/** Listens until a signal, or the audience, ends it. */
export async function listen(globals: Globals, audience: Audience): Promise<void> {
  const listener = new Listener(globals, audience);
  const end = () => listener.end();
  const signals = ['SIGINT', 'SIGTERM'] as const;
  for (const signal of signals) process.on(signal, end);
  audience.until?.addEventListener('abort', end);
  try {
    await listener.run();
  } finally {
    audience.until?.removeEventListener('abort', end);
    for (const signal of signals) process.off(signal, end);
  }
}
