/**
 * The rules of a chain by the calls that they can match.
 *
 * Of one field, the one that tells most rules apart, each rule's values lie in a block: all values
 * that begin with the bits which the lowest and the highest of them share. A call can only match the
 * rules of the blocks that hold its value, at most one for each number of shared bits.
 */
import {
  addressBits,
  type Clause,
  contains,
  elementAt,
  FAMILIES,
  type Family,
  FIELD_BITS,
  type Field,
  type Rule,
  type ValueSet,
} from '@sockfilter/table';
import type { PlacedRule } from './placedrule.js';

/** Fields by which rules are told apart. */
const FIELDS: readonly Field[] = [
  'group',
  'destination',
  'source',
  'destinationPort',
  'sourcePort',
  'uid',
];

/** By so many of the rules the field is chosen. */
const MOST_LOOKED_AT = 500;

interface Block {
  /** How many of the field's low bits are free. */
  readonly free: number;
  /** The bits above them. */
  readonly prefix: bigint;
}

/** The family that the condition asks for, if it asks for one. */
function onlyFamily(condition: readonly Clause[]): Family | undefined {
  for (const [test, more] of condition) {
    if (!test || more || test.field !== 'family') continue;
    const families = FAMILIES.filter((each) => contains(test.set, BigInt(each)) !== test.negated);
    if (families.length === 1) return families[0];
  }
  return undefined;
}

/** The least and the greatest value of the set, of numbers with so many bits. */
function hull(set: ValueSet, bits: number): readonly [bigint, bigint] | undefined {
  if (set.kind === 'masked') {
    const all = (1n << BigInt(bits)) - 1n;
    return [set.value, set.value | (all & ~set.mask)];
  }
  const [first, last] = [set.ranges[0], set.ranges.at(-1)];
  return first && last && [first[0], last[1]];
}

/** The block of the field's values that the condition lets through; all of them where it does not ask. */
function blockOf(field: Field, condition: readonly Clause[]): Block {
  const isAddress = field === 'source' || field === 'destination';
  const family = isAddress ? onlyFamily(condition) : undefined;
  const bits = family === undefined ? FIELD_BITS[field] : addressBits(family);
  for (const [test, more] of condition) {
    if (!test || more || test.field !== field || test.negated) continue;
    const ends = hull(test.set, bits);
    if (!ends) continue;
    const different = ends[0] ^ ends[1];
    const free = different === 0n ? 0 : different.toString(2).length;
    return { free, prefix: ends[0] >> BigInt(free) };
  }
  return { free: FIELD_BITS[field], prefix: 0n };
}

type Blocks = ReadonlyMap<number, ReadonlyMap<bigint, readonly number[]>>;

/** The positions of rules, ascending, by free bits and prefix of their block. */
function blocksOf(
  field: Field,
  rules: readonly PlacedRule[],
  conditionOf: (rule: Rule) => readonly Clause[],
): Blocks {
  const blocks = new Map<number, Map<bigint, number[]>>();
  for (const [at, { rule }] of rules.entries()) {
    // Not kept: of most rules no call asks again.
    const { free, prefix } = blockOf(field, conditionOf(rule));
    const byPrefix = blocks.get(free) ?? new Map<bigint, number[]>();
    blocks.set(free, byPrefix);
    const known = byPrefix.get(prefix);
    if (known) known.push(at);
    else byPrefix.set(prefix, [at]);
  }
  return blocks;
}

const countBlocks = (blocks: Blocks) =>
  [...blocks.values()].reduce((sum, { size }) => sum + size, 0);

export class RuleIndex {
  readonly #rules: readonly PlacedRule[];
  readonly #field: Field;
  readonly #blocks: Blocks;

  constructor(rules: readonly PlacedRule[], conditionOf: (rule: Rule) => readonly Clause[]) {
    this.#rules = rules;
    const step = Math.ceil(rules.length / MOST_LOOKED_AT);
    const some = rules.filter((_, at) => at % step === 0);
    const counts = FIELDS.map((field) => ({
      field,
      count: countBlocks(blocksOf(field, some, conditionOf)),
    }));
    this.#field = counts.reduce((a, b) => (b.count > a.count ? b : a)).field;
    this.#blocks = blocksOf(this.#field, rules, conditionOf);
  }

  /**
   * In order, those that can match a call with these values of its fields, and few others; all where it is not told
   * which value the call has in the field that tells rules apart.
   */
  rulesFor(known: (field: Field) => bigint | undefined): readonly PlacedRule[] {
    const value = known(this.#field);
    if (value === undefined) return this.#rules;
    const positions = [...this.#blocks].flatMap(
      ([free, byPrefix]) => byPrefix.get(value >> BigInt(free)) ?? [],
    );
    return positions.sort((a, b) => a - b).map((at) => elementAt(this.#rules, at));
  }
}
