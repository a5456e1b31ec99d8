/** Which listeners no peer may reach, held against every peer that matters to random small tables. */
import { buildDiagram, listeners } from '@sockfilter/diagram';
import { encodeBlob, walkBlob } from '@sockfilter/kernel';
import { evaluator, type Field, fieldValue, type Packet, placedTests } from '@sockfilter/table';
import fc from 'fast-check';
import { smallSpace, smallTables } from '../arbitrary/smalltable.js';
import { propertyRuns } from '../harness/length.js';

const OWN: readonly Field[] = ['group', 'destinationPort', 'uid'];
/** What of a listener is known: at an address, at the wildcard of a family, at that of both. */
const KNOWN: readonly (readonly Field[])[] = [
  [...OWN, 'family', 'destination'],
  [...OWN, 'family'],
  OWN,
];

test('a listener is closed where evaluate() refuses all of its peers', () => {
  const verdicts = new Set<boolean>();
  fc.assert(
    fc.property(smallTables, ([table]) => {
      const evaluate = evaluator(table);
      const diagram = buildDiagram(table);
      const blob = encodeBlob(diagram, 0, placedTests(table), listeners(diagram));
      const packets = smallSpace(table).filter(({ chain }) => chain === 'ACCEPT');
      KNOWN.forEach((fields, n) => {
        const of = new Map<string, Packet[]>();
        for (const packet of packets) {
          const key = fields.map((field) => fieldValue(packet, field)).join();
          of.set(key, [...(of.get(key) ?? []), packet]);
        }
        const entry = blob.listenerEntries[n] ?? -1;
        const told = { ...blob, entries: { ...blob.entries, ACCEPT: entry } };
        for (const peers of of.values()) {
          const isOpen = peers.some((packet) => evaluate(packet).errno === 0);
          verdicts.add(isOpen);
          // Whoever it is that would come: the nodes do not ask.
          for (const packet of peers.slice(0, 3))
            expect(walkBlob(told, packet).errno === 0).toBe(isOpen);
        }
      });
    }),
    { numRuns: propertyRuns(60) },
  );
  expect(verdicts.size).toBe(2);
});
