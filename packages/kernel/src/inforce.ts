/**
 * How a generation takes the place of the one in force.
 *
 * Each is pinned as `generation-N` before it is swapped in, so that after an interruption both are
 * still there: the slot of the table map says which one is in force, and the mark in its base whether
 * the counts of the one before have been folded in.
 */
import { type Fd, lookup, remove, update } from '@sockfilter/bpf';
import type { Generation } from './generation.js';
import {
  loadGeneration,
  readTotals,
  reloadGeneration,
  type Totals,
  writeBase,
} from './generationmap.js';
import type { Header } from './header.js';
import { TABLE_SLOTS } from './layout.js';
import { GENERATION_PIN, generationPin, type Pins } from './pins.js';
import { slotKey } from './slotkey.js';
import { takeSpare } from './spare.js';

/** A generation in the kernel. */
export interface LoadedGeneration {
  readonly fd: Fd;
  readonly header: Header;
}

/**
 * Loads a generation, into the spare map if that is fit, and pins it; it is not in force yet. `table` is where those in force stand.
 * Throws BpfError.
 */
export function loadPinned(pins: Pins, table: Fd, generation: Generation): LoadedGeneration {
  const { header, pageCount } = generation;
  const name = generationPin(header.sequence);
  const spare = takeSpare(pins, table, name, pageCount);
  if (spare !== undefined) {
    reloadGeneration(spare, generation);
    return { fd: spare, header };
  }
  const fd = loadGeneration(generation);
  pins.unpin(name);
  pins.pin(name, fd);
  return { fd, header };
}

function setSlot(table: Fd, slot: number, { fd }: LoadedGeneration): void {
  const value = new Uint8Array(4);
  new DataView(value.buffer).setUint32(0, fd, true);
  update(table, slotKey(slot), value);
}

/** Puts a generation in force. When it returns, no program walks the one before any more. */
export function putInForce(table: Fd, generation: LoadedGeneration): void {
  setSlot(table, TABLE_SLOTS.inForce, generation);
}

/** Says what is to be in force past the deadline of the one that is going to be. */
export function setFallback(table: Fd, generation: LoadedGeneration): void {
  setSlot(table, TABLE_SLOTS.fallback, generation);
}

/** Ends what `setFallback` has said, by a commit that was interrupted as well. */
export function clearFallback(table: Fd): void {
  const key = slotKey(TABLE_SLOTS.fallback);
  // Removing waits for the programs that run, looking does not.
  if (lookup(table, key, 4)) remove(table, key);
}

/** Folds the counts of the generation before in, which must be at rest; gives its final counts. */
export function fold(last: LoadedGeneration, next: LoadedGeneration): Totals {
  const before = readTotals(last.fd, last.header);
  writeBase(next.fd, next.header, before);
  return before;
}

/** Unpins the generations that are not to be kept: one that was replaced, or never got so far. */
export function unpinOthers(pins: Pins, ...kept: readonly LoadedGeneration[]): void {
  const names = new Set(kept.map(({ header }) => generationPin(header.sequence)));
  for (const name of pins.list())
    if (GENERATION_PIN.test(name) && !names.has(name) && pins.isPin(name)) pins.unpin(name);
}
