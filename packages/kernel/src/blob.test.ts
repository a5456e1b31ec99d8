import { buildDiagram } from '@sockfilter/diagram';
import {
  BUILTIN_CHAINS,
  EMPTY_TABLE,
  elementAt,
  evaluator,
  type Packet,
  type Table,
} from '@sockfilter/table';
import fc from 'fast-check';
import { decisionWords } from '../../../test/arbitrary/decision.js';
import { PACKET } from '../../../test/arbitrary/ordinary.js';
import { choosingTables, DRAWN, smallSpace } from '../../../test/arbitrary/smalltable.js';
import { packets, tables } from '../../../test/arbitrary/table.js';
import { propertyRuns } from '../../../test/harness/length.js';
import { encodeBlob } from './blob.js';
import { walkBlob } from './blobwalk.js';
import { NODES_PER_PAGE, OP, SWITCH_NODES } from './layout.js';

function portTable(ports: readonly number[]): Table {
  const rules = ports.map((port) => ({
    matches: [
      {
        name: 'tcp' as const,
        options: [
          {
            name: 'dport',
            negated: false,
            value: { kind: 'portRange' as const, from: port, to: port },
          },
        ],
      },
    ],
    target: { kind: 'drop' as const },
    packets: 0n,
  }));
  return {
    ...EMPTY_TABLE,
    chains: EMPTY_TABLE.chains.map((chain) =>
      chain.name === 'CONNECT' ? { ...chain, rules } : chain,
    ),
  };
}

function expectSame(table: Table, first: number, calls: readonly Packet[]) {
  const blob = encodeBlob(buildDiagram(table), first);
  const evaluate = evaluator(table);
  // One expectation for all: each of them is slow.
  const wrong = calls.find(
    (packet) => decisionWords(walkBlob(blob, packet)) !== decisionWords(evaluate(packet)),
  );
  expect(wrong).toBeUndefined();
  return blob;
}

test('the walk of the blob says what evaluate() says', () => {
  fc.assert(
    fc.property(
      tables(),
      fc.array(packets, { minLength: 20, maxLength: 40 }),
      fc.integer({ min: NODES_PER_PAGE - 40, max: 2 * NODES_PER_PAGE }),
      (table, calls, first) => {
        expectSame(table, first, calls);
      },
    ),
    { numRuns: propertyRuns(150) },
  );
});

test.each([
  ['far apart', (n: number) => n * 37, [OP.switch, OP.unequal]],
  ['far apart and close', (n: number) => Math.floor(1.03 ** n), [OP.switch, OP.less]],
  ['close together', (n: number) => 1000 + n * 2, [OP.switch]],
  ['few', (n: number) => (n % 3) * 1000, [OP.unequal]],
])(
  'ports that lie %s',
  (_, portOf, ops) => {
    const ports = Array.from({ length: 300 }, (_, n) => portOf(n));
    const table = portTable(ports);
    const blob = encodeBlob(buildDiagram(table), 4 * NODES_PER_PAGE);
    const { words } = blob;
    const evaluate = evaluator(table);
    const named = new Set(ports);
    const wrong: number[] = [];
    let wanted = '';
    for (let port = 0; port < 0x10000; port++) {
      const packet = { ...PACKET, destinationPort: port };
      // Between two ports that rules name they say the same, and evaluate() takes its time to say it.
      if (port === 0 || named.has(port) || named.has(port - 1))
        wanted = decisionWords({ ...evaluate(packet), packet: PACKET });
      if (decisionWords({ ...walkBlob(blob, packet), packet: PACKET }) !== wanted) wrong.push(port);
    }
    expect(wrong).toEqual([]);
    const used = new Set(
      Array.from({ length: words.length / 2 }, (_, at) => elementAt(words, 2 * at) >>> 24),
    );
    for (const op of ops) expect(used).toContain(op);
  },
  120_000,
);

test('places at the end of all values are not those of the first ones', () => {
  const values = [...Array(200).keys()].flatMap((n) => [n, 65_535 - n]);
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.integer({ min: 65_400, max: 65_532 }), { minLength: 20, maxLength: 60 }),
      (others) => {
        const ports = [...others, 65_533, 65_534];
        const blob = encodeBlob(buildDiagram(portTable(ports)), 0);
        const refused = values.filter(
          (port) => walkBlob(blob, { ...PACKET, destinationPort: port }).errno !== 0,
        );
        expect(refused.toSorted()).toEqual(ports.toSorted());
      },
    ),
    { numRuns: propertyRuns(200) },
  );
});

test('no step leaves its page but by an address', () => {
  const ports = Array.from({ length: 20_000 }, (_, n) => n * 3);
  const { words, first } = encodeBlob(buildDiagram(portTable(ports)), NODES_PER_PAGE);
  expect(words.length / 2).toBeGreaterThan(NODES_PER_PAGE);
  for (let at = 0; at < words.length / 2; at++) {
    const [word, next] = [elementAt(words, 2 * at), elementAt(words, 2 * at + 1)];
    const op = word >>> 24;
    const isPadding = word === 0 && next === 0;
    const isLast = (first + at) % NODES_PER_PAGE === NODES_PER_PAGE - 1;
    if (op === OP.switch) at += SWITCH_NODES - 1;
    else if (isLast && !isPadding) expect([OP.jump, OP.verdict]).toContain(op);
  }
});

/** Of an array the first node begins in the middle of a line of the processor's cache. */
const lineOf = (address: number) => Math.floor((8 * address + 16) / 64);

test('what tells one of many values from all others lies in one line with its verdict', () => {
  const ports = Array.from({ length: 20_000 }, (_, n) => n * 3);
  const { words, first } = encodeBlob(buildDiagram(portTable(ports)), NODES_PER_PAGE);
  const told = new Set<number>();
  for (let at = 2; at < words.length; at += 2) {
    const [before, head] = [elementAt(words, at - 2), elementAt(words, at)];
    const isTold = before >>> 16 !== 0 && before >>> 24 <= OP.unequal && head >>> 24 === OP.verdict;
    const address = first + at / 2;
    if (isTold && lineOf(address - 1) === lineOf(address)) told.add(elementAt(words, at + 1));
  }
  expect(told.size).toBeGreaterThan(0.8 * ports.length);
});

test('facts tell which chains can refuse and which test the group or the owner', () => {
  const { facts } = encodeBlob(buildDiagram(portTable([80])), 0);
  const refusing = BUILTIN_CHAINS.filter((chain) => facts[chain].canRefuse);
  expect(refusing).toEqual(['CONNECT']);
  expect(BUILTIN_CHAINS.filter((chain) => facts[chain].testsGroup)).toEqual([]);
  expect(BUILTIN_CHAINS.filter((chain) => facts[chain].testsOwner)).toEqual([]);
});

test('and where one of several destinations is chosen', () => {
  fc.assert(
    fc.property(choosingTables, fc.nat(), ([table], first) => {
      const space = smallSpace(table);
      const calls = Array.from({ length: 40 }, (_, n) => space[(first + 977 * n) % space.length]);
      expectSame(
        table,
        NODES_PER_PAGE - 1 - (first % 60),
        calls.flatMap((packet) => (packet ? DRAWN.map((drawn) => ({ ...packet, ...drawn })) : [])),
      );
    }),
    { numRuns: propertyRuns(60) },
  );
});
