/** Boxes of packets: what a set is described by, and made from. */
import { type Clause, FIELD_BITS, type Field, type Range, rangeSet } from '@sockfilter/table';

/**
 * A product of sets, one for each field; a field that is absent takes any value. Ranges are sorted, and
 * neither overlap nor touch.
 */
export type Box = Partial<Readonly<Record<Field, readonly Range[]>>>;

/** A box with a text that is the same for the same box. */
export interface KeyedBox {
  readonly box: Box;
  readonly key: string;
}

function isField(name: string): name is Field {
  return Object.hasOwn(FIELD_BITS, name);
}

/** The fields of a box, in the order in which diagrams ask. */
export const FIELDS: readonly Field[] = Object.keys(FIELD_BITS).filter(isField);

export function isAddress(field: Field): boolean {
  return field === 'source' || field === 'destination';
}

/** What must hold of the packets in the box. */
export function boxClauses(box: Box): readonly Clause[] {
  return FIELDS.flatMap((field): Clause[] => {
    const ranges = box[field];
    return ranges ? [[{ field, set: rangeSet(ranges), negated: false }]] : [];
  });
}

/** The box with its fields and ranges in order. */
export function keyedBox(box: Box): KeyedBox {
  const fields = FIELDS.flatMap((field): [Field, readonly Range[]][] => {
    const ranges = box[field];
    if (!ranges) return [];
    const set = rangeSet(ranges);
    return [[field, set.kind === 'ranges' ? set.ranges : ranges]];
  });
  const key = fields.map(([field, ranges]) => `${field} ${ranges.join(' ')}`).join(';');
  return { box: Object.fromEntries(fields), key };
}
