import fc from 'fast-check';
import { holds } from './clause.js';
import { contains, type Range, rangeSet, type ValueSet, valueSet } from './valueset.js';

const MAX = 40n;
const number = fc.bigInt({ min: 0n, max: MAX });
const range = fc.tuple(number, number).map(([a, b]): Range => (a < b ? [a, b] : [b, a]));
const ranges = fc.array(range, { maxLength: 6 });

const members = (set: ValueSet) =>
  Array.from({ length: Number(MAX) + 2 }, (_, value) => contains(set, BigInt(value)));

test('a range set holds what any of its ranges holds', () => {
  fc.assert(
    fc.property(ranges, number, (list, value) => {
      const inAny = list.some(([from, to]) => from <= value && value <= to);
      expect(contains(rangeSet(list), value)).toBe(inAny);
    }),
  );
});

test('range sets are sorted, apart, and the same for the same members', () => {
  fc.assert(
    fc.property(ranges, (list) => {
      const set = rangeSet(list);
      if (set.kind !== 'ranges') throw new TypeError(set.kind);
      for (const [at, [from, to]] of set.ranges.entries()) {
        const before = set.ranges[at - 1];
        expect(from <= to).toBe(true);
        if (before) expect(from > before[1] + 1n).toBe(true);
      }
      expect(rangeSet(set.ranges)).toEqual(set);
      expect(rangeSet(list.toReversed())).toEqual(set);
      const values = members(set).flatMap((member, value) => (member ? [value] : []));
      expect(valueSet(...values)).toEqual(set);
    }),
  );
});

test('a masked set holds what agrees in the bits of its mask, which may have holes', () => {
  fc.assert(
    fc.property(number, number, number, (mask, address, value) => {
      const set: ValueSet = { kind: 'masked', value: address & mask, mask };
      expect(contains(set, value)).toBe(((address ^ value) & mask) === 0n);
    }),
  );
});

test('the sets at the ends', () => {
  expect(members(valueSet()).includes(true)).toBe(false);
  expect(contains({ kind: 'masked', value: 0n, mask: 0n }, 2n ** 128n - 1n)).toBe(true);
  expect(
    rangeSet([
      [0n, 3n],
      [4n, 9n],
    ]),
  ).toEqual({ kind: 'ranges', ranges: [[0n, 9n]] });
  expect(
    rangeSet([
      [0n, 9n],
      [2n, 3n],
    ]),
  ).toEqual({ kind: 'ranges', ranges: [[0n, 9n]] });
  expect(
    rangeSet([
      [0n, 3n],
      [5n, 9n],
    ]),
  ).toMatchObject({
    ranges: [
      [0n, 3n],
      [5n, 9n],
    ],
  });
});

test('a test holds when the field lies in the set, negated when not', () => {
  const packet = {
    chain: 'CONNECT',
    group: 3,
    family: 4,
    protocol: 6,
    source: 0n,
    destination: 0x0a000005n,
    sourcePort: 0,
    destinationPort: 443,
    flags: 2,
    uid: 1000,
    gid: 100,
    mark: 0,
  } as const;
  fc.assert(
    fc.property(fc.constantFrom('group', 'uid', 'destination', 'chain'), ranges, (field, list) => {
      const set = rangeSet(list);
      const test = { field, set, negated: false };
      expect(holds(test, packet)).toBe(!holds({ ...test, negated: true }, packet));
    }),
  );
  expect(holds({ field: 'chain', set: valueSet(2), negated: false }, packet)).toBe(true);
  expect(holds({ field: 'destination', set: valueSet(0x0a000005), negated: false }, packet)).toBe(
    true,
  );
});
