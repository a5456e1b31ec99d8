/** Waiting for descriptors, without a look at them meanwhile. */
import { writeSync } from 'node:fs';
import { BpfError } from './error.js';
import { close, type Fd, linux, type SharingSyscalls } from './syscall.js';

const POLLIN = 1;
/** struct pollfd. */
const POLLFD = { bytes: 8, events: 4, revents: 6 } as const;
const EFD_CLOEXEC = 0o2000000;

/** Waits until one of some descriptors has something, or somebody calls `wake`. */
export class Poller {
  readonly #sys: SharingSyscalls;
  readonly #bell: Fd;
  readonly #fds: Uint8Array;
  readonly #count: number;

  /**
   * @param readable descriptors that end the wait when there is something to read
   * @param gone descriptors that end it when the other end is gone
   */
  constructor(readable: readonly Fd[], gone: readonly Fd[] = [], sys: SharingSyscalls = linux) {
    this.#sys = sys;
    const bell = sys.call('eventfd2', 0, EFD_CLOEXEC);
    if (bell < 0) throw new BpfError('eventfd2', -bell);
    this.#bell = bell;
    const waiting = [bell, ...readable].map((fd) => ({ fd, events: POLLIN }));
    const all = [...waiting, ...gone.map((fd) => ({ fd, events: 0 }))];
    this.#count = all.length;
    this.#fds = new Uint8Array(POLLFD.bytes * all.length);
    const view = new DataView(this.#fds.buffer);
    all.forEach(({ fd, events }, n) => {
      view.setInt32(POLLFD.bytes * n, fd, true);
      view.setInt16(POLLFD.bytes * n + POLLFD.events, events, true);
    });
  }

  /** Resolves when there is something; to true if an other end is gone. Once at a time. */
  async wait(): Promise<boolean> {
    // Interrupted or not: whoever waits looks again.
    await this.#sys.wait('ppoll', this.#fds, this.#count, 0, 0, 0);
    const view = new DataView(this.#fds.buffer);
    return Array.from({ length: this.#count }, (_, n) => n).some(
      (n) => (view.getUint16(POLLFD.bytes * n + POLLFD.revents, true) & ~POLLIN) !== 0,
    );
  }

  /** Ends the wait that is under way, and every later one. */
  wake(): void {
    const one = new Uint8Array(8);
    one[0] = 1;
    writeSync(this.#bell, one);
  }

  /** No wait must be under way. */
  close(): void {
    close(this.#bell, this.#sys);
  }
}
