/** Generations as plain data, compiled as a whole or edited: made without a kernel, and read as one has them. */
import { printSave } from '@sockfilter/iptables';
import { BUILTIN_CHAINS, type Packet, type Table } from '@sockfilter/table';
import { walkBlob } from '../../packages/kernel/src/blobwalk.js';
import {
  compileTable,
  type Generation,
  makeGeneration,
  type StandingGeneration,
} from '../../packages/kernel/src/generation.js';
import { decodeHeader } from '../../packages/kernel/src/header.js';
import { HEADER, NODES_PER_PAGE, PAGE_BYTES } from '../../packages/kernel/src/layout.js';
import { NodeComparison } from '../../packages/kernel/src/samenodes.js';
import { noSummaries, summarize } from '../../packages/kernel/src/summary.js';
import { encodeTraits, traitsOf } from '../../packages/kernel/src/traits.js';

export const PLACE = { sequence: 1, idSlot: 0, idEpoch: 1, programs: 0, slots: [], setSlots: [] };

export function makeWhole(table: Table, slots: readonly number[] = []): Generation {
  const compiled = compileTable(table);
  const { hasParts } = compiled;
  return makeGeneration(compiled, {
    ...PLACE,
    slots,
    text: printSave(table),
    cpus: 2,
    traits: encodeTraits(traitsOf(table, { isPrinted: true, hasParts })),
    deadline: 0n,
    origins: [],
    follows: true,
  });
}

/** What lies in the generation's pages from one on, as a kernel has them that was given all runs. */
export function bytesOf(
  { runs, pageCount }: Generation,
  first: number,
  bytes: number,
): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(pageCount * PAGE_BYTES);
  for (const run of runs) {
    expect(run.bytes.length % PAGE_BYTES).toBe(0);
    all.set(run.bytes, run.first * PAGE_BYTES);
  }
  return all.slice(first * PAGE_BYTES, first * PAGE_BYTES + bytes);
}

export function standing(generation: Generation): StandingGeneration {
  const page = bytesOf(generation, 0, PAGE_BYTES);
  const header = decodeHeader(page);
  const { nodes, summaryPage } = header;
  const words = new Uint32Array(bytesOf(generation, 1, 8 * nodes).buffer);
  const kept = summaryPage === 0 ? 0 : 4 * nodes;
  const summaries = new Uint32Array(bytesOf(generation, summaryPage, kept).buffer);
  return { page, header, words, summaries };
}

export const textOf = (generation: Generation) =>
  Buffer.from(
    bytesOf(generation, generation.header.textPage, generation.header.textBytes),
  ).toString();

export const originsOf = (generation: Generation) => {
  const { originPage, counters } = generation.header;
  return [...new Uint32Array(bytesOf(generation, originPage, 4 * counters).buffer)].map((origin) =>
    origin === 0 ? undefined : origin - 1,
  );
};

export const baseOf = (generation: Generation) => {
  const { basePage, counters } = generation.header;
  return [...new BigUint64Array(bytesOf(generation, basePage, 8 * (1 + counters)).buffer)].slice(1);
};

export const walk = ({ header, words }: StandingGeneration, packets: readonly Packet[]) =>
  packets.map((packet) => {
    const { counted, ...rest } = walkBlob(
      { words, first: NODES_PER_PAGE, entries: header.entries },
      packet,
    );
    return { ...rest, counted: [...counted].sort((a, b) => a - b) };
  });

/** The chains of which some call comes to something else by the one than by the other, with what it is asked. */
export const differences = (one: StandingGeneration, other: StandingGeneration) => {
  const nodesOf = ({ words }: StandingGeneration) => ({ words, first: NODES_PER_PAGE });
  const comparison = new NodeComparison(nodesOf(one), nodesOf(other));
  return BUILTIN_CHAINS.flatMap((chain) => {
    const asked = comparison.difference(one.header.entries[chain], other.header.entries[chain]);
    return asked ? [{ chain, asked: [...asked] }] : [];
  });
};

/** Where what is kept of a node is not what its nodes say; none where nothing is kept. */
export function falseSummaries({
  header,
  words,
  summaries,
}: StandingGeneration): readonly number[] {
  if (summaries.length === 0) return [];
  const anew = noSummaries(header.nodes);
  const entries = BUILTIN_CHAINS.map((chain) => header.entries[chain]);
  summarize(words, NODES_PER_PAGE, entries, anew);
  return [...anew.keys()].filter((n) => anew[n] !== 0 && anew[n] !== summaries[n]);
}

const FACTS = [
  HEADER.groupChains,
  HEADER.ownerChains,
  HEADER.markChains,
  HEADER.leadingChains,
  HEADER.refusingChains,
  ...[0, 1, 2, 3, 4].map((n) => HEADER.details + 4 * n),
  HEADER.rules,
  HEADER.counters,
  HEADER.denyUnseen,
];
export const factsOf = ({ page }: StandingGeneration) => {
  const view = new DataView(page.buffer, page.byteOffset, page.byteLength);
  return FACTS.map((at) => view.getUint32(at, true));
};
