/** Tests of packet fields, and what rules make of them. */
import { type Field, fieldValue, type Packet } from './packet.js';
import { contains, type ValueSet } from './valueset.js';

/** Holds when the packet's field lies in the set; when `negated`, when it does not. */
export interface Test {
  readonly field: Field;
  readonly set: ValueSet;
  readonly negated: boolean;
}

/** Holds when any of its tests holds. A rule's condition is a list of clauses that must all hold. */
export type Clause = readonly Test[];

export function holds(test: Test, packet: Packet): boolean {
  return contains(test.set, fieldValue(packet, test.field)) !== test.negated;
}
