/**
 * Which generation is in force, and how another takes its place.
 *
 * Each generation is pinned as `generation-N` before it is swapped in, so that after an interruption
 * both are still there: the slot of the table map says which one is in force, and the mark in its
 * base whether the counts of the one before have been folded in.
 */
import { close, type Fd, lookup, mapById, update } from '@sockfilter/bpf';
import type { Generation, Header } from './generation.js';
import { fold, isFolded, loadGeneration, readHeader, readTotals } from './generationmap.js';
import { FORMAT } from './layout.js';
import { MAPS } from './maps.js';
import { type Pins, using } from './pins.js';

/** A generation in the kernel. */
export interface LoadedGeneration {
  readonly fd: Fd;
  readonly header: Header;
}

const SLOT_KEY = new Uint8Array(4);
const PIN = /^generation-(\d+)$/;
const pinOf = (sequence: number) => `generation-${sequence}`;

/**
 * Finds the generation in force, and finishes or undoes the commit that was under way; undefined if
 * there is none. One of another format is left as it is.
 */
export function recoverInForce(pins: Pins): LoadedGeneration | undefined {
  const table = pins.open(MAPS.table);
  if (table === undefined) return undefined;
  const id = using(table, (fd) => lookup(fd, SLOT_KEY, 4));
  const fd = id && mapById(new DataView(id.buffer).getUint32(0, true));
  if (fd === undefined) return undefined;
  const header = readHeader(fd);
  if (header.format !== FORMAT) return { fd, header };
  for (const name of pins.list()) {
    const sequence = Number(PIN.exec(name)?.[1] ?? header.sequence);
    if (sequence === header.sequence) continue;
    const other = pins.open(name);
    if (other !== undefined)
      using(other, (old) => {
        if (sequence < header.sequence && !isFolded(fd, header))
          fold(fd, header, readTotals(old, readHeader(old)));
      });
    pins.unpin(name);
  }
  return { fd, header };
}

/** Loads a generation and pins it; it is not in force yet. Throws BpfError. */
export function loadPinned(pins: Pins, generation: Generation): LoadedGeneration {
  const { header } = generation;
  const fd = loadGeneration(generation);
  pins.unpin(pinOf(header.sequence));
  pins.pin(pinOf(header.sequence), fd);
  return { fd, header };
}

/** Puts a generation in force. When it returns, no program walks the one before any more. */
export function putInForce(table: Fd, { fd }: LoadedGeneration): void {
  const value = new Uint8Array(4);
  new DataView(value.buffer).setUint32(0, fd, true);
  update(table, SLOT_KEY, value);
}

/** Folds the counts of the generation before in, and lets go of it; gives its final counts. */
export function retire(
  pins: Pins,
  last: LoadedGeneration,
  next: LoadedGeneration,
): readonly bigint[] {
  const before = readTotals(last.fd, last.header);
  fold(next.fd, next.header, before);
  pins.unpin(pinOf(last.header.sequence));
  close(last.fd);
  return before;
}
