/**
 * What rules make of a call before it goes on: some of its fields get other values, and the rules behind look
 * at those.
 *
 * A field becomes `(field & keep) ^ flip`: a constant if it keeps nothing. Such changes follow each other as
 * one change of the same kind.
 */
import type { Clause, Test } from './clause.js';
import { FIELD_BITS, FIELDS, type Field, fieldValue, type Packet } from './packet.js';
import { contains, rangeSet, type ValueSet } from './valueset.js';

export interface Change {
  /** The bits that stay what they are. */
  readonly keep: bigint;
  /** The bits that are turned after that. */
  readonly flip: bigint;
}

/** The fields that can be rewritten: those that the kernel lets a program write. */
export type WritableField = Extract<Field, 'mark'>;

export const WRITABLE_FIELDS: readonly WritableField[] = ['mark'];

/** The fields that become something else. */
export type Rewriting = Partial<Readonly<Record<WritableField, Change>>>;

/** A call that is as it was asked for. */
export const UNCHANGED: Rewriting = Object.freeze({});

export function isUnchanged(rewriting: Rewriting): boolean {
  return rewriting === UNCHANGED || rewritingKey(rewriting) === '';
}

function all(field: Field): bigint {
  return (1n << BigInt(FIELD_BITS[field])) - 1n;
}

/** What the field becomes by one change after the other. */
function follow(first: Change, second: Change): Change {
  return {
    keep: first.keep & second.keep,
    flip: (first.flip & second.keep) ^ second.flip,
  };
}

/** What becomes of a call that is rewritten by the one and then by the other. */
export function rewriteTwice(first: Rewriting, second: Rewriting): Rewriting {
  const result: Partial<Record<WritableField, Change>> = {};
  for (const field of WRITABLE_FIELDS) {
    const [one, two] = [first[field], second[field]];
    const change = one && two ? follow(one, two) : (one ?? two);
    if (change && (change.keep !== all(field) || change.flip !== 0n)) result[field] = change;
  }
  return result;
}

/** Equal for two that make the same of every call. */
export function rewritingKey(rewriting: Rewriting): string {
  return WRITABLE_FIELDS.flatMap((field) => {
    const change = rewriting[field];
    const stays = !change || (change.keep === all(field) && change.flip === 0n);
    return stays ? [] : [`${field} ${change.keep} ${change.flip}`];
  }).join();
}

/** The call as it is after it was rewritten. */
export function rewrite(packet: Packet, rewriting: Rewriting): Packet {
  let result = packet;
  for (const field of WRITABLE_FIELDS) {
    const change = rewriting[field];
    if (!change) continue;
    const value = (fieldValue(packet, field) & change.keep) ^ change.flip;
    result = { ...result, [field]: Number(value) };
  }
  return result;
}

const EVERYTHING: ValueSet = { kind: 'masked', value: 0n, mask: 0n };

/** The values that the change makes one of the set. */
function valuesBefore(set: ValueSet, { keep, flip }: Change): ValueSet {
  if (keep === 0n) return contains(set, flip) ? EVERYTHING : rangeSet([]);
  if (set.kind === 'ranges' && set.ranges.length === 0) return set;
  if (set.kind !== 'masked') throw new TypeError('what keeps bits is compared with bits alone');
  const fixed = set.mask & ~keep;
  const fits = (set.value & ~set.mask) === 0n && (flip & fixed) === (set.value & fixed);
  if (!fits) return rangeSet([]);
  const mask = set.mask & keep;
  return { kind: 'masked', value: (set.value ^ flip) & mask, mask };
}

/** Holds of the call as it was asked for where the test holds of it as it is then. */
function testBefore(test: Test, rewriting: Rewriting): Test {
  const field = WRITABLE_FIELDS.find((each) => each === test.field);
  const change = field && rewriting[field];
  return change ? { ...test, set: valuesBefore(test.set, change) } : test;
}

/** Hold of a call as it was asked for where the clauses hold of it as it is then. */
export function clausesBefore(clauses: readonly Clause[], rewriting: Rewriting): readonly Clause[] {
  return isUnchanged(rewriting)
    ? clauses
    : clauses.map((clause) => clause.map((test) => testBefore(test, rewriting)));
}

/** The fields that any of them changes. */
export function rewrittenFields(rewritings: Iterable<Rewriting>): ReadonlySet<Field> {
  const fields = new Set<Field>();
  for (const rewriting of rewritings)
    for (const field of FIELDS) if (Object.hasOwn(rewriting, field)) fields.add(field);
  return fields;
}

/** The calls of which both make the same, as clauses; undefined if they do so of none. */
export function agreement(first: Rewriting, second: Rewriting): readonly Clause[] | undefined {
  const clauses: Clause[] = [];
  for (const field of WRITABLE_FIELDS) {
    const stays: Change = { keep: all(field), flip: 0n };
    const [one, two] = [first[field] ?? stays, second[field] ?? stays];
    const mask = one.keep ^ two.keep;
    const value = one.flip ^ two.flip;
    if ((value & ~mask) !== 0n) return undefined;
    if (mask !== 0n)
      clauses.push([{ field, set: { kind: 'masked', value, mask }, negated: false }]);
  }
  return clauses;
}

/** What becomes of the fields, in words: `mark 0x1`, `mark & 0xff ^ 0x1`; empty if nothing does. */
export function rewritingText(rewriting: Rewriting): string {
  return WRITABLE_FIELDS.flatMap((field) => {
    const change = rewriting[field];
    return change ? [`${field} ${changeText(field, change)}`] : [];
  }).join(', ');
}

function changeText(field: Field, { keep, flip }: Change): string {
  const hex = (value: bigint) => `0x${value.toString(16)}`;
  if (keep === 0n) return hex(flip);
  const kept = keep === all(field) ? '' : `& ${hex(keep)}`;
  return [kept, ...(flip === 0n ? [] : [`^ ${hex(flip)}`])].filter((part) => part !== '').join(' ');
}
