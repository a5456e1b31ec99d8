/**
 * The map of the generation that was in force before, which the next one is written to: of a large table a new map's memory costs more than
 * all else that an edit does. It is at rest: programs walk it no more once another has been put in force, and what it has
 * counted has been folded in.
 *
 * Who reads without the lock may have it open still (EventSource), and looks behind himself: while a map is written to, its header says of no format.
 */
import { close, type Fd, lookup, mapInfo } from '@sockfilter/bpf';
import { GENERATION_NAME } from './generationmap.js';
import type { Header } from './header.js';
import { PAGE_BYTES, TABLE_SLOTS } from './layout.js';
import { generationPin, type Pins, SPARE_PIN } from './pins.js';
import { slotKey } from './slotkey.js';

/** Whether a map of so many pages is for one that needs that many: no less, and not much more. */
const fits = (entries: number, pages: number) => entries >= pages && entries <= 2 * pages;

/** Whether some program may walk the map. */
function isInTable(table: Fd, id: number): boolean {
  return [TABLE_SLOTS.inForce, TABLE_SLOTS.fallback].some((slot) => {
    const value = lookup(table, slotKey(slot), 4);
    return value !== undefined && new DataView(value.buffer).getUint32(0, true) === id;
  });
}

/** Takes the spare map, for so many pages, to the name; lets go of one that does not fit. */
export function takeSpare(pins: Pins, table: Fd, name: string, pages: number): Fd | undefined {
  const fd = pins.isPin(SPARE_PIN) ? pins.open(SPARE_PIN) : undefined;
  if (fd === undefined) return undefined;
  const { id, name: kind, valueSize, maxEntries } = mapInfo(fd);
  const isPages = kind === GENERATION_NAME && valueSize === PAGE_BYTES;
  if (isPages && fits(maxEntries, pages) && !isInTable(table, id)) {
    pins.rename(SPARE_PIN, pins, name);
    return fd;
  }
  pins.unpin(SPARE_PIN);
  close(fd);
  return undefined;
}

/** Keeps the map of a generation that is at rest for one that is like the next, if it is pinned still. */
export function keepSpare(
  pins: Pins,
  last: { readonly fd: Fd; readonly header: Header },
  pages: number,
): void {
  const name = generationPin(last.header.sequence);
  const isFree = pins.isPin(SPARE_PIN) || !pins.has(SPARE_PIN);
  if (isFree && pins.isPin(name) && fits(mapInfo(last.fd).maxEntries, pages))
    pins.rename(name, pins, SPARE_PIN);
}
