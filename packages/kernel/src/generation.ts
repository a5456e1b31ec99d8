/** A generation as plain data: the pages to load, and what pages that were read back say. */
import { buildDiagram, type Limits, listeners } from '@sockfilter/diagram';
import {
  BUILTIN_CHAINS,
  type BuiltinChain,
  type CounterOwner,
  counterOwners,
  elementAt,
  hasState,
  type PlacedTest,
  placedTests,
  type Table,
} from '@sockfilter/table';
import { type Blob, encodeBlob } from './blob.js';
import { entriesOf } from './bucketmap.js';
import { CapacityError } from './capacity.js';
import {
  COUNTERS_PER_PAGE,
  detailBit,
  FORMAT,
  HEADER,
  MAX_RULES,
  MAX_SETS,
  MAX_STATES,
  MAX_STRIPES,
  MOST_BUCKETS_ENTRIES,
  NODE,
  NODES_PER_PAGE,
  PAGE_BYTES,
} from './layout.js';
import type { SetSlots } from './setmap.js';
import type { Slots } from './statemap.js';

/** A table made ready for the kernel, all that takes time; the same for any generation. */
export interface CompiledTable {
  readonly blob: Blob;
  readonly owners: readonly CounterOwner[];
  /** The opaque tests. */
  readonly tests: readonly PlacedTest[];
  readonly rules: number;
  readonly denyUnseen: boolean;
  /** The named sets, by their names and as rules number them. */
  readonly sets: readonly string[];
}

/** How a table is compiled. */
export interface CompileOptions {
  readonly limits?: Partial<Limits>;
  /** Whether accept(2) asks which listeners no peer may reach. */
  readonly tellsListeners?: boolean;
}

/** Compiles a table. Throws LimitError and CapacityError. */
export function compileTable(
  table: Table,
  { limits, tellsListeners = false }: CompileOptions = {},
): CompiledTable {
  const owners = counterOwners(table);
  const rules = owners.filter(({ rule }) => rule).length;
  if (rules > MAX_RULES) throw new CapacityError('rules', rules, MAX_RULES);
  const tests = placedTests(table);
  const states = tests.filter(({ test }) => hasState(test)).length;
  if (states > MAX_STATES) throw new CapacityError('tests with a state', states, MAX_STATES);
  const entries = entriesOf(tests.map(({ test }) => test));
  if (entries > MOST_BUCKETS_ENTRIES) {
    const help = 'give the rules with hashlimit a smaller `--hashlimit-htable-max`';
    throw new CapacityError('entries of buckets', entries, MOST_BUCKETS_ENTRIES, help);
  }
  const diagram = buildDiagram(table, limits);
  const told = tellsListeners ? listeners(diagram) : undefined;
  const blob = encodeBlob(diagram, NODES_PER_PAGE, tests, told);
  const sets = table.sets.map(({ name }) => name);
  if (sets.length > MAX_SETS) throw new CapacityError('sets', sets.length, MAX_SETS);
  return { blob, owners, tests, rules, denyUnseen: table.denyUnseen, sets };
}

export interface GenerationInput {
  /** The table in the save format: what `save` prints until the next commit. */
  readonly text: string;
  readonly sequence: number;
  readonly idSlot: number;
  readonly idEpoch: number;
  readonly cpus: number;
  /** What the attached programs are, as programDigest() says it. */
  readonly programs: number;
  /** When it is to be undone, in ns since boot; 0n for never. */
  readonly deadline: bigint;
  /**
   * For each counter the one of the generation before that it goes on, or undefined for one that
   * starts at its rule's or chain's `packets`.
   */
  readonly origins: readonly (number | undefined)[];
  /** The slot of each opaque test's state. */
  readonly slots: Slots;
  /** The slot of each set. */
  readonly setSlots: SetSlots;
  /** True if there is a generation before, whose counts are to be folded in. */
  readonly follows: boolean;
}

/** Pages that are not all zero, by number, and how many there are in all. */
export interface Generation {
  readonly pages: ReadonlyMap<number, Uint8Array>;
  readonly pageCount: number;
  readonly header: Header;
}

/** The header's fields in words. */
export interface Header {
  readonly format: number;
  readonly sequence: number;
  readonly idSlot: number;
  readonly idEpoch: number;
  readonly programs: number;
  readonly deadline: bigint;
  readonly counters: number;
  readonly counterPage: number;
  readonly stripePages: number;
  readonly stripes: number;
  readonly originPage: number;
  readonly basePage: number;
  readonly textPage: number;
  readonly textBytes: number;
  readonly nodes: number;
  readonly rules: number;
  readonly tests: number;
  readonly slotPage: number;
  readonly sets: number;
  readonly entries: Readonly<Record<BuiltinChain, number>>;
}

const pagesFor = (bytes: number) => Math.ceil(bytes / PAGE_BYTES);

/** The stripes that so many CPUs get: a power of two. */
function stripesFor(cpus: number): number {
  let stripes = 1;
  while (stripes < cpus && stripes < MAX_STRIPES) stripes *= 2;
  return stripes;
}

/** The nodes, each ASK with the slot of its state or set. */
function withSlots(
  { blob: { words, asks }, tests, sets }: CompiledTable,
  { slots, setSlots }: GenerationInput,
): Uint32Array<ArrayBuffer> {
  const made = Uint32Array.from(words);
  const slotOf = (test: number) => {
    const { question } = elementAt(tests, test).test;
    return question.kind === 'member'
      ? elementAt(setSlots, sets.indexOf(question.set))
      : elementAt(slots, test);
  };
  for (const { node, test } of asks) made[2 * node + NODE.state / 4] = slotOf(test);
  return made;
}

/** Lays a generation out. */
export function makeGeneration(compiled: CompiledTable, input: GenerationInput): Generation {
  const { blob, owners, tests, rules, denyUnseen } = compiled;
  const text = Buffer.from(input.text, 'utf8');
  const nodeBytes = new Uint8Array(withSlots(compiled, input).buffer);

  const stripes = stripesFor(input.cpus);
  const stripePages = Math.ceil(owners.length / COUNTERS_PER_PAGE);
  const originPage = 1 + pagesFor(nodeBytes.length);
  const basePage = originPage + pagesFor(4 * owners.length);
  const counterPage = basePage + pagesFor(8 * (1 + owners.length));
  const slotPage = counterPage + stripes * stripePages;
  const textPage = slotPage + pagesFor(4 * (tests.length + input.setSlots.length));
  const header: Header = {
    format: FORMAT,
    sequence: input.sequence,
    idSlot: input.idSlot,
    idEpoch: input.idEpoch,
    programs: input.programs,
    deadline: input.deadline,
    counters: owners.length,
    counterPage,
    stripePages,
    stripes,
    originPage,
    basePage,
    textPage,
    textBytes: text.length,
    nodes: blob.words.length / 2,
    rules,
    tests: tests.length,
    slotPage,
    sets: input.setSlots.length,
    entries: blob.entries,
  };

  const bits = (has: (chain: BuiltinChain) => boolean) =>
    BUILTIN_CHAINS.reduce((set, chain, n) => set | (has(chain) ? 1 << n : 0), 0);
  const head = encodeHeader(header);
  blob.listenerEntries.forEach((entry, n) => {
    head.setUint32(HEADER.listeners + 4 * n, entry, true);
  });
  head.setUint32(HEADER.denyUnseen, denyUnseen ? 1 : 0, true);
  head.setUint32(
    HEADER.groupChains,
    bits((chain) => blob.facts[chain].testsGroup),
    true,
  );
  head.setUint32(
    HEADER.ownerChains,
    bits((chain) => blob.facts[chain].testsOwner),
    true,
  );
  head.setUint32(
    HEADER.markChains,
    bits((chain) => blob.facts[chain].testsMark),
    true,
  );
  head.setUint32(
    HEADER.leadingChains,
    bits((chain) => blob.facts[chain].leadsElsewhere),
    true,
  );
  head.setUint32(
    HEADER.refusingChains,
    bits((chain) => blob.facts[chain].canRefuse),
    true,
  );

  BUILTIN_CHAINS.forEach((chain, n) => {
    const asked = blob.facts[chain].details.reduce((set, detail) => set | detailBit(detail), 0);
    head.setUint32(HEADER.details + 4 * n, asked, true);
  });

  const originBytes = new Uint8Array(4 * owners.length);
  const originView = new DataView(originBytes.buffer);
  const baseBytes = new Uint8Array(8 * (1 + owners.length));
  const baseView = new DataView(baseBytes.buffer);
  baseView.setBigUint64(0, input.follows ? 0n : 1n, true);
  owners.forEach(({ rule, chain }, n) => {
    const origin = input.origins[n];
    if (origin !== undefined) originView.setUint32(4 * n, origin + 1, true);
    else baseView.setBigUint64(8 * (n + 1), (rule ?? chain).packets, true);
  });

  const pages = new Map<number, Uint8Array>();
  const put = (first: number, bytes: Uint8Array) => {
    for (let at = 0; at < bytes.length; at += PAGE_BYTES) {
      const page = new Uint8Array(PAGE_BYTES);
      page.set(bytes.subarray(at, at + PAGE_BYTES));
      pages.set(first + at / PAGE_BYTES, page);
    }
  };
  put(0, new Uint8Array(head.buffer));
  put(1, nodeBytes);
  put(originPage, originBytes);
  put(basePage, baseBytes);
  put(slotPage, new Uint8Array(Uint32Array.from([...input.slots, ...input.setSlots]).buffer));
  put(textPage, text);
  return {
    pages,
    pageCount: textPage + pagesFor(text.length),
    header,
  };
}

const SCALARS = [
  ['format', HEADER.format],
  ['idSlot', HEADER.idSlot],
  ['idEpoch', HEADER.idEpoch],
  ['programs', HEADER.programs],
  ['counterPage', HEADER.counterPage],
  ['stripePages', HEADER.stripePages],
  ['sequence', HEADER.sequence],
  ['counters', HEADER.counters],
  ['originPage', HEADER.originPage],
  ['basePage', HEADER.basePage],
  ['textPage', HEADER.textPage],
  ['textBytes', HEADER.textBytes],
  ['nodes', HEADER.nodes],
  ['rules', HEADER.rules],
  ['tests', HEADER.tests],
  ['slotPage', HEADER.slotPage],
  ['sets', HEADER.sets],
] as const;

function encodeHeader(header: Header): DataView<ArrayBuffer> {
  const view = new DataView(new ArrayBuffer(PAGE_BYTES));
  for (const [field, at] of SCALARS) view.setUint32(at, header[field], true);
  view.setUint32(HEADER.stripeMask, header.stripes - 1, true);
  view.setBigUint64(HEADER.deadline, header.deadline, true);
  BUILTIN_CHAINS.forEach((chain, n) => {
    view.setUint32(HEADER.entries + 4 * n, header.entries[chain], true);
  });
  return view;
}

/** What page 0 of a generation says; of another format's only what stays in all of them holds (FORMAT). */
export function decodeHeader(page: Uint8Array): Header {
  const view = new DataView(page.buffer, page.byteOffset, page.byteLength);
  const scalar = (at: number) => view.getUint32(at, true);
  const entry = (chain: BuiltinChain) => scalar(HEADER.entries + 4 * BUILTIN_CHAINS.indexOf(chain));
  return {
    format: scalar(HEADER.format),
    sequence: scalar(HEADER.sequence),
    idSlot: scalar(HEADER.idSlot),
    idEpoch: scalar(HEADER.idEpoch),
    programs: scalar(HEADER.programs),
    deadline: view.getBigUint64(HEADER.deadline, true),
    counters: scalar(HEADER.counters),
    counterPage: scalar(HEADER.counterPage),
    stripePages: scalar(HEADER.stripePages),
    stripes: scalar(HEADER.stripeMask) + 1,
    originPage: scalar(HEADER.originPage),
    basePage: scalar(HEADER.basePage),
    textPage: scalar(HEADER.textPage),
    textBytes: scalar(HEADER.textBytes),
    nodes: scalar(HEADER.nodes),
    rules: scalar(HEADER.rules),
    tests: scalar(HEADER.tests),
    slotPage: scalar(HEADER.slotPage),
    sets: scalar(HEADER.sets),
    entries: {
      BIND: entry('BIND'),
      ACCEPT: entry('ACCEPT'),
      CONNECT: entry('CONNECT'),
      SENDTO: entry('SENDTO'),
      RECVFROM: entry('RECVFROM'),
    },
  };
}
