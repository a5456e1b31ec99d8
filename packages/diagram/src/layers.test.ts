import { evaluator, type Packet, type Table } from '@sockfilter/table';
import fc from 'fast-check';
import { crossingTables } from '../../../test/arbitrary/crossing.js';
import { decisionWords } from '../../../test/arbitrary/decision.js';
import { packetSource } from '../../../test/arbitrary/packet.js';
import { seeded } from '../../../test/arbitrary/random.js';
import { tables } from '../../../test/arbitrary/table.js';
import { propertyRuns } from '../../../test/harness/length.js';
import { tableOf } from '../../../test/harness/policy.js';
import { buildDiagram } from './build.js';
import { type Diagram, decide } from './diagram.js';
import { PIECES, RANK } from './piece.js';

const PACKETS_EACH = 80;

function difference(table: Table, diagram: Diagram, calls: readonly Packet[]): string | undefined {
  const evaluate = evaluator(table);
  for (const packet of calls) {
    const [said, wanted] = [decide(diagram, packet), evaluate(packet)];
    if (decisionWords(said) !== decisionWords(wanted))
      return `${decisionWords(said)}, not ${decisionWords(wanted)}`;
    const reports = ({ reports }: typeof said) =>
      reports
        .map(({ kind, counter }) => `${kind} ${counter}`)
        .toSorted()
        .join();
    if (reports(said) !== reports(wanted)) return `reports ${reports(said)}`;
  }
  return undefined;
}

function callsOf(table: Table, seed: number): readonly Packet[] {
  const next = packetSource(table, seeded(seed));
  return Array.from({ length: PACKETS_EACH }, next);
}

test('a chain in layers decides, counts and reports as evaluate does', () => {
  const seen = new Set<string>();
  const check = (table: Table, seed: number, layerEdges: number) => {
    const diagram = buildDiagram(table, { layerEdges });
    expect(difference(table, diagram, callsOf(table, seed))).toBeUndefined();
    for (const [name, { layers, steps }] of diagram.layered) {
      seen.add(`${name} in ${layers}`);
      if (steps > layers + 1) seen.add(`${name} counts`);
    }
  };
  fc.assert(
    fc.property(crossingTables(40), fc.integer(), fc.integer({ min: 100, max: 1500 }), check),
    {
      numRuns: propertyRuns(200),
      seed: 1,
    },
  );
  for (const what of [
    'CONNECT in 1',
    'CONNECT in 2',
    'CONNECT in 4',
    'CONNECT counts',
    'SENDTO in 2',
  ])
    expect(seen).toContain(what);
});

test('rules that cross by their ports alone are parted by them', () => {
  const lines = Array.from({ length: 60 }, (_, n) => {
    const end = n % 2 === 0 ? '--sport' : '--dport';
    return `-A CONNECT -p tcp ${end} ${1000 + 7 * n} -j ${n % 3 === 0 ? 'DROP' : 'ACCEPT'}`;
  });
  const table = tableOf(lines.join('\n'));
  const diagram = buildDiagram(table, { layerEdges: 600 });
  expect(diagram.layered.get('CONNECT')?.layers).toBe(2);
  expect(difference(table, diagram, callsOf(table, 1))).toBeUndefined();
});

test('the rank has a slot that no piece has', () => {
  expect(PIECES.length).toBeLessThanOrEqual(RANK);
});

test('a table is in layers only where it can be, and is decided as ever elsewhere', () => {
  fc.assert(
    fc.property(tables(5), fc.integer(), (table, seed) => {
      const diagram = buildDiagram(table, { layerEdges: 10 });
      expect(difference(table, diagram, callsOf(table, seed))).toBeUndefined();
    }),
    { numRuns: propertyRuns(60) },
  );
});
