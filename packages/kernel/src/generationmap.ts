/** Generations in the kernel: made, read and folded page by page. */
import { BPF_F_INNER_MAP, createMap, type Fd, lookup, type MapSpec, update } from '@sockfilter/bpf';
import type { WalkableBlob } from './blobwalk.js';
import { decodeHeader, type Generation, type Header } from './generation.js';
import { FORMAT, HEADER, NODES_PER_PAGE, PAGE_BYTES } from './layout.js';
import type { SetSlots } from './setmap.js';
import type { Slots } from './statemap.js';

/** The shape of every generation. */
export function generationSpec(pageCount: number): MapSpec {
  return {
    type: 'array',
    name: 'sf_generation',
    keySize: 4,
    valueSize: PAGE_BYTES,
    maxEntries: pageCount,
    flags: BPF_F_INNER_MAP,
  };
}

function pageKey(page: number): Uint8Array {
  const key = new Uint8Array(4);
  new DataView(key.buffer).setUint32(0, page, true);
  return key;
}

function readPages(fd: Fd, first: number, bytes: number): Uint8Array {
  const result = new Uint8Array(Math.ceil(bytes / PAGE_BYTES) * PAGE_BYTES);
  for (let at = 0; at < bytes; at += PAGE_BYTES) {
    const page = lookup(fd, pageKey(first + at / PAGE_BYTES), PAGE_BYTES);
    if (!page) throw new RangeError(`a generation has no page ${first + at / PAGE_BYTES}`);
    result.set(page, at);
  }
  return result.subarray(0, bytes);
}

const viewOf = (bytes: Uint8Array) =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** Loads the pages into a new map. Throws BpfError (ENOMEM). */
export function loadGeneration(generation: Generation): Fd {
  const fd = createMap(generationSpec(generation.pageCount));
  for (const [page, bytes] of generation.pages) update(fd, pageKey(page), bytes);
  return fd;
}

export function readHeader(fd: Fd): Header {
  return decodeHeader(readPages(fd, 0, PAGE_BYTES));
}

/** Says of a generation that a release of this FORMAT is taking its place. */
export function markFormat(fd: Fd): void {
  const page = readPages(fd, 0, PAGE_BYTES);
  viewOf(page).setUint32(HEADER.format, FORMAT, true);
  update(fd, pageKey(0), page);
}

export function readText(fd: Fd, { textPage, textBytes }: Header): string {
  return Buffer.from(readPages(fd, textPage, textBytes)).toString('utf8');
}

export function readBlob(fd: Fd, { nodes, entries }: Header): WalkableBlob {
  const bytes = readPages(fd, 1, 8 * nodes);
  return { words: new Uint32Array(bytes.buffer, 0, 2 * nodes), first: NODES_PER_PAGE, entries };
}

/** The slot of each opaque test's state. */
export function readSlots(fd: Fd, { slotPage, tests }: Header): Slots {
  const view = viewOf(readPages(fd, slotPage, 4 * tests));
  return Array.from({ length: tests }, (_, test) => view.getUint32(4 * test, true));
}

/** The slot of each set. */
export function readSetSlots(fd: Fd, { slotPage, tests, sets }: Header): SetSlots {
  const view = viewOf(readPages(fd, slotPage, 4 * (tests + sets)));
  return Array.from({ length: sets }, (_, set) => view.getUint32(4 * (tests + set), true));
}

/** Whether the counts of the generation before are in this one's base. */
export function isFolded(fd: Fd, { basePage }: Header): boolean {
  return viewOf(readPages(fd, basePage, 8)).getBigUint64(0, true) === 1n;
}

/** The base of a folded generation: what each counter had come to before it. */
function readBase(fd: Fd, { basePage, counters }: Header): Uint8Array {
  return readPages(fd, basePage, 8 * (1 + counters));
}

/** The base that a generation has once the totals of the one before are folded in. */
function foldedBase(fd: Fd, header: Header, before: readonly bigint[]): Uint8Array {
  const base = readBase(fd, header).slice();
  const origins = viewOf(readPages(fd, header.originPage, 4 * header.counters));
  const view = viewOf(base);
  for (let n = 0; n < header.counters; n++) {
    const origin = origins.getUint32(4 * n, true);
    if (origin === 0) continue;
    const total = before[origin - 1];
    if (total === undefined) throw new RangeError(`the generation before has no counter ${origin}`);
    view.setBigUint64(8 * (n + 1), total, true);
  }
  view.setBigUint64(0, 1n, true);
  return base;
}

/**
 * What each counter has come to. `before` are the totals of the generation before where they have not
 * been folded in yet.
 */
export function readTotals(fd: Fd, header: Header, before?: readonly bigint[]): readonly bigint[] {
  const base = viewOf(before ? foldedBase(fd, header, before) : readBase(fd, header));
  const totals = Array.from({ length: header.counters }, (_, n) =>
    base.getBigUint64(8 * (n + 1), true),
  );
  for (let stripe = 0; stripe < header.stripes; stripe++) {
    const page = header.counterPage + stripe * header.stripePages;
    const counts = viewOf(readPages(fd, page, 8 * header.counters));
    totals.forEach((total, n) => {
      totals[n] = total + counts.getBigUint64(8 * n, true);
    });
  }
  return totals;
}

/**
 * Sets the base of a generation from the totals of the one before, which must be at rest. What it
 * writes depends on nothing that it has written, so that it can be done again after an interruption;
 * the mark that it is done is in the page that is written last.
 */
export function writeBase(fd: Fd, header: Header, before: readonly bigint[]): void {
  const base = foldedBase(fd, header, before);
  for (let at = Math.floor((base.length - 1) / PAGE_BYTES); at >= 0; at--) {
    const page = new Uint8Array(PAGE_BYTES);
    page.set(base.subarray(at * PAGE_BYTES, (at + 1) * PAGE_BYTES));
    update(fd, pageKey(header.basePage + at), page);
  }
}
