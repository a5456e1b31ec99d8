/**
 * A reader of events: its buffers, one for each CPU, and their places in the map of the programs.
 *
 * While it sleeps, the first event wakes it. Awake it looks every few milliseconds for more, so that a storm of
 * events costs no interrupt for each, and goes to sleep when none has come.
 */
import { BpfError, close, type Fd, PerfBuffer, Poller, startTime, update } from '@sockfilter/bpf';
import { decodeEvent, type RawEvent } from './event.js';
import { READER_SHIFT } from './layout.js';

/** Bytes of all buffers together, and what one may have: 6,500 events fit in each MiB. */
const ALL_BYTES = 1 << 25;
const [LEAST_BYTES, MOST_BYTES] = [1 << 16, 1 << 22];

/** Bytes of each of so many buffers: a power of two. */
function bufferBytes(cpus: number): number {
  const share = 2 ** Math.floor(Math.log2(ALL_BYTES / cpus));
  return Math.min(Math.max(share, LEAST_BYTES), MOST_BYTES);
}

/** How long it stays awake for more. */
const AWAKE_MS = 20;
const ENODEV = 19;

/** What has come since the last look. */
export interface Batch {
  /** In the order of their time. */
  readonly events: readonly RawEvent[];
  /** How many events did not fit, or can't be read by this release. */
  readonly lost: number;
  /** Nanoseconds since 1970 at which the machine started: what their uptime counts from. */
  readonly start: bigint;
}

const isEmpty = ({ events, lost }: Batch) => events.length === 0 && lost === 0;

interface CpuBuffer {
  readonly cpu: number;
  readonly buffer: PerfBuffer;
}

function openBuffers(cpus: number): readonly CpuBuffer[] {
  const opened: CpuBuffer[] = [];
  try {
    for (let cpu = 0; cpu < cpus; cpu++) {
      try {
        opened.push({ cpu, buffer: new PerfBuffer(cpu, bufferBytes(cpus)) });
      } catch (error) {
        // A CPU that is not up runs no calls.
        if (!(error instanceof BpfError && error.errno === ENODEV)) throw error;
      }
    }
    return opened;
  } catch (error) {
    for (const { buffer } of opened) buffer.close();
    throw error;
  }
}

export class EventReader {
  readonly #events: Fd;
  readonly #slot: number;
  readonly #buffers: readonly CpuBuffer[];
  readonly #poller: Poller;
  #lost = 0;
  #isEnded = false;

  /**
   * @param events the map of that name, by a descriptor of the reader's own, which it closes
   * @param slot the reader's number, which nobody else has
   * @param gone descriptors whose other end ends the reading by going
   */
  constructor(events: Fd, slot: number, cpus: number, gone: readonly Fd[] = []) {
    this.#events = events;
    this.#slot = slot;
    this.#buffers = openBuffers(cpus);
    this.#poller = new Poller(
      this.#buffers.map(({ buffer }) => buffer.quiet),
      gone,
    );
    this.#arm('waking');
  }

  /** Batches as they come, until `end` is called or an other end is gone. */
  async *batches(): AsyncGenerator<Batch> {
    while (!this.#isEnded) {
      if (await this.#poller.wait()) return;
      this.#arm('quiet');
      for (let isAwake = true; isAwake && !this.#isEnded; ) {
        const batch = this.#take();
        if (!isEmpty(batch)) yield batch;
        await new Promise((resolve) => setTimeout(resolve, AWAKE_MS));
        isAwake = !isEmpty(batch);
      }
      this.#arm('waking');
      // What came before it was asleep wakes nobody.
      const rest = this.#take();
      if (!isEmpty(rest)) yield rest;
    }
  }

  /** Ends the reading; what has come is given still. */
  end(): void {
    this.#isEnded = true;
    this.#poller.wake();
  }

  /** No batch may be waited for any more. */
  close(): void {
    this.#poller.close();
    close(this.#events);
    for (const { buffer } of this.#buffers) buffer.close();
  }

  #arm(mode: 'waking' | 'quiet'): void {
    for (const { cpu, buffer } of this.#buffers) {
      const key = new Uint8Array(Uint32Array.of((cpu << READER_SHIFT) + this.#slot).buffer);
      update(this.#events, key, new Uint8Array(Uint32Array.of(buffer[mode]).buffer));
    }
  }

  #take(): Batch {
    const events: RawEvent[] = [];
    let unreadable = 0;
    for (const { buffer } of this.#buffers)
      for (const bytes of buffer.take()) {
        const event = decodeEvent(bytes);
        if (event) events.push(event);
        else unreadable++;
      }
    const lost = this.#buffers.reduce((sum, { buffer }) => sum + buffer.lost, 0);
    const before = this.#lost;
    this.#lost = lost;
    events.sort((a, b) => Number(a.uptime - b.uptime));
    return { events, lost: lost - before + unreadable, start: startTime() };
  }
}
