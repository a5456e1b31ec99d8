import type { Range } from '@sockfilter/table';
import fc from 'fast-check';
import {
  type Cube,
  complementOf,
  cubesOfRange,
  isCube,
  mergeCubes,
  normalSpans,
  type Span,
} from './span.js';

const BITS = 8;
const VALUES = Array.from({ length: 1 << BITS }, (_, value) => BigInt(value));

function has(span: Span, value: bigint): boolean {
  if (isCube(span)) return (value & span.mask) === span.value;
  return span[0] <= value && value <= span[1];
}

/** How many of the spans have each value. */
const counts = (spans: readonly Span[]) =>
  VALUES.map((value) => spans.filter((span) => has(span, value)).length);
const ones = (values: readonly bigint[]) => VALUES.map((value) => (values.includes(value) ? 1 : 0));

const values = fc.uniqueArray(fc.bigInt(0n, 255n), { maxLength: 60 });
const single = (value: bigint): Cube => ({ value, mask: 255n });
const ranges = fc
  .tuple(fc.bigInt(0n, 255n), fc.bigInt(0n, 255n))
  .map(([a, b]): Range => (a < b ? [a, b] : [b, a]));
const cubes = fc
  .tuple(fc.bigInt(0n, 255n), fc.bigInt(0n, 255n))
  .map(([value, mask]): Cube => ({ value: value & mask, mask }));

test('a range as cubes', () => {
  fc.assert(
    fc.property(ranges, (range) => {
      expect(counts(cubesOfRange(range, BITS))).toEqual(counts([range]));
    }),
  );
  expect(cubesOfRange([0n, 255n], BITS)).toEqual([{ value: 0n, mask: 0n }]);
  expect(cubesOfRange([5n, 6n], BITS)).toHaveLength(2);
});

test('merged cubes have each value once, as before', () => {
  fc.assert(
    fc.property(values, (some) => {
      expect(counts(mergeCubes(some.map(single)))).toEqual(ones(some));
    }),
  );
});

test('the values of one cube merge into it', () => {
  fc.assert(
    fc.property(cubes, (cube) => {
      expect(mergeCubes(VALUES.filter((value) => has(cube, value)).map(single))).toEqual([cube]);
    }),
  );
});

test('what spans leave out', () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(ranges, cubes), { maxLength: 5 }), (spans) => {
      const wanted = counts(spans).map((count) => (count === 0 ? 1 : 0));
      expect(counts(complementOf(spans, BITS) ?? [])).toEqual(wanted);
    }),
  );
  expect(complementOf([{ value: 5n, mask: 0x0fn }], BITS)).toHaveLength(4);
  const around = complementOf([{ value: 5n, mask: 0x2dn }], BITS) ?? [];
  expect(complementOf(around, BITS)).toEqual([{ value: 5n, mask: 0x2dn }]);
});

test('normal spans: ranges that touch are one, cubes come last', () => {
  const cube = { value: 1n, mask: 1n };
  expect(normalSpans([cube, [8n, 9n], [4n, 7n]])).toEqual([[4n, 9n], cube]);
  expect(normalSpans([single(2n), single(3n)])).toEqual([{ value: 2n, mask: 254n }]);
});
