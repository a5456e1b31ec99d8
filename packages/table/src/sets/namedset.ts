/** Named sets as plain data, and what the commands on sets do to a table. */
import { TableError } from '../error.js';
import { findNamed } from '../named.js';
import type { Family } from '../packet.js';
import type { Rule, Table } from '../table.js';
import { addressBits } from '../words/address.js';
import { hasAddresses, type SetType } from './settype.js';

/**
 * What a set holds. What its type has not is 0: a port has neither address nor protocol, and an address alone
 * has all bits of its family as its prefix.
 */
export interface SetElement {
  /** Without a bit behind the prefix. */
  readonly address: bigint;
  readonly prefix: number;
  readonly protocol: number;
  readonly port: number;
  /** Seconds that it has left; undefined if it stays. */
  readonly timeout: number | undefined;
  /** An exception: what lies in it is not in the set, unless a longer network has that. */
  readonly nomatch: boolean;
  /** Calls that it has counted; undefined where that is not said. Its set has `counters`. */
  readonly packets: bigint | undefined;
  /** Its set has `comments`. */
  readonly comment: string | undefined;
}

/**
 * A set. Like a rule it is known by what it has: edits of other things keep the object of its elements, and
 * that is how what is in the kernel follows it.
 */
export interface NamedSet {
  readonly name: string;
  readonly type: SetType;
  /** Of its addresses; 4 where it has none. */
  readonly family: Family;
  /** Seconds that an element has which says nothing else, 0 for one that stays; undefined: all stay. */
  readonly timeout: number | undefined;
  readonly maxelem: number;
  /** Whether elements count the calls that found them. */
  readonly counters: boolean;
  /** Whether elements can have comments. */
  readonly comments: boolean;
  readonly elements: readonly SetElement[];
}

export const DEFAULT_MAXELEM = 65_536;
/** The most that a set may be made for. */
export const MOST_ELEMENTS = 4_194_304;
/** As ipset's, in seconds: 2^31 milliseconds. */
export const MAX_TIMEOUT = 2_147_483;
export const MAX_SET_NAME = 31;
/** Bytes of an element's comment. */
export const MAX_ELEMENT_COMMENT = 255;
/** What an element can count. */
export const MAX_ELEMENT_PACKETS = 2 ** 48 - 1;

/** What tells an element from others of its set. */
export function elementKey({ address, prefix, protocol, port }: SetElement): string {
  return `${address}/${prefix} ${protocol}:${port}`;
}

/** Whether the elements, of one key, say the same. */
export function sameElement(a: SetElement, b: SetElement): boolean {
  return (
    a.timeout === b.timeout &&
    a.nomatch === b.nomatch &&
    a.packets === b.packets &&
    a.comment === b.comment
  );
}

export function findSet(table: Pick<Table, 'sets'>, name: string): NamedSet | undefined {
  return findNamed(table.sets, name);
}

/** The set of this name; TableError if there is none. */
export function requireSet(table: Pick<Table, 'sets'>, name: string): NamedSet {
  const set = findSet(table, name);
  if (!set)
    throw new TableError(
      `No set by the name \`${name}\`.`,
      `\`sockfilter set create ${name} TYPE\``,
    );
  return set;
}

/** Whether both hold elements of the same kind, by the same rules. */
export function sameSetShape(a: NamedSet, b: NamedSet): boolean {
  return (
    a.type === b.type &&
    (a.family === b.family || !hasAddresses(a.type)) &&
    a.timeout === b.timeout &&
    a.maxelem === b.maxelem &&
    a.counters === b.counters &&
    a.comments === b.comments
  );
}

/** Throws TableError if there is a set of the name. */
export function requireNoSet(table: Pick<Table, 'sets'>, name: string): void {
  if (findSet(table, name)) throw new TableError(`set \`${name}\` exists already`);
}

export function createSet(table: Table, set: NamedSet): Table {
  requireNoSet(table, set.name);
  return { ...table, sets: [...table.sets, set] };
}

function withSet(table: Table, old: NamedSet, ...now: readonly NamedSet[]): Table {
  return { ...table, sets: table.sets.flatMap((set) => (set === old ? now : [set])) };
}

/** The names of the sets that the rule asks. */
export function setsOfRule({ matches }: Rule): readonly string[] {
  return matches.flatMap(({ options }) =>
    options.flatMap(({ value }) => (value.kind === 'setRef' ? [value.set] : [])),
  );
}

/** The rules that ask the set, each with its chain. */
export function rulesOfSet(table: Table, name: string) {
  return table.chains.flatMap((chain) =>
    chain.rules.flatMap((rule) => (setsOfRule(rule).includes(name) ? [{ chain, rule }] : [])),
  );
}

/** Deletes one set, or all; one that a rule asks stays, and so do all then. */
export function destroySet(table: Table, name?: string): Table {
  if (name === undefined)
    return table.sets.reduce((rest, set) => destroySet(rest, set.name), table);
  const set = requireSet(table, name);
  const [user] = rulesOfSet(table, name);
  if (user)
    throw new TableError(
      `set \`${name}\` is in use by a rule of ${user.chain.name}`,
      'delete the rules that ask it first',
    );
  return withSet(table, set);
}

/** The table with the rules that ask a set asking the one that `to` names for it. */
function retarget(table: Table, to: (name: string) => string): Table {
  const isUsed = (rule: Rule) => setsOfRule(rule).some((name) => to(name) !== name);
  const chains = table.chains.map((chain) => ({
    ...chain,
    rules: chain.rules.map((rule) => (isUsed(rule) ? retargetRule(rule, to) : rule)),
  }));
  return { ...table, chains };
}

function retargetRule(rule: Rule, to: (name: string) => string): Rule {
  const matches = rule.matches.map((match) => ({
    ...match,
    options: match.options.map((option) =>
      option.value.kind === 'setRef'
        ? { ...option, value: { ...option.value, set: to(option.value.set) } }
        : option,
    ),
  }));
  return { ...rule, matches };
}

/** Renames a set, and what rules call it. */
export function renameSet(table: Table, from: string, to: string): Table {
  const set = requireSet(table, from);
  requireNoSet(table, to);
  return retarget(withSet(table, set, { ...set, name: to }), (name) => (name === from ? to : name));
}

/** Gives each of two sets the other's elements, at one moment; both must be of one kind. */
export function swapSets(table: Table, from: string, to: string): Table {
  const [a, b] = [requireSet(table, from), requireSet(table, to)];
  if (a.type !== b.type || (a.family !== b.family && hasAddresses(a.type)))
    throw new TableError(
      `sets \`${from}\` and \`${to}\` can't be swapped: their types or families differ`,
    );
  if (a === b) return table;
  const sets = table.sets.map((set) =>
    set === a ? { ...b, name: a.name } : set === b ? { ...a, name: b.name } : set,
  );
  return { ...table, sets };
}

/** Empties a set, or all. */
export function flushSet(table: Table, name?: string): Table {
  const only = name === undefined ? undefined : requireSet(table, name);
  const sets = table.sets.map((set) => (only && set !== only ? set : { ...set, elements: [] }));
  return { ...table, sets };
}

/** The element in the place of an old one, which has counted what the new one says nothing of. */
export function replacing(old: SetElement | undefined, element: SetElement): SetElement {
  if (old?.packets === undefined || element.packets !== undefined) return element;
  return { ...element, packets: old.packets };
}

/** How a set takes an element that it has. */
export interface AddOptions {
  /** The new one takes its place, with what it has counted if nothing else is said, and there is no fault. */
  readonly exist?: boolean;
}

/** Adds elements. TableError for one that is there, and past maxelem. */
export function addElements(
  set: NamedSet,
  added: readonly SetElement[],
  { exist = false }: AddOptions = {},
): NamedSet {
  const known = new Map(set.elements.map((element) => [elementKey(element), element]));
  for (const element of added) {
    const key = elementKey(element);
    const old = known.get(key);
    if (old && !exist)
      throw new TableError("Element cannot be added to the set: it's already added");
    known.set(key, replacing(old, element));
    if (known.size > set.maxelem) throw fullSet(set);
  }
  return { ...set, elements: [...known.values()] };
}

export function fullSet({ name, maxelem }: NamedSet): TableError {
  return new TableError(
    `set \`${name}\` is full: it has room for ${maxelem} elements`,
    'make one with a greater `maxelem`, and `sockfilter set swap` the two',
  );
}

/** Takes elements out. TableError for one that is not there, unless `exist` says that this is no fault. */
export function deleteElements(
  set: NamedSet,
  removed: readonly SetElement[],
  { exist = false }: AddOptions = {},
): NamedSet {
  const known = new Map(set.elements.map((element) => [elementKey(element), element]));
  for (const element of removed)
    if (!known.delete(elementKey(element)) && !exist)
      throw new TableError("Element cannot be deleted from the set: it's not added");
  return { ...set, elements: [...known.values()] };
}

/**
 * Whether the set has the element, or of the networks that hold all of it the longest is of its kind: an exception
 * or none. Timeouts are not looked at.
 */
export function holdsElement({ family, elements }: NamedSet, wanted: SetElement): boolean {
  const bits = addressBits(family);
  const holders = elements.filter(({ address, prefix, protocol, port }) => {
    const rest = BigInt(bits - prefix);
    return (
      prefix <= wanted.prefix &&
      address >> rest === wanted.address >> rest &&
      protocol === wanted.protocol &&
      port === wanted.port
    );
  });
  return longest(holders)?.nomatch === wanted.nomatch;
}

/** The one with the longest prefix. */
export function longest(elements: readonly SetElement[]): SetElement | undefined {
  return elements.reduce<SetElement | undefined>(
    (best, element) => (best && best.prefix >= element.prefix ? best : element),
    undefined,
  );
}

/** The table with another set in the place of the one of its name. */
export function replaceSet(table: Table, set: NamedSet): Table {
  return withSet(table, requireSet(table, set.name), set);
}
