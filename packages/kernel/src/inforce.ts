/**
 * How a generation takes the place of the one in force.
 *
 * Each is pinned as `generation-N` before it is swapped in, so that after an interruption both are
 * still there: the slot of the table map says which one is in force, and the mark in its base whether
 * the counts of the one before have been folded in.
 */
import { type Fd, update } from '@sockfilter/bpf';
import type { Generation, Header } from './generation.js';
import { loadGeneration, readTotals, writeBase } from './generationmap.js';
import { GENERATION_PIN, generationPin, type Pins } from './pins.js';

/** A generation in the kernel. */
export interface LoadedGeneration {
  readonly fd: Fd;
  readonly header: Header;
}

const SLOT_KEY = new Uint8Array(4);

/** Loads a generation and pins it; it is not in force yet. Throws BpfError. */
export function loadPinned(pins: Pins, generation: Generation): LoadedGeneration {
  const { header } = generation;
  const fd = loadGeneration(generation);
  pins.unpin(generationPin(header.sequence));
  pins.pin(generationPin(header.sequence), fd);
  return { fd, header };
}

/** Puts a generation in force. When it returns, no program walks the one before any more. */
export function putInForce(table: Fd, { fd }: LoadedGeneration): void {
  const value = new Uint8Array(4);
  new DataView(value.buffer).setUint32(0, fd, true);
  update(table, SLOT_KEY, value);
}

/**
 * Folds the counts of the generation before in, which must be at rest, and unpins all but the one in
 * force; gives the final counts of the one before.
 */
export function retire(
  pins: Pins,
  last: LoadedGeneration,
  next: LoadedGeneration,
): readonly bigint[] {
  const before = readTotals(last.fd, last.header);
  writeBase(next.fd, next.header, before);
  unpinOthers(pins, next);
  return before;
}

/** Unpins the generations that are not in force: one that was replaced, or never got so far. */
export function unpinOthers(pins: Pins, { header }: LoadedGeneration): void {
  for (const name of pins.list())
    if (GENERATION_PIN.test(name) && name !== generationPin(header.sequence)) pins.unpin(name);
}
