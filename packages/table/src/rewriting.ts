/**
 * What rules make of a call before it goes on: some of its fields get other values, and the rules behind look
 * at those.
 *
 * A field becomes `(field & keep) ^ flip`: a constant if it keeps nothing. Such changes follow each other as
 * one change of the same kind. An address becomes another one of the same family, so that there is a part for each.
 * A destination may be one of several, which one says luck.ts.
 */
import type { Clause, Test } from './clause.js';
import { type Choice, drawnNumber, possibleNumbers } from './luck.js';
import { type Family, FIELD_BITS, FIELDS, type Field, fieldValue, type Packet } from './packet.js';
import type { AddressSpan, PortSpan } from './value.js';
import { contains, rangeSet, type ValueSet, valueSet } from './valueset.js';
import { printAddress, printDestinations } from './words/address.js';

export interface Change {
  /** The bits that stay what they are. */
  readonly keep: bigint;
  /** The bits that are turned after that. */
  readonly flip: bigint;
  /** That is the first of several values behind each other, of which one is chosen; nothing is kept then. */
  readonly among?: Choice;
}

interface PartRow {
  readonly field: WritableField;
  /** Calls of another family stay as they are. */
  readonly family?: Family;
  readonly bits: number;
}

/** The fields that can be rewritten: those that the kernel lets a program write. */
export type WritableField = Extract<Field, 'mark' | 'destination' | 'destinationPort'>;

export type RewrittenPart = 'destination4' | 'destination6' | 'destinationPort' | 'mark';

export const REWRITTEN_PARTS: Readonly<Record<RewrittenPart, PartRow>> = {
  destination4: { field: 'destination', family: 4, bits: 32 },
  destination6: { field: 'destination', family: 6, bits: 128 },
  destinationPort: { field: 'destinationPort', bits: FIELD_BITS.destinationPort },
  mark: { field: 'mark', bits: FIELD_BITS.mark },
};

function isPart(name: string): name is RewrittenPart {
  return Object.hasOwn(REWRITTEN_PARTS, name);
}

const PARTS: readonly RewrittenPart[] = Object.keys(REWRITTEN_PARTS).filter(isPart);

export const WRITABLE_FIELDS: readonly WritableField[] = [
  ...new Set(PARTS.map((part) => REWRITTEN_PARTS[part].field)),
];

/** The parts that become something else. */
export type Rewriting = Partial<Readonly<Record<RewrittenPart, Change>>>;

/** A call that is as it was asked for. */
export const UNCHANGED: Rewriting = Object.freeze({});

export function isUnchanged(rewriting: Rewriting): boolean {
  return changedParts(rewriting).length === 0;
}

/** A part becomes the value, whatever it was. */
export function constantly(value: bigint | number): Change {
  return { keep: 0n, flip: BigInt(value) };
}

/** The values that a part becomes one of: one alone if it keeps no bit and nothing is chosen. */
export function outcomesOf({ flip, among }: Change): readonly [first: bigint, last: bigint] {
  if (!among) return [flip, flip];
  const [first, last] = possibleNumbers(among);
  return [flip + BigInt(first), flip + BigInt(last)];
}

/** The part of a destination in the family. */
export function destinationPart(family: Family): 'destination4' | 'destination6' {
  return family === 4 ? 'destination4' : 'destination6';
}

function all(part: RewrittenPart): bigint {
  return (1n << BigInt(REWRITTEN_PARTS[part].bits)) - 1n;
}

function changes(part: RewrittenPart, change: Change | undefined): change is Change {
  return change !== undefined && (change.keep !== all(part) || change.flip !== 0n);
}

/** What the part becomes by one change after the other. */
function follow(first: Change, second: Change): Change {
  if (first.among) throw new TypeError('nothing keeps bits of what is chosen');
  return {
    keep: first.keep & second.keep,
    flip: (first.flip & second.keep) ^ second.flip,
  };
}

/** What becomes of a call that is rewritten by the one and then by the other. */
export function rewriteTwice(first: Rewriting, second: Rewriting): Rewriting {
  const result: Partial<Record<RewrittenPart, Change>> = {};
  for (const part of PARTS) {
    const [one, two] = [first[part], second[part]];
    const change = one && two && two.keep !== 0n ? follow(one, two) : (two ?? one);
    if (changes(part, change)) result[part] = change;
  }
  return result;
}

type ChangedParts = readonly (readonly [part: RewrittenPart, change: Change])[];

const NONE_CHANGED: ChangedParts = [];
const CHANGED = new WeakMap<Rewriting, ChangedParts>();

/** The parts that become something else, with the change of each. */
export function changedParts(rewriting: Rewriting): ChangedParts {
  if (rewriting === UNCHANGED) return NONE_CHANGED;
  const known = CHANGED.get(rewriting);
  if (known) return known;
  const found = PARTS.flatMap((part) => {
    const change = rewriting[part];
    return changes(part, change) ? [[part, change] as const] : [];
  });
  CHANGED.set(rewriting, found);
  return found;
}

/** Equal for two that make the same of every call. */
export function rewritingKey(rewriting: Rewriting): string {
  return changedParts(rewriting)
    .map(
      ([part, { keep, flip, among }]) => `${part} ${keep} ${flip}${among ? choiceKey(among) : ''}`,
    )
    .join();
}

function choiceKey({ by, of, step, count, within }: Choice): string {
  return ` ${by} ${of} ${step} ${count}${within ? ` ${within.join(' ')}` : ''}`;
}

/** Whether something of the call is chosen. */
export function isDrawn(rewriting: Rewriting): boolean {
  return changedParts(rewriting).some(([, { among }]) => among);
}

/** The rewriting without what the walk of rules has found out about what is chosen. */
export function wholeRewriting(rewriting: Rewriting): Rewriting {
  if (!changedParts(rewriting).some(([, { among }]) => among?.within)) return rewriting;
  const parts = changedParts(rewriting).map(([part, { among, ...change }]) => {
    if (!among) return [part, change] as const;
    const { within, ...choice } = among;
    return [part, { ...change, among: choice }] as const;
  });
  return Object.fromEntries(parts);
}

/** The call as it is after it was rewritten. */
export function rewrite(packet: Packet, rewriting: Rewriting): Packet {
  let result = packet;
  for (const [part, { keep, flip, among }] of changedParts(rewriting)) {
    const { field, family } = REWRITTEN_PARTS[part];
    if (family !== undefined && family !== packet.family) continue;
    const value = among
      ? flip + BigInt(chosenNumber(packet, among))
      : (fieldValue(packet, field) & keep) ^ flip;
    result = { ...result, [field]: field === 'destination' ? value : Number(value) };
  }
  return result;
}

/** The number of the value that the call gets: where the walk knows some alone, one of those. */
function chosenNumber(packet: Packet, among: Choice): number {
  const drawn = drawnNumber(packet[among.by] ?? 0, among);
  const number = Math.floor(drawn / among.step) % among.count;
  const [first, last] = possibleNumbers(among);
  return Math.min(Math.max(number, first), last);
}

const EVERYTHING: ValueSet = { kind: 'masked', value: 0n, mask: 0n };

/**
 * Whether what the part becomes is in the set. Of several values all or none are: the walk of rules tells those apart
 * that rules do.
 */
function becomesOne(set: ValueSet, change: Change): boolean {
  return contains(set, outcomesOf(change)[0]);
}

/** The values that the change makes one of the set. */
function valuesBefore(set: ValueSet, change: Change): ValueSet {
  const { keep, flip } = change;
  if (keep === 0n) return becomesOne(set, change) ? EVERYTHING : rangeSet([]);
  if (set.kind === 'ranges' && set.ranges.length === 0) return set;
  if (set.kind !== 'masked') throw new TypeError('what keeps bits is compared with bits alone');
  const fixed = set.mask & ~keep;
  const fits = (set.value & ~set.mask) === 0n && (flip & fixed) === (set.value & fixed);
  if (!fits) return rangeSet([]);
  const mask = set.mask & keep;
  return { kind: 'masked', value: (set.value ^ flip) & mask, mask };
}

/** The changes of the field, each with the family that it is for. */
function changesOf(field: Field, rewriting: Rewriting): readonly (readonly [PartRow, Change])[] {
  return changedParts(rewriting).flatMap(([part, change]) => {
    const row = REWRITTEN_PARTS[part];
    return row.field === field ? [[row, change] as const] : [];
  });
}

/**
 * Holds of the call as it was asked for where the test holds of it as it is then. Calls of a family that nothing
 * is rewritten in do not come here.
 */
function testBefore(test: Test, rewriting: Rewriting): Test {
  const found = changesOf(test.field, rewriting);
  const [only] = found;
  if (!only) return test;
  if (only[0].family === undefined) return { ...test, set: valuesBefore(test.set, only[1]) };
  const families = found.flatMap(([{ family = 4 }, change]) => {
    if (change.keep !== 0n) throw new TypeError('an address becomes another one as a whole');
    return becomesOne(test.set, change) === test.negated ? [] : [family];
  });
  return { field: 'family', set: valueSet(...families), negated: false };
}

/** Hold of a call as it was asked for where the clauses hold of it as it is then. */
export function clausesBefore(clauses: readonly Clause[], rewriting: Rewriting): readonly Clause[] {
  return isUnchanged(rewriting)
    ? clauses
    : clauses.map((clause) => clause.map((test) => testBefore(test, rewriting)));
}

/** Whether the test fails of every call that is rewritten so, by what the call becomes alone. */
function failsOf({ field, set, negated }: Test, rewriting: Rewriting): boolean {
  let isChanged = false;
  for (const [part, change] of changedParts(rewriting)) {
    if (REWRITTEN_PARTS[part].field !== field) continue;
    if (change.keep !== 0n || becomesOne(set, change) !== negated) return false;
    isChanged = true;
  }
  return isChanged;
}

/** What the field is of all calls that are rewritten so, if it is one value; of several among which none is told apart, one. */
export function rewrittenValue(rewriting: Rewriting, field: Field): bigint | undefined {
  const [only, other] = changesOf(field, rewriting);
  if (!only || other || only[1].keep !== 0n) return undefined;
  return outcomesOf(only[1])[0];
}

/** Whether no call that is rewritten so meets the clauses, as far as what it becomes tells: what clausesBefore() says, sooner. */
export function isNeverMet(clauses: readonly Clause[], rewriting: Rewriting): boolean {
  return clauses.some((clause) => clause.every((test) => failsOf(test, rewriting)));
}

/** The fields that any of them changes. */
export function rewrittenFields(rewritings: Iterable<Rewriting>): ReadonlySet<Field> {
  const fields = new Set<Field>();
  for (const rewriting of rewritings)
    for (const [part] of changedParts(rewriting)) fields.add(REWRITTEN_PARTS[part].field);
  return new Set(FIELDS.filter((field) => fields.has(field)));
}

/** Whether calls get another destination by it. */
export function leadsElsewhere(rewriting: Rewriting): boolean {
  return changedParts(rewriting).some(([part]) => part !== 'mark');
}

function sameChoice(one: Choice | undefined, two: Choice | undefined): boolean {
  return one === two || (!!one && !!two && choiceKey(one) === choiceKey(two));
}

/** The calls of which both make the same whatever is drawn, as clauses; undefined if they do so of none. */
export function agreement(first: Rewriting, second: Rewriting): readonly Clause[] | undefined {
  const clauses: Clause[] = [];
  for (const part of PARTS) {
    const { field, family } = REWRITTEN_PARTS[part];
    const stays: Change = { keep: all(part), flip: 0n };
    const [one, two] = [first[part] ?? stays, second[part] ?? stays];
    const mask = one.keep ^ two.keep;
    const value = one.flip ^ two.flip;
    const never = (value & ~mask) !== 0n || !sameChoice(one.among, two.among);
    if (never && family === undefined) return undefined;
    if (!never && mask === 0n) continue;
    const same: Clause = never
      ? []
      : [{ field, set: { kind: 'masked', value, mask }, negated: false }];
    const elsewhere: Clause =
      family === undefined ? [] : [{ field: 'family', set: valueSet(family), negated: true }];
    clauses.push([...elsewhere, ...same]);
  }
  return clauses;
}

/** The destination that the call gets, or those of which it gets one. */
export function destinationsOf(
  packet: Packet,
  rewriting: Rewriting,
): { readonly address: AddressSpan; readonly port: PortSpan } {
  const { family } = packet;
  const [first, last] = outcomesOf(
    rewriting[destinationPart(family)] ?? constantly(packet.destination),
  );
  const ports = outcomesOf(rewriting.destinationPort ?? constantly(packet.destinationPort));
  return {
    address: { family, first, last },
    port: { first: Number(ports[0]), last: Number(ports[1]) },
  };
}

/** The same as text: `10.0.0.5:80`, `10.0.0.5-10.0.0.9:80`. */
export function destinationText(packet: Packet, rewriting: Rewriting): string {
  return printDestinations(destinationsOf(packet, rewriting));
}

/** What becomes of the fields, in words: `mark 0x1`, `destination 10.0.0.5, port 80`; empty if nothing does. */
export function rewritingText(rewriting: Rewriting): string {
  const { destination4, destination6, destinationPort, mark } = rewriting;
  const addresses = [
    ...(destination4 ? [outcomesText(destination4, (value) => printAddress(4, value))] : []),
    ...(destination6 ? [outcomesText(destination6, (value) => printAddress(6, value))] : []),
  ];
  return [
    ...(addresses.length > 0 ? [`destination ${addresses.join(' or ')}`] : []),
    ...(destinationPort ? [`port ${outcomesText(destinationPort, String)}`] : []),
    ...(mark ? [`mark ${markText(mark)}`] : []),
  ].join(', ');
}

function outcomesText(change: Change, print: (value: bigint) => string): string {
  const [first, last] = outcomesOf(change);
  return first === last ? print(first) : `one of ${print(first)}-${print(last)}`;
}

function markText({ keep, flip }: Change): string {
  const hex = (value: bigint) => `0x${value.toString(16)}`;
  if (keep === 0n) return hex(flip);
  const kept = keep === all('mark') ? '' : `& ${hex(keep)}`;
  return [kept, ...(flip === 0n ? [] : [`^ ${hex(flip)}`])].filter((part) => part !== '').join(' ');
}
