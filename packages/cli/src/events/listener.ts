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
  /** False ends the listening. */
  readonly hear: (batch: Batch, knowledge: Knowledge) => boolean;
  /** Ends the listening by its abort. */
  readonly until?: AbortSignal;
}

const STDOUT = 1;
const LOOK_AGAIN_MS = 1000;

class Listener {
  readonly #globals: Globals;
  readonly #audience: Audience;
  readonly #watch: PinWatch;
  #isFirst = true;
  #isEnded = false;
  #source: EventSource | undefined;
  #knowledge: Knowledge | undefined;
  #reader: EventReader | undefined;
  #changed: () => void = () => undefined;

  constructor(globals: Globals, audience: Audience) {
    this.#globals = globals;
    this.#audience = audience;
    this.#watch = new PinWatch(globals.root, () => this.#look());
  }

  async run(): Promise<void> {
    try {
      for (let isFirst = true; !this.#isEnded; isFirst = false) {
        const source = EventSource.open(this.#globals.root);
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
      note(`this release enforces nothing below ${this.#globals.root} yet: waiting until it does`);
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
    const reader = new EventReader(events, slot.slot, cpus, [STDOUT]);
    this.#reader = reader;
    try {
      const knowledge = new Knowledge(source);
      this.#knowledge = knowledge;
      this.#audience.begin(knowledge, this.#isFirst);
      this.#isFirst = false;
      if (this.#audience.passed && source.isOfOtherRelease)
        note('another release has put the rules in force: of calls that pass it tells nothing');
      slot.announce({ passed: this.#audience.passed });
      if (this.#isEnded || source.isGone) return;
      for await (const batch of reader.batches()) {
        knowledge.learn();
        if (!this.#audience.hear(batch, knowledge)) this.end();
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
