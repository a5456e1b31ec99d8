/** The kernel's verifier and JIT, the diagram and the blob walk against evaluate(). */

import { buildDiagram, type Diagram, decide } from '@sockfilter/diagram';
import { walkBlob } from '@sockfilter/kernel';
import {
  BUILTIN_CHAINS,
  chainRecord,
  counterOwners,
  type Decision,
  EMPTY_TABLE,
  elementAt,
  evaluator,
  placedTests,
  type Table,
  WRITABLE_FIELDS,
} from '@sockfilter/table';
import fc from 'fast-check';
import { type Blob, encodeBlob } from '../../packages/kernel/src/blob.js';
import { type CompiledTable, compileTable } from '../../packages/kernel/src/generation.js';
import {
  COUNTERS_PER_PAGE,
  FIRST_NODE,
  MAX_STEPS,
  NODES_PER_PAGE,
  OP,
} from '../../packages/kernel/src/layout.js';
import { crossingTables } from '../arbitrary/crossing.js';
import { decisionWords, reportWords } from '../arbitrary/decision.js';
import { PACKET } from '../arbitrary/ordinary.js';
import { packetSource } from '../arbitrary/packet.js';
import { seeded } from '../arbitrary/random.js';
import { tables } from '../arbitrary/table.js';
import { describeKernel } from '../harness/kernel.js';
import { forLength } from '../harness/length.js';
import { tableOf } from '../harness/policy.js';
import { SHOWN_COUNTERS } from './jitprogram.js';
import { type JitDecision, JitWalk } from './jitwalk.js';

const TABLES = forLength({ long: 300, short: 40 });
const PACKETS_EACH = 350;

/** Nodes on the first page. */
const TO_PAGE_END = NODES_PER_PAGE - FIRST_NODE;

/** A table whose blob begins anywhere on a page, so that its paths go over page ends. */
function compileAt(table: Table, diagram: Diagram, offset: number): CompiledTable {
  const blob = encodeBlob(diagram, FIRST_NODE + offset, placedTests(table));
  const words = new Uint32Array(2 * offset + blob.words.length);
  words.set(blob.words, 2 * offset);
  const owners = counterOwners(table);
  return {
    blob: {
      ...blob,
      words,
      first: FIRST_NODE,
      asks: blob.asks.map(({ node, test }) => ({ node: node + offset, test })),
    },
    owners,
    tests: placedTests(table),
    rules: owners.filter(({ rule }) => rule).length,
    denyUnseen: table.denyUnseen,
    sets: table.sets.map(({ name }) => name),
    hasParts: false,
  };
}

const show = (value: unknown) =>
  JSON.stringify(value, (_, part) => (typeof part === 'bigint' ? `0x${part.toString(16)}` : part));

/** What the kernel did otherwise than the reference says, in words. */
function difference(jit: JitDecision, wanted: Decision, unread = false): string | undefined {
  if (jit.errno !== wanted.errno) return `the kernel says ${jit.errno}, not ${wanted.errno}`;
  for (const field of WRITABLE_FIELDS)
    if (jit.errno === 0 && jit.written?.[field] !== wanted.packet[field])
      return `the kernel sets ${field} ${jit.written?.[field]}, not ${wanted.packet[field]}`;
  if (jit.errno !== 0 && jit.group !== wanted.packet.group)
    return `the kernel tells of group ${jit.group}, not ${wanted.packet.group}`;
  const { counts } = jit;
  for (const counter of wanted.counted) counts[counter] = elementAt(counts, counter) - 1;
  for (let n = 0; n < SHOWN_COUNTERS; n++)
    if (counts[n] !== 0) return `the kernel counts ${counts[n]} too many in counter ${n}`;
  const { errno, decider } = wanted;
  const reports = [
    ...(unread ? [] : reportWords(wanted.reports)),
    ...(errno === 0 ? [] : [`refused ${errno} ${decider}`]),
  ];
  if (jit.reports.toSorted().join() === reports.toSorted().join()) return undefined;
  return `the kernel reports ${jit.reports.join(', ')}`;
}

describeKernel('the walk in the JIT', () => {
  let jit: JitWalk;
  /** As it is loaded before Linux 6.9. */
  let counted: JitWalk;
  beforeAll(() => {
    jit = new JitWalk();
    counted = new JitWalk({ mayGoto: false });
  });
  afterAll(() => {
    jit?.close();
    counted?.close();
  });

  const title = `${TABLES * PACKETS_EACH} packets over ${TABLES} tables: evaluate(), diagram, blob walk and kernel agree`;
  test(title, () => {
    let packets = 0;
    let isTurn = false;
    const verdicts = new Map<string, number>();
    const check = (table: Table, seed: number, offset: number) => {
      const diagram = buildDiagram(table);
      const compiled = compileAt(table, diagram, offset);
      const evaluate = evaluator(table);
      const nextPacket = packetSource(table, seeded(seed));
      isTurn = !isTurn;
      const walk = isTurn ? jit : counted;
      walk.enforce(compiled);
      for (let n = 0; n < PACKETS_EACH; n++) {
        const packet = nextPacket();
        const wanted = evaluate(packet);
        const words = decisionWords(wanted);
        const unread = n % 2 === 1;
        const wrong =
          difference(walk.run(packet, { unread }), wanted, unread) ??
          [decide(diagram, packet), walkBlob(compiled.blob, packet)]
            .map(decisionWords)
            .find((other) => other !== words);
        if (wrong !== undefined) throw new Error(`${wrong}; wanted ${words}: ${show(packet)}`);
        const key = `${packet.chain} ${wanted.errno}`;
        verdicts.set(key, (verdicts.get(key) ?? 0) + 1);
        packets++;
      }
    };
    const offsets = fc.oneof(
      fc.constant(0),
      fc.integer({ min: TO_PAGE_END - 100, max: 2 * NODES_PER_PAGE }),
    );
    fc.assert(fc.property(tables(3), fc.nat(), offsets, check), { numRuns: TABLES });
    expect(packets).toBe(TABLES * PACKETS_EACH);
    // Every chain lets calls pass and refuses some.
    expect(
      [...verdicts.keys()].filter((key) => /(BIND|ACCEPT|CONNECT|SENDTO|RECVFROM) [01]$/.test(key)),
    ).toHaveLength(10);
  });

  test('chains in layers: evaluate(), diagram, blob walk and kernel agree', () => {
    const layers = new Set<number>();
    const check = (table: Table, seed: number, layerEdges: number) => {
      const diagram = buildDiagram(table, { layerEdges });
      for (const layered of diagram.layered.values()) layers.add(layered.layers);
      const compiled = compileAt(table, diagram, TO_PAGE_END - 100);
      const evaluate = evaluator(table);
      const nextPacket = packetSource(table, seeded(seed));
      for (const walk of [jit, counted]) walk.enforce(compiled);
      for (let n = 0; n < PACKETS_EACH; n++) {
        const packet = nextPacket();
        const wanted = evaluate(packet);
        const walk = n % 2 === 0 ? jit : counted;
        const wrong =
          difference(walk.run(packet), wanted) ??
          [decide(diagram, packet), walkBlob(compiled.blob, packet)]
            .map(decisionWords)
            .find((other) => other !== decisionWords(wanted));
        if (wrong !== undefined) throw new Error(`${wrong}: ${show(packet)}`);
      }
    };
    const edges = fc.integer({ min: 100, max: 1500 });
    fc.assert(fc.property(crossingTables(40), fc.nat(), edges, check), {
      numRuns: forLength({ long: 100, short: 12 }),
      seed: 1,
    });
    expect(layers.size).toBeGreaterThan(1);
  });

  test('a cgroup without an entry is refused by the chains that test the group', () => {
    const table = tableOf(`-A BIND -m cgroup --id 3 -j ACCEPT
      -A CONNECT -p tcp -j ACCEPT
      -A SENDTO -m cgroup ! --id 3 -j ACCEPT`);
    jit.enforce(compileTable(table));
    const verdicts = BUILTIN_CHAINS.map((chain) => [
      jit.run({ ...PACKET, chain, group: 3 }).errno,
      jit.run({ ...PACKET, chain }, { cgroup: 77n }).errno,
    ]);
    expect(verdicts).toEqual([
      [0, undefined],
      [0, 0],
      [0, 0],
      [0, undefined],
      [0, 0],
    ]);
  });

  test('a field that can not be read is refused by the chains that can refuse', () => {
    jit.enforce(compileTable(tableOf('-A BIND -d 10.9.9.1 -j DROP\n-P RECVFROM DROP')));
    const verdicts = BUILTIN_CHAINS.map(
      (chain) => jit.run({ ...PACKET, chain }, { unreadable: true }).errno,
    );
    expect(verdicts).toEqual([undefined, 0, 0, 0, undefined]);
  });

  test('without a generation every call is refused', () => {
    const empty = new JitWalk();
    try {
      const verdicts = BUILTIN_CHAINS.map((chain) => empty.run({ ...PACKET, chain }).errno);
      expect(verdicts).toEqual(BUILTIN_CHAINS.map(() => undefined));
    } finally {
      empty.close();
    }
  });

  test('a walk of too many steps is refused, the longest that is allowed is not', () => {
    const { blob, ...compiled } = compileTable(EMPTY_TABLE);
    const verdict = [0x0d | (OP.verdict << 24), 0] as const;
    const jumpTo = (address: number) => [OP.jump << 24, address] as const;
    const walkIn = (walk: JitWalk, nodes: readonly (readonly [number, number])[]) => {
      const entries = { ...chainRecord(() => 0), CONNECT: FIRST_NODE };
      const made: Blob = { ...blob, words: Uint32Array.from(nodes.flat()), entries };
      walk.enforce({ ...compiled, blob: made });
      return walk.run(PACKET).errno;
    };
    const straight = (steps: number) => [
      ...Array.from({ length: steps - 1 }, (_, n) => jumpTo(FIRST_NODE + n + 1)),
      verdict,
    ];
    for (const walk of [jit, counted]) {
      const walkOf = (nodes: readonly (readonly [number, number])[]) => walkIn(walk, nodes);
      expect(walkOf(straight(MAX_STEPS - 1))).toBe(13);
      expect(walkOf(straight(MAX_STEPS))).toBeUndefined();
      expect(walkOf([jumpTo(FIRST_NODE)])).toBeUndefined();
      // Back and forth between two pages, and to a page that is not there.
      const far = NODES_PER_PAGE;
      const padding = Array.from({ length: TO_PAGE_END - 1 }, () => jumpTo(0));
      expect(walkOf([jumpTo(far), ...padding, jumpTo(FIRST_NODE)])).toBeUndefined();
      expect(walkOf([jumpTo(1000 * NODES_PER_PAGE)])).toBeUndefined();
    }
  });

  test('counters on several pages', () => {
    const count = 2 * COUNTERS_PER_PAGE + 100;
    const rules = Array.from(
      { length: count },
      (_, n) => `-A CONNECT -p tcp --dport ${3 * n} -j DROP`,
    );
    const table = tableOf(rules.join('\n'));
    jit.enforce(compileTable(table));
    const owners = counterOwners(table);
    const wanted = owners.map(() => 0n);
    const first = owners.findIndex(({ chain }) => chain.name === 'CONNECT');
    const random = seeded(1);
    let wrong: string | undefined;
    for (let n = 0; n < 20_000; n++) {
      const packet = { ...PACKET, destinationPort: random.below(3 * count + 10) };
      // evaluate() takes a look at each rule: too slow here.
      const rule = packet.destinationPort / 3;
      const isRefused = Number.isInteger(rule) && rule < count;
      const counter = first + (isRefused ? rule : count);
      wanted[counter] = elementAt(wanted, counter) + 1n;
      if (jit.run(packet).errno !== (isRefused ? 1 : 0)) wrong ??= show(packet);
    }
    expect(wrong).toBeUndefined();
    const totals = jit.totals();
    expect(totals.findIndex((total, n) => total !== wanted[n])).toBe(-1);
  });
});
