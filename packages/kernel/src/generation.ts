/** A generation as plain data: the pages to load, and what pages that were read back say. */
import { sharedPages } from '@sockfilter/bpf';
import { buildDiagram, type Limits, listeners } from '@sockfilter/diagram';
import {
  BUILTIN_CHAINS,
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
import { encodeLayers, type Header, setFacts, setSettled, writeHeader } from './header.js';
import {
  COUNTERS_PER_LINE,
  COUNTERS_PER_PAGE,
  FIRST_NODE,
  FORMAT,
  HEAD_BYTES,
  HEADER,
  HEADER_BYTES,
  MAX_RULES,
  MAX_SETS,
  MAX_STATES,
  MAX_STRIPES,
  MOST_BUCKETS_ENTRIES,
  MOST_STEPS,
  NEAR_COUNTERS,
  NODE,
  PAGE_BYTES,
} from './layout.js';
import { longWalkError, ruleSpan } from './longwalk.js';
import { type Splice, settledCounter } from './nodes.js';
import type { SetSlots } from './setmap.js';
import type { EditedNodes } from './splicednodes.js';
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
  /** Whether what some calls come to can be compiled alone, see splicednodes.ts. */
  readonly hasParts: boolean;
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
  const { length: sets } = table.sets;
  if (sets > MAX_SETS)
    throw new CapacityError('sets', sets, MAX_SETS, 'put the elements of several into one');
  const states = tests.filter(({ test }) => hasState(test));
  if (states.length > MAX_STATES) {
    const what = `tests with a state, as in ${ruleSpan(states.map(({ owner }) => owner))}`;
    const help = 'one `-m hashlimit` has a limit for each address or group';
    throw new CapacityError(what, states.length, MAX_STATES, help);
  }
  const entries = entriesOf(tests.map(({ test }) => test));
  if (entries > MOST_BUCKETS_ENTRIES) {
    const help = 'give the rules with hashlimit a smaller `--hashlimit-htable-max`';
    throw new CapacityError('entries of buckets', entries, MOST_BUCKETS_ENTRIES, help);
  }
  const diagram = buildDiagram(table, limits);
  const told = tellsListeners ? listeners(diagram) : undefined;
  const blob = encodeBlob(diagram, FIRST_NODE, tests, told);
  if (blob.longestPath > MOST_STEPS) throw longWalkError(blob, tests, owners);
  const hasParts = diagram.roots.length === 1 && tests.length === 0 && sets === 0 && !told;
  const { denyUnseen } = table;
  const names = table.sets.map(({ name }) => name);
  return { blob, owners, tests, rules, denyUnseen, sets: names, hasParts };
}

export interface GenerationInput {
  /** The table in the save format: what `save` prints until the next commit. */
  readonly text: string | Uint8Array;
  readonly sequence: number;
  readonly idSlot: number;
  readonly idEpoch: number;
  readonly cpus: number;
  /** What the attached programs are, as programDigest() says it. */
  readonly programs: number;
  /** What is known of the table without its text, as encodeTraits() says it. */
  readonly traits: number;
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

/** Whole pages that follow each other. */
export interface PageRun {
  /** The number of the first. */
  readonly first: number;
  readonly bytes: Uint8Array;
}

/** What is to be written, and how many pages there are in all; all others are zero. */
export interface Generation {
  readonly runs: readonly PageRun[];
  readonly pageCount: number;
  readonly header: Header;
}

const pagesFor = (bytes: number) => Math.ceil(bytes / PAGE_BYTES);

/** The stripes that so many CPUs get: a power of two. */
function stripesFor(cpus: number): number {
  let stripes = 1;
  while (stripes < cpus && stripes < MAX_STRIPES) stripes *= 2;
  return stripes;
}

/** The nodes, each ASK with the slot of its state or set. */
export function withSlots(
  { blob: { words, asks }, tests, sets }: CompiledTable,
  { slots, setSlots }: Pick<GenerationInput, 'slots' | 'setSlots'>,
): Uint32Array {
  if (asks.length === 0) return words;
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

/** What lies in a generation, and where is to be told. */
interface Sections {
  /** The header, with what programs must know of chains. */
  readonly head: DataView<ArrayBuffer>;
  readonly words: Uint32Array;
  readonly origins: Uint8Array;
  /** Undefined where all of it is zero. */
  readonly base: Uint8Array | undefined;
  readonly slots: Uint8Array;
  /** Empty where none are kept. */
  readonly summaries: Uint8Array;
  readonly text: Uint8Array;
}

type Placed =
  | 'firstCounter'
  | 'stripeLength'
  | 'originPage'
  | 'basePage'
  | 'slotPage'
  | 'summaryPage'
  | 'textPage'
  | 'textBytes';

function layOut(fixed: Omit<Header, Placed>, sections: Sections): Generation {
  const { head, words, origins, base, slots, summaries, text } = sections;
  const nodes = bytesOf(words);
  const stripeLength = COUNTERS_PER_LINE * Math.ceil(fixed.counters / COUNTERS_PER_LINE);
  const isNear = fixed.stripes * stripeLength <= NEAR_COUNTERS.count;
  const originPage = pagesFor(HEAD_BYTES + nodes.length);
  const basePage = originPage + pagesFor(origins.length);
  const counterPage = basePage + pagesFor(8 * (1 + fixed.counters));
  const slotPage = counterPage + (isNear ? 0 : pagesFor(8 * fixed.stripes * stripeLength));
  const summaryPage = slotPage + pagesFor(slots.length);
  const textPage = summaryPage + pagesFor(summaries.length);
  const header: Header = {
    ...fixed,
    firstCounter: isNear ? NEAR_COUNTERS.first : counterPage * COUNTERS_PER_PAGE,
    stripeLength,
    originPage,
    basePage,
    textPage,
    textBytes: text.length,
    slotPage,
    summaryPage: summaries.length === 0 ? 0 : summaryPage,
  };
  writeHeader(head, header);
  for (const chain of BUILTIN_CHAINS) {
    const counter = settledCounter({ words, first: FIRST_NODE }, fixed.entries[chain]);
    setSettled(head, chain, counter);
  }
  const runs = [
    firstRun(head, nodes),
    ...runsOf(1, nodes.subarray(PAGE_BYTES - HEAD_BYTES)),
    ...runsOf(originPage, origins),
    ...(base ? runsOf(basePage, base) : []),
    ...runsOf(slotPage, slots),
    ...runsOf(summaryPage, summaries),
    ...runsOf(textPage, text),
  ];
  return { runs, pageCount: textPage + pagesFor(text.length), header };
}

/** Page 0: the header, counters that are 0, and the first nodes. */
function firstRun(head: DataView<ArrayBuffer>, nodes: Uint8Array): PageRun {
  const bytes = new Uint8Array(PAGE_BYTES);
  bytes.set(new Uint8Array(head.buffer));
  bytes.set(nodes.subarray(0, PAGE_BYTES - HEAD_BYTES), HEAD_BYTES);
  return { first: 0, bytes };
}

/** The bytes in whole pages, the last with zeros behind what it has. */
function runsOf(first: number, bytes: Uint8Array): readonly PageRun[] {
  const whole = Math.floor(bytes.length / PAGE_BYTES);
  const rest = bytes.subarray(whole * PAGE_BYTES);
  const last = new Uint8Array(rest.length === 0 ? 0 : PAGE_BYTES);
  last.set(rest);
  return [
    { first, bytes: bytes.subarray(0, whole * PAGE_BYTES) },
    { first: first + whole, bytes: last },
  ].filter((run) => run.bytes.length > 0);
}

const bytesOf = ({ buffer, byteOffset, byteLength }: Uint32Array | BigUint64Array) =>
  new Uint8Array(buffer, byteOffset, byteLength);

const NONE = new Uint8Array();

/** The header, with what programs must know of the table before they walk its nodes. */
export function headOf({ blob, denyUnseen }: CompiledTable): DataView<ArrayBuffer> {
  const head = new DataView(new ArrayBuffer(HEADER_BYTES));
  blob.listenerEntries.forEach((entry, n) => {
    head.setUint32(HEADER.listeners + 4 * n, entry, true);
  });
  head.setUint32(HEADER.denyUnseen, denyUnseen ? 1 : 0, true);
  for (const chain of BUILTIN_CHAINS) setFacts(head, chain, blob.facts[chain]);
  return head;
}

/** Lays a generation out. */
export function makeGeneration(compiled: CompiledTable, input: GenerationInput): Generation {
  const { blob, owners, tests, rules } = compiled;
  const origins = new Uint32Array(owners.length);
  const base = new BigUint64Array(1 + owners.length);
  base[0] = input.follows ? 0n : 1n;
  owners.forEach(({ rule, chain }, n) => {
    const origin = input.origins[n];
    if (origin !== undefined) origins[n] = origin + 1;
    else base[n + 1] = (rule ?? chain).packets;
  });
  return layOut(
    {
      format: FORMAT,
      sequence: input.sequence,
      idSlot: input.idSlot,
      idEpoch: input.idEpoch,
      programs: input.programs,
      traits: input.traits,
      deadline: input.deadline,
      counters: owners.length,
      stripes: stripesFor(input.cpus),
      nodes: blob.words.length / 2,
      rules,
      tests: tests.length,
      sets: input.setSlots.length,
      entries: blob.entries,
      layers: encodeLayers(blob.layers),
      writtenNodes: blob.words.length / 2,
    },
    {
      head: headOf(compiled),
      words: withSlots(compiled, input),
      origins: bytesOf(origins),
      base: bytesOf(base),
      slots: bytesOf(Uint32Array.from([...input.slots, ...input.setSlots])),
      summaries: compiled.hasParts ? bytesOf(blob.summaries) : NONE,
      text: typeof input.text === 'string' ? Buffer.from(input.text, 'utf8') : input.text,
    },
  );
}

const wordsIn = ({ buffer, byteOffset, byteLength }: Uint8Array<ArrayBuffer>) =>
  new Uint32Array(buffer, byteOffset, byteLength / 4);

/** A generation as it was read back: the header, what that says, and the nodes with what is kept of each. */
export interface StandingGeneration {
  readonly head: Uint8Array;
  readonly header: Header;
  readonly words: Uint32Array<ArrayBuffer>;
  /** Empty where none are kept. */
  readonly summaries: Uint32Array<ArrayBuffer>;
}

/** What becomes of a generation without sets, most of whose nodes go on. The slots of tests are as they were. */
export interface GenerationEdit
  extends Pick<
    GenerationInput,
    'sequence' | 'idSlot' | 'idEpoch' | 'programs' | 'traits' | 'slots'
  > {
  /** In UTF-8. */
  readonly text: Uint8Array;
  /** Which counters go and come. All others go on. */
  readonly splices: readonly Splice[];
  /** What each counter that comes starts at. */
  readonly packets: readonly bigint[];
  /** The nodes, if they are others. */
  readonly nodes: EditedNodes | undefined;
}

const NO_SPLICE: Splice = { at: 0, removed: 0, added: 0 };

/** A loop alone, which V8 optimizes before it is over. */
function countFrom(numbers: Uint32Array, first: number): void {
  for (let n = 0; n < numbers.length; n++) numbers[n] = first + n;
}

/** Lays the generation out that follows another. */
export function makeEdited(old: StandingGeneration, edit: GenerationEdit): Generation {
  const { splices, packets, nodes } = edit;
  const head = new DataView(Uint8Array.from(old.head).buffer);
  for (const chain of BUILTIN_CHAINS) {
    const facts = nodes?.facts[chain];
    if (facts) setFacts(head, chain, facts);
  }
  const more = splices.reduce((sum, { added, removed }) => sum + added - removed, 0);
  const counters = old.header.counters + more;
  const origins = wordsIn(sharedPages(4 * counters));
  const base = packets.some((count) => count > 0n) ? new BigUint64Array(1 + counters) : undefined;
  let [from, to, came] = [0, 0, 0];
  for (const { at, removed, added } of [...splices, { ...NO_SPLICE, at: old.header.counters }]) {
    countFrom(origins.subarray(to, to + at - from), from + 1);
    to += at - from;
    from = at + removed;
    for (let n = 0; n < added; n++, to++, came++) if (base) base[1 + to] = packets[came] ?? 0n;
  }
  const words = nodes?.words ?? old.words;
  return layOut(
    {
      ...old.header,
      sequence: edit.sequence,
      idSlot: edit.idSlot,
      idEpoch: edit.idEpoch,
      programs: edit.programs,
      traits: edit.traits,
      deadline: 0n,
      counters,
      nodes: words.length / 2,
      rules: old.header.rules + more,
      entries: nodes?.entries ?? old.header.entries,
      writtenNodes: nodes?.written ?? old.header.writtenNodes,
    },
    {
      head,
      words,
      origins: bytesOf(origins),
      base: base && bytesOf(base),
      slots: bytesOf(Uint32Array.from(edit.slots)),
      summaries: bytesOf(nodes?.summaries ?? old.summaries),
      text: edit.text,
    },
  );
}
