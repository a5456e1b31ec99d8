/** The header of a generation: what its page 0 says, as layout.ts places it, little-endian. */
import { BUILTIN_CHAINS, type BuiltinChain, chainNumber, chainRecord } from '@sockfilter/table';
import type { ChainFacts } from './chainfacts.js';
import { readBit } from './detail.js';
import { COUNTERS_PER_PAGE, HEADER } from './layout.js';

/** The header's fields in words. */
export interface Header {
  readonly format: number;
  readonly sequence: number;
  readonly idSlot: number;
  readonly idEpoch: number;
  readonly programs: number;
  readonly traits: number;
  /** In how many layers the rules of chains are, as encodeLayers() says it. */
  readonly layers: number;
  /** Nodes that there were when all of them were written. */
  readonly writtenNodes: number;
  readonly deadline: bigint;
  readonly counters: number;
  /** Address of the first counter, and how far stripes are apart. */
  readonly firstCounter: number;
  readonly stripeLength: number;
  readonly stripes: number;
  readonly originPage: number;
  readonly basePage: number;
  /** Of what nodes lead to, see summary.ts; 0 where that is not kept. */
  readonly summaryPage: number;
  readonly textPage: number;
  readonly textBytes: number;
  readonly nodes: number;
  readonly rules: number;
  readonly tests: number;
  readonly slotPage: number;
  readonly sets: number;
  readonly entries: Readonly<Record<BuiltinChain, number>>;
}

const SCALARS = [
  ['format', HEADER.format],
  ['idSlot', HEADER.idSlot],
  ['idEpoch', HEADER.idEpoch],
  ['programs', HEADER.programs],
  ['traits', HEADER.traits],
  ['writtenNodes', HEADER.writtenNodes],
  ['layers', HEADER.layers],
  ['summaryPage', HEADER.summaryPage],
  ['firstCounter', HEADER.firstCounter],
  ['stripeLength', HEADER.stripeLength],
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

/** Writes the fields to page 0. */
export function writeHeader(view: DataView, header: Header): void {
  for (const [field, at] of SCALARS) view.setUint32(at, header[field], true);
  view.setUint32(HEADER.stripeMask, header.stripes - 1, true);
  view.setBigUint64(HEADER.deadline, header.deadline, true);
  BUILTIN_CHAINS.forEach((chain, n) => {
    view.setUint32(HEADER.entries + 4 * n, header.entries[chain], true);
  });
}

/** What page 0 of a generation says; of another format's only what stays in all of them holds (FORMAT). */
export function decodeHeader(page: Uint8Array): Header {
  const view = new DataView(page.buffer, page.byteOffset, page.byteLength);
  const scalar = (at: number) => view.getUint32(at, true);
  const entry = (chain: BuiltinChain) => scalar(HEADER.entries + 4 * BUILTIN_CHAINS.indexOf(chain));
  const stripePages = scalar(HEADER.stripePages);
  // Of a generation before format 16; not asked by its format, which is marked when an upgrade begins.
  const hasPages = stripePages !== 0;
  return {
    format: scalar(HEADER.format),
    sequence: scalar(HEADER.sequence),
    idSlot: scalar(HEADER.idSlot),
    idEpoch: scalar(HEADER.idEpoch),
    programs: scalar(HEADER.programs),
    traits: scalar(HEADER.traits),
    writtenNodes: scalar(HEADER.writtenNodes),
    layers: scalar(HEADER.layers),
    summaryPage: scalar(HEADER.summaryPage),
    deadline: view.getBigUint64(HEADER.deadline, true),
    counters: scalar(HEADER.counters),
    firstCounter: hasPages
      ? scalar(HEADER.counterPage) * COUNTERS_PER_PAGE
      : scalar(HEADER.firstCounter),
    stripeLength: hasPages ? stripePages * COUNTERS_PER_PAGE : scalar(HEADER.stripeLength),
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
    entries: chainRecord(entry),
  };
}

/** The header's words that have a bit for each chain. */
const CHAIN_BITS = [
  [HEADER.groupChains, 'testsGroup'],
  [HEADER.ownerChains, 'testsOwner'],
  [HEADER.markChains, 'testsMark'],
  [HEADER.leadingChains, 'leadsElsewhere'],
  [HEADER.refusingChains, 'canRefuse'],
] as const;

/** Says in the header what programs must know of the chain. */
export function setFacts(head: DataView, chain: BuiltinChain, facts: ChainFacts): void {
  const n = chainNumber(chain);
  for (const [at, fact] of CHAIN_BITS) {
    const others = head.getUint32(at, true) & ~(1 << n);
    head.setUint32(at, others | (facts[fact] ? 1 << n : 0), true);
  }
  const asked = facts.details.reduce((set, detail) => set | readBit(detail), 0);
  head.setUint32(HEADER.details + 4 * n, asked, true);
}

/** Says in the header that all calls of the chain pass by the verdict with that counter; undefined if that is not so. */
export function setSettled(head: DataView, chain: BuiltinChain, counter: number | undefined): void {
  head.setUint32(HEADER.settled + 4 * chainNumber(chain), (counter ?? -1) + 1, true);
}

/** The counter that setSettled() was given. */
export function settledIn(head: DataView, chain: BuiltinChain): number | undefined {
  const word = head.getUint32(HEADER.settled + 4 * chainNumber(chain), true);
  return word === 0 ? undefined : word - 1;
}

/** The chains of which the one header leaves out some of what the other says that programs must know. */
export function chainsLeftOut(head: DataView, whole: DataView): readonly BuiltinChain[] {
  const lacks = (at: number, mask = 0xffff_ffff) =>
    (whole.getUint32(at, true) & ~head.getUint32(at, true) & mask) !== 0;
  return BUILTIN_CHAINS.filter(
    (_, n) => CHAIN_BITS.some(([at]) => lacks(at, 1 << n)) || lacks(HEADER.details + 4 * n),
  );
}

const LAYER_BITS = 4;

/** In how many layers the rules of chains are, as one number. */
export function encodeLayers(layers: ReadonlyMap<BuiltinChain, number>): number {
  return [...layers].reduce(
    (bits, [chain, count]) => bits | (count << (LAYER_BITS * chainNumber(chain))),
    0,
  );
}

/** In how many layers the rules of chains are that are not one diagram. */
export function layersOf({
  layers,
}: Pick<Header, 'layers'>): Partial<Record<BuiltinChain, number>> {
  return Object.fromEntries(
    BUILTIN_CHAINS.map((chain) => [
      chain,
      (layers >>> (LAYER_BITS * chainNumber(chain))) & ((1 << LAYER_BITS) - 1),
    ]).filter(([, count]) => count !== 0),
  );
}
