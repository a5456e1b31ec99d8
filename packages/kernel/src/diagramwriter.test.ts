/** However the values of a piece are parted, each comes to what it leads to, in few steps and on one page. */
import { DEFAULT_LIMITS, DiagramStore, firstPiece, terminalRef } from '@sockfilter/diagram';
import { chainRecord, elementAt } from '@sockfilter/table';
import fc from 'fast-check';
import { PACKET } from '../../../test/arbitrary/ordinary.js';
import { propertyRuns } from '../../../test/harness/length.js';
import { walkBlob } from './blobwalk.js';
import { NODES_PER_PAGE, OP, placesIn, SWITCH, SWITCH_NODES } from './layout.js';
import { noSummaries, stepsOf, summarize } from './summary.js';
import { Writer } from './writer.js';

const PIECE = firstPiece('destinationPort');

const values = fc.integer({ min: 0, max: 0xffff });

/** Where intervals begin: here and there, and many beside each other. */
const starts = fc
  .tuple(
    fc.array(values, { maxLength: 300 }),
    fc.array(
      fc.record({
        from: values,
        count: fc.integer({ min: 1, max: 3000 }),
        step: fc.constantFrom(1, 1, 2, 3, 7, 40),
      }),
      { maxLength: 3 },
    ),
  )
  .map(([some, runs]) => {
    const all = new Set([0, ...some]);
    for (const { from, count, step } of runs)
      for (let n = 0; n < count; n++) all.add((from + n * step) & 0xffff);
    return [...all].sort((a, b) => a - b);
  });

/** How many ends there are, and what picks one for an interval. */
const ends = fc.record({
  count: fc.constantFrom(2, 3, 50, 100_000),
  factor: fc.constantFrom(1, 7, 7919),
});

function rowOf(at: readonly number[], { count, factor }: { count: number; factor: number }) {
  const store = new DiagramStore(DEFAULT_LIMITS);
  const row = store.row(PIECE);
  at.forEach((start, n) => {
    row.push(start, terminalRef((n * factor) % count));
  });
  return { store, root: store.intern(PIECE) };
}

/** The first and the last address of the places of each SWITCH. */
function placesOf(words: Uint32Array) {
  const found: { readonly from: number; readonly to: number }[] = [];
  for (let at = 0; at < words.length; at += 2) {
    if (elementAt(words, at) >>> 24 !== OP.switch) continue;
    const { last, width } = placesIn(elementAt(words, at + SWITCH.places / 4));
    const from = elementAt(words, at + 1);
    found.push({ from, to: from + ((last + 1) << width) - 1 });
    at += 2 * (SWITCH_NODES - 1);
  }
  return found;
}

const pageOf = (address: number) => Math.floor(address / NODES_PER_PAGE);

test('walks over what is written come to what the diagram leads to', () => {
  let most = 0;
  fc.assert(
    fc.property(
      starts,
      ends,
      fc.constantFrom(1, 2, 5, Number.POSITIVE_INFINITY),
      fc.integer({ min: 0, max: 2 * NODES_PER_PAGE }),
      fc.array(values, { minLength: 20, maxLength: 20 }),
      (at, some, length, first, others) => {
        const { store, root } = rowOf(at, some);
        const writer = new Writer(first);
        const terminal = (ref: number) => {
          for (let n = 1; n < Math.min(length, 5); n++) writer.putCount(0);
          writer.putVerdict(0, ~ref);
        };
        const written = { store, terminal, lengthOf: () => length, standing: () => undefined };
        const [entry = 0] = writer.write(written, [root]);
        const { words } = writer;
        const blob = { words, first, entries: chainRecord(() => entry) };
        const asked = new Set([...at.flatMap((start) => [start - 1, start]), ...others, 0xffff]);
        const wrong = [...asked].filter((port) => {
          if (port < 0) return false;
          const { decider } = walkBlob(blob, { ...PACKET, destinationPort: port });
          return (
            decider !==
            ~store.walk(
              root,
              Uint16Array.from({ length: PIECE + 1 }, () => port),
            )
          );
        });
        expect(wrong).toEqual([]);
        expect(placesOf(words).filter(({ from, to }) => pageOf(from) !== pageOf(to))).toEqual([]);
        const [steps = 0] = summarize(words, first, [entry], noSummaries(words.length / 2));
        most = Math.max(most, stepsOf(steps));
      },
    ),
    { numRuns: propertyRuns(400) },
  );
  // Halving 65,536 intervals would take 16 and the verdict.
  expect(most).toBeLessThan(16 + 5);
});
