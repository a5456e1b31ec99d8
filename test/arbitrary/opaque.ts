/** Random tables of which some rules ask opaque tests, and the moments at which calls come. */
import {
  type Chain,
  KEY_FIELDS,
  type KeyField,
  type Match,
  type MatchOption,
  type Rule,
  type Table,
} from '@sockfilter/table';
import fc, { type Arbitrary } from 'fast-check';

const option = (name: string, value: MatchOption['value'], negated = false): MatchOption => ({
  name,
  negated,
  value,
});

/** `-m statistic --mode random`. */
export const chance = (threshold: number, negated: boolean): Match => ({
  name: 'statistic',
  options: [
    option('mode', { kind: 'word', word: 'random' }),
    option('probability', { kind: 'probability', threshold }, negated),
  ],
});

const turn = (every: number, packet: number, negated: boolean): Match => ({
  name: 'statistic',
  options: [
    option('mode', { kind: 'word', word: 'nth' }),
    option('every', { kind: 'count', count: BigInt(every) }, negated),
    option('packet', { kind: 'count', count: BigInt(packet) }),
  ],
});

const limit = (count: number, burst: number): Match => ({
  name: 'limit',
  options: [
    option('limit', { kind: 'rate', count, seconds: 1 }),
    option('limit-burst', { kind: 'count', count: BigInt(burst) }),
  ],
});

const hashlimit = (
  [count, burst]: readonly [number, number],
  isAbove: boolean,
  fields: readonly KeyField[],
  [source, destination]: readonly [number, number],
): Match => ({
  name: 'hashlimit',
  options: [
    option(`hashlimit-${isAbove ? 'above' : 'upto'}`, { kind: 'rate', count, seconds: 1 }),
    option('hashlimit-burst', { kind: 'count', count: BigInt(burst) }),
    option('hashlimit-mode', { kind: 'keyFields', fields }),
    option('hashlimit-name', { kind: 'label', label: 'x' }),
    option('hashlimit-srcmask', { kind: 'count', count: BigInt(source) }),
    option('hashlimit-dstmask', { kind: 'count', count: BigInt(destination) }),
  ],
});

const quota = (count: number, negated: boolean): Match => ({
  name: 'quota',
  options: [option('quota', { kind: 'count', count: BigInt(count) }, negated)],
});

const time = (hours: readonly number[], days: number, dates: number, flags: number): Match => {
  const [from = 0, to = 0] = hours;
  const given = (name: string, bit: number) =>
    flags & bit ? [option(name, { kind: 'none' })] : [];
  return {
    name: 'time',
    options: [
      option('timestart', { kind: 'timeOfDay', seconds: from }),
      option('timestop', { kind: 'timeOfDay', seconds: to }),
      option('monthdays', { kind: 'monthdays', days: (dates | 2) & ~1 }),
      option('weekdays', { kind: 'weekdays', days: (days | 2) & 0xfe }),
      option('datestop', { kind: 'date', seconds: 2 ** 31 - 1 }),
      ...given('kerneltz', 1),
      ...(from > to ? given('contiguous', 2) : []),
    ],
  };
};

const bits = fc.oneof(fc.constantFrom(0, 24, 32, 64, 128), fc.nat({ max: 128 }));

const secondOfDay = fc.oneof(fc.constantFrom(0, 86_399), fc.integer({ min: 0, max: 86_399 }));

/** Matches that ask; each opaque question is among them. */
const asking: Arbitrary<Match> = fc.oneof(
  fc.tuple(fc.constantFrom(0, 1 << 29, 2 ** 30, 2 ** 31), fc.boolean()).map((a) => chance(...a)),
  fc
    .tuple(fc.integer({ min: 1, max: 4 }), fc.nat(), fc.boolean())
    .map(([every, at, negated]) => turn(every, at % every, negated)),
  fc.tuple(fc.nat({ max: 6 }), fc.boolean()).map((a) => quota(...a)),
  fc
    .tuple(
      fc.array(secondOfDay, { minLength: 2, maxLength: 2 }),
      fc.nat({ max: 255 }),
      fc.nat({ max: 2 ** 31 - 1 }),
      fc.nat({ max: 3 }),
    )
    .map((a) => time(...a)),
  fc
    .tuple(fc.integer({ min: 1, max: 1000 }), fc.integer({ min: 1, max: 4 }))
    .map((a) => limit(...a)),
  fc
    .tuple(
      fc.tuple(fc.integer({ min: 1, max: 1000 }), fc.integer({ min: 1, max: 4 })),
      fc.boolean(),
      fc.subarray([...KEY_FIELDS]),
      fc.tuple(bits, bits),
    )
    .map((a) => hashlimit(...a)),
);

/** The table with opaque tests added to the rules for which a list is not empty. */
function withTests(table: Table, lists: readonly (readonly Match[])[]): Table {
  let next = 0;
  const add = (rule: Rule): Rule => {
    const matches = lists[next++ % Math.max(lists.length, 1)] ?? [];
    return { ...rule, matches: [...rule.matches, ...matches] };
  };
  const chains = table.chains.map((chain): Chain => ({ ...chain, rules: chain.rules.map(add) }));
  return { ...table, chains };
}

/** Tables of which about half of the rules ask one or two tests. */
export function opaqueTables(plain: Arbitrary<Table>): Arbitrary<Table> {
  const some = fc.oneof(fc.constant([]), fc.array(asking, { minLength: 1, maxLength: 2 }));
  return fc
    .tuple(plain, fc.array(some, { minLength: 1, maxLength: 12 }))
    .map(([table, lists]) => withTests(table, lists));
}

/** How long calls come after each other, in nanoseconds: at once, within rates, after a pause, after days. */
export const pauses: Arbitrary<bigint> = fc.oneof(
  fc.constant(0n),
  fc.bigInt({ min: 1n, max: 2_000_000n }),
  fc.bigInt({ min: 1n, max: 5_000_000_000n }),
  fc.bigInt({ min: 1n, max: 200_000_000_000_000n }),
);
