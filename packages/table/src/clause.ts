/** Tests of packet fields, and what rules make of them. */
import { type Family, type Field, fieldValue, type Packet } from './packet.js';
import { contains, type ValueSet } from './valueset.js';

/** Holds when the packet's field lies in the set; when `negated`, when it does not. */
export interface Test {
  readonly field: Field;
  readonly set: ValueSet;
  readonly negated: boolean;
}

/** Holds when any of its tests holds. A rule's condition is a list of clauses that must all hold. */
export type Clause = readonly Test[];

/**
 * Holds when the packet is of the family, if one is given, and its field lies between two numbers, both of which
 * belong: what most options ask, without bigints. `source` and `destination` are asked of family 4 alone.
 */
export interface PlainTest {
  readonly field: Field;
  readonly family: Family | undefined;
  readonly from: number;
  readonly to: number;
}

/** Holds of every packet. */
export const ANYTHING: PlainTest = { field: 'chain', family: undefined, from: 0, to: 255 };

export function holds(test: Test, packet: Packet): boolean {
  return contains(test.set, fieldValue(packet, test.field)) !== test.negated;
}
