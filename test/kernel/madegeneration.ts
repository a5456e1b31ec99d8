/** Generations as plain data, compiled as a whole or edited: made without a kernel, and read as one has them. */
import { printSave } from '@sockfilter/iptables';
import { BUILTIN_CHAINS, elementAt, type Packet, type Table } from '@sockfilter/table';
import { walkBlob } from '../../packages/kernel/src/blobwalk.js';
import {
  compileTable,
  type Generation,
  makeGeneration,
  type StandingGeneration,
} from '../../packages/kernel/src/generation.js';
import { decodeHeader } from '../../packages/kernel/src/header.js';
import {
  FIRST_NODE,
  HEAD_BYTES,
  HEADER,
  HEADER_BYTES,
  OP,
  PAGE_BYTES,
  placesIn,
  SWITCH,
} from '../../packages/kernel/src/layout.js';
import { differingCall } from '../../packages/kernel/src/samenodes.js';
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
  const head = bytesOf(generation, 0, HEADER_BYTES);
  const header = decodeHeader(head);
  const { nodes, summaryPage } = header;
  const words = new Uint32Array(
    bytesOf(generation, 0, HEAD_BYTES + 8 * nodes).slice(HEAD_BYTES).buffer,
  );
  const kept = summaryPage === 0 ? 0 : 4 * nodes;
  const summaries = new Uint32Array(bytesOf(generation, summaryPage, kept).buffer);
  return { head, header, words, summaries };
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
      { words, first: FIRST_NODE, entries: header.entries },
      packet,
    );
    return { ...rest, counted: [...counted].sort((a, b) => a - b) };
  });

/** The chains of which some call comes to something else by the one than by the other, with what it is asked. */
export const differences = (one: StandingGeneration, other: StandingGeneration) => {
  const nodesOf = ({ words }: StandingGeneration) => ({ words, first: FIRST_NODE });
  return BUILTIN_CHAINS.flatMap((chain) => {
    const entries = { left: one.header.entries[chain], right: other.header.entries[chain] };
    const asked = differingCall(nodesOf(one), nodesOf(other), chain, entries);
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
  summarize(words, FIRST_NODE, entries, anew);
  return [...anew.keys()].filter((n) => anew[n] !== 0 && anew[n] !== summaries[n]);
}

/** The slots that calls of each chain may be asked: nodes that tell nothing apart would ask for more. */
export const asked = ({ header, words }: StandingGeneration) =>
  BUILTIN_CHAINS.map((chain) => {
    const slots = new Set<number>();
    const seen = new Set<number>();
    const visit = (address: number): void => {
      if (seen.has(address)) return;
      seen.add(address);
      const at = 2 * (address - FIRST_NODE);
      const head = elementAt(words, at);
      const target = elementAt(words, at + 1);
      const op = head >>> 24;
      if (op === OP.less || op === OP.unequal || op === OP.switch) slots.add((head >>> 16) & 0xff);
      if (op === OP.jump) visit(target);
      else if (op === OP.switch) {
        const { last, width } = placesIn(elementAt(words, at + SWITCH.places / 4));
        for (let n = 0; n <= last; n++) visit(target + (n << width));
      } else if (op !== OP.verdict) {
        if (op < OP.count) visit(target);
        visit(address + 1);
      }
    };
    visit(header.entries[chain]);
    return [...slots].toSorted((a, b) => a - b);
  });

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
export const factsOf = ({ head }: StandingGeneration) => {
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  return FACTS.map((at) => view.getUint32(at, true));
};
