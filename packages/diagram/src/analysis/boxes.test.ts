import {
  BUILTIN_CHAINS,
  type BuiltinChain,
  elementAt,
  evaluator,
  fieldValue,
  type MatchOption,
  type Packet,
  type Table,
} from '@sockfilter/table';
import fc from 'fast-check';
import { smallSpace, smallTables } from '../../../../test/arbitrary/smalltable.js';
import { packets, tables } from '../../../../test/arbitrary/table.js';
import { leastHits } from '../../../../test/harness/chance.js';
import { propertyRuns } from '../../../../test/harness/length.js';
import { LimitError } from '../limit.js';
import { type Box, FIELDS } from './box.js';
import { boxes } from './boxes.js';
import { difference } from './difference.js';
import { includes, isEmpty, type PacketSet, subtract, union } from './packetset.js';
import { isCube, rangesOf, type Span } from './span.js';
import { Universe } from './universe.js';

function inSpan(span: Span, value: bigint): boolean {
  if (isCube(span)) return (value & span.mask) === span.value;
  return span[0] <= value && value <= span[1];
}

function inBox(box: Box, packet: Packet): boolean {
  return FIELDS.every((field) => {
    const value = fieldValue(packet, field);
    return box[field]?.some((span) => inSpan(span, value)) ?? true;
  });
}

function keyWithout(box: Box, field: (typeof FIELDS)[number] | undefined): string {
  return FIELDS.map((each) => (each === field ? '' : (box[each]?.join(' ') ?? 'any'))).join(';');
}

/** The table with one rule at most whose mask has holes: what several leave over takes very many boxes. */
function withOneHole(table: Table): Table {
  const hasHoles = ({ value }: MatchOption) => {
    if (value.kind !== 'network') return false;
    const width = value.family === 4 ? 32n : 128n;
    const hosts = ((1n << width) - 1n) ^ value.mask;
    return (hosts & (hosts + 1n)) !== 0n;
  };
  const found = table.chains.flatMap(({ rules }) =>
    rules.filter(({ matches }) => matches.some((each) => each.options.some(hasHoles))),
  );
  const dropped = new Set(found.slice(1));
  const chains = table.chains.map((chain) => ({
    ...chain,
    rules: chain.rules.filter((rule) => !dropped.has(rule)),
  }));
  return { ...table, chains };
}

/** Pairs of boxes that agree on all fields but one; those of other families with addresses are none. */
function mergeable(all: readonly Box[]): readonly string[] {
  return FIELDS.flatMap((field) => {
    const keys = all
      .filter(({ source, destination }) => field !== 'family' || !(source || destination))
      .map((box) => keyWithout(box, field));
    return keys.filter((key, at) => keys.indexOf(key) !== at);
  });
}

/** What makes a box no plain answer: ranges that overlap or touch, flags, an address without its family. */
function faults(box: Box): readonly string[] {
  const found: string[] = [];
  for (const field of FIELDS) {
    const spans = box[field];
    if (spans?.length === 0) found.push(`${field} is empty`);
    const ranges = rangesOf(spans ?? []);
    ranges.forEach(([from, to], at) => {
      if (from > to || (at > 0 && from <= elementAt(ranges, at - 1)[1] + 1n))
        found.push(`${field} ${from}`);
    });
  }
  if (box.flags) found.push('flags');
  const [family, ...others] = box.family ?? [];
  const single = family && others.length === 0 && family[0] === family[1];
  if ((box.source || box.destination) && !single) found.push('address without family');
  return found;
}

/** The boxes of the set, or undefined if they are more than anybody reads. */
function fewBoxes(set: PacketSet): readonly Box[] | undefined {
  try {
    return boxes(set, 5000);
  } catch (error) {
    if (error instanceof LimitError) return undefined;
    throw error;
  }
}

/** Holds the boxes against the set, exactly, and against the packets one by one. */
function expectBoxes(universe: Universe, set: PacketSet, space: readonly Packet[]) {
  const all = boxes(set);
  const covered = all.map((box) => universe.box(box)).reduce(union, universe.empty);
  expect(isEmpty(subtract(set, covered))).toBe(true);
  expect(isEmpty(subtract(covered, set))).toBe(true);
  const counts = space.map((packet) => all.filter((box) => inBox(box, packet)).length);
  expect(counts).toEqual(space.map((packet) => (includes(set, packet) ? 1 : 0)));
  expect(mergeable(all)).toEqual([]);
  expect(all.flatMap(faults)).toEqual([]);
  return all;
}

test('boxes of small tables cover exactly, share nothing, and no two can be merged', () => {
  const sizes: number[] = [];
  fc.assert(
    fc.property(smallTables, ([before, after]) => {
      const space = smallSpace(before, after);
      const universe = new Universe();
      const loaded = universe.load(before);
      sizes.push(expectBoxes(universe, loaded.mayAccept, space).length);
      const { newlyAccepted, newlyRefused } = difference(loaded, universe.load(after));
      expectBoxes(universe, newlyAccepted, space);
      expectBoxes(universe, newlyRefused, space);
    }),
    { numRuns: propertyRuns(100) },
  );
  expect(sizes.filter((size) => size > 2).length).toBeGreaterThanOrEqual(
    leastHits(sizes.length, 0.3),
  );
});

test('boxes of tables with every match there is', () => {
  const sizes: number[] = [];
  fc.assert(
    fc.property(
      tables(4).map(withOneHole),
      fc.array(packets, { minLength: 30, maxLength: 60 }),
      (table, calls) => {
        const universe = new Universe();
        const { mayRefuse: refused } = universe.load(table);
        const found = fewBoxes(refused);
        if (found === undefined) return;
        sizes.push(expectBoxes(universe, refused, calls).length);
        const evaluate = evaluator(table);
        const wrong = calls.filter(
          (call) => found.some((box) => inBox(box, call)) !== evaluate(call).errno > 0,
        );
        expect(wrong).toEqual([]);
      },
    ),
    { numRuns: propertyRuns(100) },
  );
  expect(sizes.length).toBeGreaterThanOrEqual(propertyRuns(100) / 2);
  expect(sizes.filter((size) => size > 3).length).toBeGreaterThanOrEqual(
    leastHits(sizes.length, 0.15),
  );
});

describe('a box names no more than it must', () => {
  const universe = new Universe();
  const numberOf = (chain: BuiltinChain) => BigInt(BUILTIN_CHAINS.indexOf(chain));
  const [BIND, ACCEPT, CONNECT] = [numberOf('BIND'), numberOf('ACCEPT'), numberOf('CONNECT')];
  const [SENDTO, RECVFROM] = [numberOf('SENDTO'), numberOf('RECVFROM')];
  const one = (...values: readonly bigint[]) => values.map((value) => [value, value] as const);
  const [tcp, udp, icmp, icmpv6] = [6n, 17n, 1n, 58n];
  const web = one(80n);
  const low: Box['destinationPort'] = [[0n, 1023n]];
  const net: Box['destination'] = [[0x0a000000n, 0x0affffffn]];

  test.each<[string, Box, readonly Box[]]>([
    ['all', {}, [{}]],
    ['all of tcp in ACCEPT', { chain: one(ACCEPT), protocol: one(tcp) }, [{ chain: one(ACCEPT) }]],
    ['SYN', { chain: one(CONNECT), flags: one(2n) }, [{ chain: one(CONNECT), protocol: one(tcp) }]],
    ['a port of all chains', { destinationPort: web }, [{ destinationPort: web }]],
    [
      'a port that icmp has too',
      { chain: one(CONNECT), destinationPort: low },
      [{ chain: one(CONNECT), destinationPort: low }],
    ],
    [
      'BIND and its source',
      { chain: one(BIND), source: one(0n), sourcePort: one(0n), destinationPort: web },
      [{ chain: one(BIND), destinationPort: web }],
    ],
    ['icmp', { protocol: one(icmp) }, [{ chain: [[CONNECT, SENDTO]], protocol: one(icmp) }]],
    [
      'icmpv6 by family',
      { chain: one(CONNECT), protocol: one(icmpv6), family: one(6n) },
      [{ chain: one(CONNECT), protocol: one(icmpv6) }],
    ],
    [
      'icmp of each family',
      { chain: one(CONNECT), protocol: one(icmp, icmpv6) },
      [{ chain: one(CONNECT), protocol: one(icmp, icmpv6) }],
    ],
    [
      'an address that BIND has not',
      { family: one(4n), source: net },
      [{ chain: [[ACCEPT, RECVFROM]], family: one(4n), source: net }],
    ],
    [
      'an address of both families',
      { chain: one(SENDTO), destination: one(1n) },
      [
        { chain: one(SENDTO), family: one(4n), destination: one(1n) },
        { chain: one(SENDTO), family: one(6n), destination: one(1n) },
      ],
    ],
    [
      'groups and owners',
      { chain: one(SENDTO), group: [[3n, 70000n]], protocol: one(udp), uid: [[0n, 65536n]] },
      [{ chain: one(SENDTO), group: [[3n, 70000n]], protocol: one(udp), uid: [[0n, 65536n]] }],
    ],
  ])('%s', (_, box, expected) => {
    expect(boxes(universe.box(box))).toEqual(expected);
  });

  test('nothing is no box', () => {
    expect(boxes(universe.empty)).toEqual([]);
    expect(boxes(universe.box({ chain: one(ACCEPT), protocol: one(udp) }))).toEqual([]);
  });
});

test('past the limit it says so, as for a mask with holes', () => {
  const universe = new Universe();
  const ports = universe.matching([
    [
      {
        field: 'destinationPort',
        set: { kind: 'masked', value: 0x40n, mask: 0x40n },
        negated: false,
      },
    ],
  ]);
  expect(boxes(ports)).toHaveLength(1);
  expect(() => boxes(ports, 10)).toThrow(LimitError);
  const uids = universe.matching([
    [
      { field: 'uid', set: { kind: 'ranges', ranges: [[0n, 9n]] }, negated: false },
      { field: 'gid', set: { kind: 'ranges', ranges: [[0n, 9n]] }, negated: false },
    ],
  ]);
  expect(boxes(uids)).toHaveLength(2);
  expect(() => boxes(uids, 1)).toThrow('more than 1 boxes');
});
