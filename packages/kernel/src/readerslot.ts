/**
 * The numbers of readers of events. Each is a file that its reader has locked as long as it lives; its bit in the
 * map `readers` says to the programs that somebody reads, and a reader that was killed leaves that: whoever comes
 * next takes it back. Until then programs write for nobody.
 */
import { join } from 'node:path';
import { close, type Fd, lookup, update } from '@sockfilter/bpf';
import { READER_SLOTS, READERS_BYTES, WATCHERS_AT } from '@sockfilter/events';
import { CapacityError } from './capacity.js';
import { LockedError, takeLock } from './lock.js';

const FOLDER = '/run/sockfilter/readers';
/** Seconds for which others may change the word. */
const PATIENCE = 5;

const KEY = new Uint8Array(4);

function slotPath(instance: string, slot: number): string {
  return join(FOLDER, instance, String(slot));
}

/** The lock of a number that nobody has, or undefined. */
function takeSlot(instance: string, slot: number): Fd | undefined {
  try {
    return takeLock(slotPath(instance, slot), { wait: 0 });
  } catch (error) {
    if (error instanceof LockedError) return undefined;
    throw error;
  }
}

/** Changes the word of the readers; one at a time does. */
function changeReaders(instance: string, readers: Fd, change: (bits: bigint) => bigint): void {
  const lock = takeLock(join(FOLDER, instance, 'lock'), { wait: PATIENCE });
  try {
    const value = lookup(readers, KEY, READERS_BYTES) ?? new Uint8Array(READERS_BYTES);
    const view = new DataView(value.buffer);
    const before = view.getBigUint64(0, true);
    const after = change(before);
    if (after === before) return;
    view.setBigUint64(0, after, true);
    update(readers, KEY, value);
  } finally {
    close(lock);
  }
}

const bitOf = (slot: number) => 1n << BigInt(slot);
const watcherOf = (slot: number) => bitOf(slot) << BigInt(8 * WATCHERS_AT);
const bitsOf = (slot: number) => bitOf(slot) | watcherOf(slot);

/** Programs take the watcher's bit for gone where a CPU has come up since: how long it stays so. */
const RENEW_MS = 1000;

/** Takes back the bits of readers that are gone. */
export function dropGoneReaders(instance: string, readers: Fd): void {
  const value = lookup(readers, KEY, READERS_BYTES);
  if (!value || value.every((byte) => byte === 0)) return;
  changeReaders(instance, readers, (bits) => {
    let left = bits;
    for (let slot = 0; slot < READER_SLOTS; slot++) {
      const lock = takeSlot(instance, slot);
      if (lock === undefined) continue;
      left &= ~bitsOf(slot);
      close(lock);
    }
    return left;
  });
}

/** How many readers there are; one that was killed is none. */
export function countReaders(instance: string, readers: Fd): number {
  const bits = lookup(readers, KEY, READERS_BYTES)?.[0] ?? 0;
  return Array.from({ length: READER_SLOTS }, (_, slot) => slot).filter((slot) => {
    if ((bits & (1 << slot)) === 0) return false;
    const lock = takeSlot(instance, slot);
    if (lock !== undefined) close(lock);
    return lock === undefined;
  }).length;
}

/** A reader's number, its own until it is closed. */
export class ReaderSlot {
  readonly slot: number;
  readonly #instance: string;
  readonly #readers: Fd;
  readonly #lock: Fd;
  #renewing: NodeJS.Timeout | undefined;

  /** Throws CapacityError if all numbers are taken. */
  constructor(instance: string, readers: Fd) {
    dropGoneReaders(instance, readers);
    for (let slot = 0; slot < READER_SLOTS; slot++) {
      const lock = takeSlot(instance, slot);
      if (lock === undefined) continue;
      this.slot = slot;
      this.#instance = instance;
      this.#readers = readers;
      this.#lock = lock;
      return;
    }
    throw new CapacityError(
      'readers of events',
      READER_SLOTS + 1,
      READER_SLOTS,
      'end one of the other `sockfilter monitor`',
    );
  }

  /** Has the programs write events; of calls that pass only if `passed`. */
  announce({ passed }: { readonly passed: boolean }): void {
    const mine = passed ? bitsOf(this.slot) : bitOf(this.slot);
    const announced = () => changeReaders(this.#instance, this.#readers, (bits) => bits | mine);
    announced();
    if (passed) this.#renewing = setInterval(announced, RENEW_MS).unref();
  }

  close(): void {
    clearInterval(this.#renewing);
    changeReaders(this.#instance, this.#readers, (bits) => bits & ~bitsOf(this.slot));
    close(this.#lock);
  }
}
