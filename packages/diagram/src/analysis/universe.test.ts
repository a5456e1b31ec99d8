import {
  BUILTIN_CHAINS,
  type Clause,
  elementAt,
  evaluator,
  type Field,
  fieldValue,
  holds,
  impossible,
  type Packet,
  ruleCondition,
  valueSet,
} from '@sockfilter/table';
import fc, { type Arbitrary } from 'fast-check';
import { packetsOf, smallSpace, smallTables } from '../../../../test/arbitrary/smalltable.js';
import { packets, tables } from '../../../../test/arbitrary/table.js';
import { leastHits } from '../../../../test/harness/chance.js';
import { propertyRuns } from '../../../../test/harness/length.js';
import { LimitError } from '../limit.js';
import { FIELDS } from './box.js';
import { mirror } from './mirror.js';
import {
  equals,
  includes,
  intersect,
  isEmpty,
  type PacketSet,
  subtract,
  union,
} from './packetset.js';
import { project } from './projection.js';
import { Universe } from './universe.js';
import { witness } from './witness.js';

const meets = (clauses: readonly Clause[], packet: Packet) =>
  clauses.every((clause) => clause.some((test) => holds(test, packet)));

/** Conditions of random rules. */
const conditions: Arbitrary<readonly (readonly Clause[])[]> = tables(3).map((table) =>
  table.chains.flatMap(({ rules }) => rules.map((rule) => ruleCondition(rule, table))),
);
/** The packets that agree with this one in the fields. */
function exactly(packet: Packet, fields: readonly Field[]): readonly Clause[] {
  return fields.map((field) => [
    { field, set: valueSet(fieldValue(packet, field)), negated: false },
  ]);
}

const calls = fc.array(packets, { minLength: 20, maxLength: 40 });

/** Packets of which most can't happen. */
const wild: Arbitrary<Packet> = fc.record<Packet>({
  chain: fc.constantFrom(...BUILTIN_CHAINS),
  group: fc.nat(9),
  family: fc.constantFrom(4, 6),
  protocol: fc.constantFrom(0, 1, 2, 6, 17, 58, 136, 255),
  source: fc.constantFrom(0n, 0n, 1n),
  destination: fc.constantFrom(0n, 1n),
  sourcePort: fc.constantFrom(0, 0, 1),
  destinationPort: fc.constantFrom(0, 0, 80),
  flags: fc.constantFrom(0, 0, 2, 16),
  uid: fc.nat(9),
  gid: fc.nat(9),
  mark: fc.nat(9),
});

test('a packet is possible when nothing is impossible about it', () => {
  const universe = new Universe();
  const seen = { possible: 0, impossible: 0 };
  fc.assert(
    fc.property(fc.oneof(wild, packets), (packet) => {
      const can = impossible(packet) === undefined;
      seen[can ? 'possible' : 'impossible']++;
      return includes(universe.possible, packet) === can;
    }),
    { numRuns: propertyRuns(5000) },
  );
  expect(Math.min(seen.possible, seen.impossible)).toBeGreaterThanOrEqual(
    leastHits(propertyRuns(5000), 0.4),
  );
});

test('sets match what their clauses match, and unite, intersect and subtract as sets do', () => {
  fc.assert(
    fc.property(conditions, calls, (all, space) => {
      const universe = new Universe();
      const sets = all.map((clauses) => universe.matching(clauses));
      const wrong = space.flatMap((packet) =>
        all.flatMap((clauses, at) => {
          const next = (at + 1) % all.length;
          const [a, b] = [meets(clauses, packet), meets(elementAt(all, next), packet)];
          const [setA, setB] = [elementAt(sets, at), elementAt(sets, next)];
          const right =
            includes(setA, packet) === a &&
            includes(union(setA, setB), packet) === (a || b) &&
            includes(intersect(setA, setB), packet) === (a && b) &&
            includes(subtract(setA, setB), packet) === (a && !b);
          return right ? [] : [packet];
        }),
      );
      expect(wrong).toEqual([]);
    }),
    { numRuns: propertyRuns(40) },
  );
});

test('equal sets are equal however they were made', () => {
  fc.assert(
    fc.property(conditions, (all) => {
      const universe = new Universe();
      const sets = all.map((clauses) => universe.matching(clauses));
      for (const [at, a] of sets.entries()) {
        const b = elementAt(sets, (at + 1) % sets.length);
        expect(equals(union(a, b), union(b, a))).toBe(true);
        const apart = union(subtract(a, b), intersect(a, b));
        expect(equals(apart, a)).toBe(true);
        expect(isEmpty(subtract(a, union(a, b)))).toBe(true);
        expect(equals(subtract(universe.possible, subtract(universe.possible, a)), a)).toBe(true);
      }
    }),
    { numRuns: propertyRuns(25) },
  );
});

test('a projection has what agrees with some packet of the set', () => {
  let grown = 0;
  fc.assert(
    fc.property(smallTables, fc.subarray([...FIELDS]), ([table], keep) => {
      const space = smallSpace(table);
      const universe = new Universe();
      const { mayAccept: accepted } = universe.load(table);
      const kept = new Set(keep);
      if (kept.has('source') || kept.has('destination')) kept.add('family');
      const shadow = (packet: Packet) =>
        [...kept]
          .map((field) => `${field} ${fieldValue(packet, field)}`)
          .toSorted()
          .join(' ');
      const inside = space.filter((packet) => includes(accepted, packet));
      const shadows = new Set(inside.map(shadow));
      const projected = project(accepted, keep);
      const wrong = space.filter(
        (packet) => includes(projected, packet) !== shadows.has(shadow(packet)),
      );
      expect(wrong).toEqual([]);
      expect(equals(project(projected, keep), projected)).toBe(true);
      expect(isEmpty(subtract(projected, universe.possible))).toBe(true);
      if (!equals(projected, accepted)) grown++;
    }),
    { numRuns: propertyRuns(100) },
  );
  expect(grown).toBeGreaterThanOrEqual(leastHits(propertyRuns(100), 0.55));
});

describe('a witness', () => {
  test('lies in its set, can happen, and evaluate() confirms it', () => {
    let found = 0;
    fc.assert(
      fc.property(tables(3), (table) => {
        const universe = new Universe();
        const loaded = universe.load(table);
        const evaluate = evaluator(table);
        const confirm = (set: PacketSet, claim: (packet: Packet) => boolean) => {
          const packet = witness(set);
          expect(packet === undefined).toBe(isEmpty(set));
          if (!packet) return;
          found++;
          expect(includes(set, packet)).toBe(true);
          expect(impossible(packet)).toBeUndefined();
          expect(claim(packet)).toBe(true);
        };
        confirm(loaded.mayAccept, (packet) => evaluate(packet).errno === 0);
        confirm(loaded.mayRefuse, (packet) => evaluate(packet).errno > 0);
        for (const counter of loaded.owners.keys()) {
          confirm(loaded.decidedBy(counter), (packet) => evaluate(packet).decider === counter);
          confirm(loaded.countedBy(counter), (packet) =>
            evaluate(packet).counted.includes(counter),
          );
          expect(loaded.exampleOf(counter)).toEqual(witness(loaded.countedBy(counter)));
        }
      }),
      { numRuns: propertyRuns(50) },
    );
    expect(found).toBeGreaterThan(2 * propertyRuns(50));
  });

  const universe = new Universe();
  const one = (value: number | bigint) => [[BigInt(value), BigInt(value)] as const];
  const chain = (name: (typeof BUILTIN_CHAINS)[number]) => one(BUILTIN_CHAINS.indexOf(name));

  test('is an ordinary call where the set leaves the choice', () => {
    expect(witness(universe.possible)).toEqual({
      chain: 'CONNECT',
      group: 0,
      family: 4,
      protocol: 6,
      source: 0n,
      destination: 0xc6336401n,
      destinationPort: 443,
      sourcePort: 0,
      flags: 2,
      uid: 1000,
      gid: 1000,
      mark: 0,
    });
    expect(witness(universe.box({ chain: chain('RECVFROM') }))).toMatchObject({
      protocol: 17,
      source: 0xc6336401n,
      destination: 0xc0000201n,
      destinationPort: 443,
      sourcePort: 40000,
    });
  });

  test('has the lowest values where usual ones are excluded, and no network as an address', () => {
    const set = universe.box({
      chain: chain('BIND'),
      group: [[7n, 9n]],
      family: one(4),
      destination: [[0x0a000000n, 0x0affffffn]],
      destinationPort: [[1024n, 2000n]],
      uid: [[5n, 9n]],
    });
    expect(witness(set)).toMatchObject({
      group: 7,
      source: 0n,
      sourcePort: 0,
      destination: 0x0a000001n,
      destinationPort: 1024,
      uid: 5,
      gid: 1000,
      mark: 0,
    });
    const alone = universe.box({ family: one(4), destination: one(0x0a000000n) });
    expect(witness(alone)).toMatchObject({ destination: 0x0a000000n });
    const hosts = universe.box({ family: one(4), destination: [[0x0a000006n, 0x0a000009n]] });
    expect(witness(hosts)).toMatchObject({ destination: 0x0a000006n });
    expect(witness(universe.empty)).toBeUndefined();
  });
});

test('sets of other universes are refused', () => {
  const [a, b] = [new Universe(), new Universe()];
  expect(() => union(a.possible, b.possible)).toThrow(TypeError);
  expect(() => equals(a.empty, b.empty)).toThrow(TypeError);
});

test('a universe that may hold little says so', () => {
  expect(() => new Universe({ poolEdges: 10 })).toThrow(LimitError);
});

test('small spaces have every chain, family and protocol', () => {
  expect(packetsOf([]).length).toBe(
    // Chains that can go to address 0 have two packets for each protocol and family.
    2 * (2 * 3) + 2 * (2 * 1) + 2 * 3 + 2 * 3 + 2 * (2 * 2),
  );
});

test('the mirror of a set has what its packets have, in the other end', () => {
  const turn = (packet: Packet): Packet => ({
    ...packet,
    source: packet.destination,
    destination: packet.source,
    sourcePort: packet.destinationPort,
    destinationPort: packet.sourcePort,
  });
  const kept = FIELDS.filter((field) => field !== 'chain' && field !== 'flags' && field !== 'gid');
  const agree = (a: Packet, b: Packet) =>
    kept.every((field) => fieldValue(a, field) === fieldValue(b, field));
  fc.assert(
    fc.property(conditions, calls, (list, packets) => {
      const universe = new Universe();
      const set = list.map((clauses) => universe.matching(clauses)).reduce(union, universe.empty);
      const seen = mirror(set, kept);
      return packets.slice(0, 8).every((packet) => {
        // What is in the set is in the mirror, if it can be there, and what is in the mirror was in the set.
        const turned = witness(intersect(seen, universe.matching(exactly(turn(packet), kept))));
        const given = witness(intersect(set, universe.matching(exactly(packet, kept))));
        if (turned) return given !== undefined && agree(turn(turned), given);
        const isPossible = !isEmpty(universe.matching(exactly(turn(packet), kept)));
        return given === undefined || !isPossible;
      });
    }),
    { numRuns: propertyRuns(10) },
  );
});
