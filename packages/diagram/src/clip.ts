/**
 * Tests of fields as diagrams have them.
 *
 * Where fields have few values, intervals are widened so that each value stands for all from the one
 * before it up to itself and the last for the rest: it saves an edge, and no packet tells the
 * difference.
 */
import {
  BUILTIN_CHAINS,
  type Clause,
  contains,
  elementAt,
  FAMILIES,
  type Family,
  FIELD_BITS,
  type Field,
  type Range,
  rangeSet,
  type Test,
  type ValueSet,
  valueSet,
} from '@sockfilter/table';

const FEW_VALUES: Partial<Readonly<Record<Field, readonly bigint[]>>> = {
  chain: BUILTIN_CHAINS.map((_, index) => BigInt(index)),
  family: FAMILIES.map(BigInt),
};

const GREATEST = Array.from({ length: 129 }, (_, bits) => (1n << BigInt(bits)) - 1n);

/** The field's set without what its width rules out. */
export function clip(field: Field, set: ValueSet, bits: number): ValueSet {
  const max = elementAt(GREATEST, bits);
  const values = FEW_VALUES[field];
  if (!values && set.kind === 'ranges' && (set.ranges.at(-1)?.[1] ?? 0n) <= max) return set;
  if (values)
    return rangeSet(
      values.flatMap((value, index): Range[] => {
        if (!contains(set, value)) return [];
        const from = index === 0 ? 0n : elementAt(values, index - 1) + 1n;
        return [[from, index === values.length - 1 ? max : value]];
      }),
    );
  if (set.kind === 'masked') {
    const possible = set.value <= max && (set.value & ~set.mask) === 0n;
    return possible ? { ...set, mask: set.mask & max } : rangeSet([]);
  }
  const begins = set.ranges.filter(([from]) => from <= max);
  return rangeSet(begins.map(([from, to]): Range => (to <= max ? [from, to] : [from, max])));
}

/** In the form that clip() gives it, as every rule with an address has one. */
const ofFamily = (family: Family): Test => ({
  field: 'family',
  set: clip('family', valueSet(family), FIELD_BITS.family),
  negated: false,
});
export const OF_FAMILY: Readonly<Record<Family, Test>> = { 4: ofFamily(4), 6: ofFamily(6) };

export const asksAddress = ({ field }: Test) => field === 'source' || field === 'destination';

/** Whether calls of the family can meet what is asked of it. */
export function isPossible([test, ...others]: Clause, family: Family): boolean {
  if (test === undefined || others.length > 0 || test.field !== 'family') return true;
  return contains(test.set, BigInt(family)) !== test.negated;
}
