/** Generations in the kernel: made, read and folded page by page. */
import {
  BPF_F_INNER_MAP,
  createMap,
  type Fd,
  largePages,
  lookupRun,
  type MapSpec,
  sharedPages,
  updateRun,
} from '@sockfilter/bpf';
import { elementAt } from '@sockfilter/table';
import type { WalkableBlob } from './blobwalk.js';
import type { Generation, PageRun, StandingGeneration } from './generation.js';
import { decodeHeader, type Header } from './header.js';
import {
  BASE,
  COUNTERS_PER_PAGE,
  FIRST_NODE,
  FORMAT,
  HEAD_BYTES,
  HEADER,
  HEADER_BYTES,
  PAGE_BYTES,
} from './layout.js';
import type { SetSlots } from './setmap.js';
import type { Slots } from './statemap.js';

export const GENERATION_NAME = 'sf_generation';

/** The shape of every generation. */
export function generationSpec(pageCount: number): MapSpec {
  return {
    type: 'array',
    name: GENERATION_NAME,
    keySize: 4,
    valueSize: PAGE_BYTES,
    maxEntries: pageCount,
    flags: BPF_F_INNER_MAP,
  };
}

function readRun(fd: Fd, first: number, into: Uint8Array): void {
  const count = lookupRun(fd, first, into, PAGE_BYTES);
  if (count * PAGE_BYTES < into.length)
    throw new RangeError(`a generation has no page ${first + count}`);
}

const writeRun = (fd: Fd, { first, bytes }: PageRun) => updateRun(fd, first, bytes, PAGE_BYTES);

/** `spare` bytes of the memory behind what was read have nothing in it; without them there is no room behind it. */
function readPages(fd: Fd, first: number, bytes: number, spare = 0): Uint8Array<ArrayBuffer> {
  const whole = Math.ceil(bytes / PAGE_BYTES) * PAGE_BYTES;
  const result = spare > 0 ? largePages(whole + spare) : sharedPages(whole);
  readRun(fd, first, result.subarray(0, whole));
  return result.subarray(0, bytes);
}

const viewOf = (bytes: Uint8Array) =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

const wordsOf = (bytes: Uint8Array<ArrayBuffer>) =>
  new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);

/** With a sixteenth more, so that many edits, which leave nodes behind that nothing leads to, find room in the maps that there are. */
const withRoom = (pageCount: number) => pageCount + (pageCount >> 4);

/** Loads the pages into a new map. Throws BpfError (ENOMEM). */
export function loadGeneration(generation: Generation): Fd {
  const fd = createMap(generationSpec(withRoom(generation.pageCount)));
  for (const run of generation.runs) writeRun(fd, run);
  return fd;
}

/** Pages that are written as zeros at a time. */
const BLANK_PAGES = 4;

function writeBlank(fd: Fd, blank: Uint8Array, first: number, end: number): void {
  for (let page = first; page < end; page += BLANK_PAGES)
    writeRun(fd, { first: page, bytes: blank.subarray(0, (end - page) * PAGE_BYTES) });
}

/**
 * Writes the pages to a map that no program walks and that has had others. From the first step on and until all else is there, the
 * header is of no format: so who has it open can tell.
 */
export function reloadGeneration(fd: Fd, { runs, pageCount }: Generation): void {
  const [head, ...others] = runs;
  if (head?.first !== 0 || head.bytes.length !== PAGE_BYTES)
    throw new TypeError('the first run of a generation is its header');
  const blank = sharedPages(BLANK_PAGES * PAGE_BYTES);
  writeBlank(fd, blank, 0, 1);
  let page = 1;
  for (const run of others) {
    writeBlank(fd, blank, page, run.first);
    writeRun(fd, run);
    page = run.first + run.bytes.length / PAGE_BYTES;
  }
  writeBlank(fd, blank, page, pageCount);
  const unsaid = head.bytes.slice();
  viewOf(unsaid).setUint32(HEADER.format, 0, true);
  writeRun(fd, { first: 0, bytes: unsaid });
  writeRun(fd, head);
}

/** What the header says; the format is that of a newer release if one is taking its place. */
export function readHeader(fd: Fd): Header {
  const header = decodeHeader(readPages(fd, 0, PAGE_BYTES));
  const mark = viewOf(readPages(fd, header.basePage, 8)).getUint32(BASE.mark, true);
  return { ...header, format: Math.max(header.format, mark) };
}

/**
 * Says of a generation that a release of this FORMAT is taking its place. Programs go on counting meanwhile, so it is not said on a page
 * on which they do.
 */
export function markFormat({ fd, header }: { readonly fd: Fd; readonly header: Header }): void {
  const isNear = header.firstCounter < COUNTERS_PER_PAGE;
  const [first, at] = isNear ? [header.basePage, BASE.mark] : [0, HEADER.format];
  const bytes = readPages(fd, first, PAGE_BYTES);
  viewOf(bytes).setUint32(at, FORMAT, true);
  writeRun(fd, { first, bytes });
}

/** The text in UTF-8, with room for some more behind it. */
export function readTextBytes(fd: Fd, { textPage, textBytes }: Header): Buffer<ArrayBuffer> {
  const { buffer, byteOffset, byteLength } = readPages(fd, textPage, textBytes, PAGE_BYTES);
  return Buffer.from(buffer, byteOffset, byteLength);
}

export function readText(fd: Fd, header: Header): string {
  return readTextBytes(fd, header).toString('utf8');
}

/** The header, and the nodes, behind which is room for so many more bytes. */
function readNodes(fd: Fd, nodes: number, spare = 0) {
  const bytes = readPages(fd, 0, HEAD_BYTES + 8 * nodes, spare);
  return { header: bytes.subarray(0, HEADER_BYTES), words: wordsOf(bytes.subarray(HEAD_BYTES)) };
}

/** All of a generation that the next one may go on with; behind the nodes is room for a few pages of them. */
export function readStanding(fd: Fd, header: Header): StandingGeneration {
  const { nodes, summaryPage } = header;
  const kept = summaryPage === 0 ? 0 : nodes;
  const { header: head, words } = readNodes(fd, nodes, 4 * PAGE_BYTES);
  const summaries = wordsOf(readPages(fd, summaryPage, 4 * kept, 2 * PAGE_BYTES));
  return { head, header, words, summaries };
}

export function readBlob(fd: Fd, { nodes, entries }: Header): WalkableBlob {
  return { words: readNodes(fd, nodes).words, first: FIRST_NODE, entries };
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
  return viewOf(readPages(fd, basePage, 8)).getUint32(BASE.folded, true) === 1;
}

/** The base of a folded generation: whether it is one, and what each counter had come to before it. */
function readBase(fd: Fd, { basePage, counters }: Header): BigUint64Array<ArrayBuffer> {
  const { buffer, byteOffset } = readPages(fd, basePage, 8 * (1 + counters));
  return new BigUint64Array(buffer, byteOffset, 1 + counters);
}

/** A number for each counter. */
export type Totals = BigUint64Array;

/** Where the numbers end that follow each other from one on: most counters stand beside the same others as before. */
function runEnd(numbers: Uint32Array, start: number): number {
  const before = elementAt(numbers, start) - start;
  let end = start + 1;
  while (end < numbers.length && numbers[end] === before + end) end++;
  return end;
}

/** The base that a generation has once the totals of the one before are folded in. */
function foldedBase(fd: Fd, header: Header, before: Totals): BigUint64Array<ArrayBuffer> {
  const { counters, originPage } = header;
  const base = readBase(fd, header);
  const origins = wordsOf(readPages(fd, originPage, 4 * counters));
  for (let n = 0; n < counters; ) {
    const origin = elementAt(origins, n);
    const end = origin === 0 ? n + 1 : runEnd(origins, n);
    if (origin !== 0) {
      const last = origin - 1 + end - n;
      if (last > before.length)
        throw new RangeError(`the generation before has no counter ${last}`);
      base.set(before.subarray(origin - 1, last), 1 + n);
    }
    n = end;
  }
  base[0] = 1n;
  return base;
}

/** Adds to each number the other's; in halves, since there may be a million, and every bigint is an object. */
function add(totals: Uint32Array, counts: Uint32Array): void {
  for (let at = 0; at < totals.length; at += 2) {
    const low = elementAt(totals, at) + elementAt(counts, at);
    totals[at] = low;
    totals[at + 1] =
      elementAt(totals, at + 1) + elementAt(counts, at + 1) + (low > MAX_HALF ? 1 : 0);
  }
}

const MAX_HALF = 2 ** 32 - 1;
const BLANK = Buffer.alloc(PAGE_BYTES);

/**
 * What each counter has come to. `before` are the totals of the generation before where they have not
 * been folded in yet.
 */
export function readTotals(fd: Fd, header: Header, before?: Totals): Totals {
  const { counters, firstCounter, stripes, stripeLength } = header;
  const base = before ? foldedBase(fd, header, before) : readBase(fd, header);
  const totals = new Uint32Array(base.buffer, base.byteOffset + 8, 2 * counters);
  const page = Buffer.alloc(PAGE_BYTES);
  const counts = new Uint32Array(page.buffer, page.byteOffset, PAGE_BYTES / 4);
  let read = -1;
  for (let stripe = 0; stripe < stripes; stripe++)
    for (let n = 0, end = 0; n < counters; n = end) {
      const address = firstCounter + stripe * stripeLength + n;
      const at = address % COUNTERS_PER_PAGE;
      end = Math.min(n + COUNTERS_PER_PAGE - at, counters);
      const number = Math.floor(address / COUNTERS_PER_PAGE);
      if (number !== read) readRun(fd, number, page);
      read = number;
      // Of many rules few are met.
      if (!page.equals(BLANK)) add(totals.subarray(2 * n, 2 * end), counts.subarray(2 * at));
    }
  return base.subarray(1);
}

/**
 * Sets the base of a generation from the totals of the one before, which must be at rest. What it
 * writes depends on nothing that it has written, so that it can be done again after an interruption;
 * the mark that it is done is in the page that is written last.
 */
export function writeBase(fd: Fd, header: Header, before: Totals): void {
  const { buffer, byteOffset, byteLength } = foldedBase(fd, header, before);
  for (let n = Math.ceil(byteLength / PAGE_BYTES) - 1; n >= 0; n--) {
    const bytes = Buffer.from(buffer, byteOffset + n * PAGE_BYTES, PAGE_BYTES);
    if (!bytes.equals(BLANK)) writeRun(fd, { first: header.basePage + n, bytes });
  }
}
