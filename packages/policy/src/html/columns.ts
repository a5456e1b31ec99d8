/**
 * The columns of a chain: the destinations that its rules name, with protocol and port, and everything
 * else. In ACCEPT and RECVFROM the peer is part of it. A column has what its name says but for what
 * narrower columns have, so each call is in one.
 */
import {
  boxes,
  equals,
  intersect,
  isEmpty,
  LimitError,
  type PacketSet,
  subtract,
  type Universe,
  union,
} from '@sockfilter/diagram';
import {
  type BuiltinChain,
  type Clause,
  calledChain,
  chainNumber,
  contains,
  type Field,
  hasPeerSource,
  ruleCondition,
  type Test,
} from '@sockfilter/table';
import { type CheckContext, chainSet } from '../context.js';
import { describeWithin } from './within.js';

interface Column {
  readonly label: string;
  readonly set: PacketSet;
}

export interface Columns {
  readonly columns: readonly Column[];
  /** How many places that rules name have no column of their own. */
  readonly cut: number;
}

/** What rules of a chain name, each once, with how many rules name it. */
export type Places = ReadonlyMap<
  string,
  { readonly clauses: readonly Clause[]; readonly uses: number }
>;

/** Boxes of a column that are named. */
const MAX_NAMED = 3;

const OUTWARD: readonly Field[] = ['family', 'protocol', 'destination', 'destinationPort'];
const WITH_PEER: readonly Field[] = [...OUTWARD, 'source'];

const shownIn = (chain: BuiltinChain) => (hasPeerSource(chain) ? WITH_PEER : OUTWARD);

/** The clause as it is in the chain, or undefined where it always holds or is about other fields. */
function narrow(clause: Clause, chain: BuiltinChain): Clause | undefined {
  const here = BigInt(chainNumber(chain));
  const rest: Test[] = [];
  for (const test of clause) {
    if (test.field !== 'chain') rest.push(test);
    else if (contains(test.set, here) !== test.negated) return undefined;
  }
  return rest.every(({ field }) => shownIn(chain).includes(field)) ? rest : undefined;
}

function keyOf(clauses: readonly Clause[]): string {
  const text = (test: Test) => {
    const { field, negated, set } = test;
    const values = set.kind === 'masked' ? `${set.value}&${set.mask}` : set.ranges.join(' ');
    return `${field}${negated ? '!' : ''}${values}`;
  };
  return clauses
    .map((clause) => clause.map(text).join('|'))
    .sort()
    .join(';');
}

/** The user chains that calls of each built-in chain can enter, itself included. */
function chainsBelow(context: CheckContext, chain: BuiltinChain): ReadonlySet<string> {
  const byName = new Map(context.table.chains.map((each) => [each.name, each]));
  const names = new Set<string>([chain]);
  for (const name of names)
    for (const { target } of byName.get(name)?.rules ?? []) {
      const called = calledChain(target);
      if (called !== undefined) names.add(called);
    }
  return names;
}

export function placesOf(contexts: readonly CheckContext[], chain: BuiltinChain): Places {
  const places = new Map<string, { clauses: readonly Clause[]; uses: number }>();
  for (const context of contexts) {
    const below = chainsBelow(context, chain);
    for (const { name, rules } of context.table.chains) {
      if (!below.has(name)) continue;
      for (const rule of rules) {
        const clauses = ruleCondition(rule, context.table).flatMap((clause) =>
          [narrow(clause, chain)].filter((each) => each !== undefined),
        );
        if (clauses.length === 0) continue;
        const key = keyOf(clauses);
        const known = places.get(key);
        if (known) known.uses++;
        else places.set(key, { clauses, uses: 1 });
      }
    }
  }
  return places;
}

function labelOf(set: PacketSet, chain: BuiltinChain): string {
  try {
    const texts = boxes(set, 64).map((box) => describeWithin(box, chain));
    const more = texts.length > MAX_NAMED ? ` and ${texts.length - MAX_NAMED} more` : '';
    return `${texts.slice(0, MAX_NAMED).join('; ')}${more}`;
  } catch (error) {
    if (error instanceof LimitError) return 'many destinations';
    throw error;
  }
}

/** The places that get a column: those that meet `preferred` before others, then the most named. */
function choose(
  universe: Universe,
  chain: BuiltinChain,
  places: Places,
  preferred: PacketSet,
  limit: number,
): { readonly sets: readonly PacketSet[]; readonly cut: number } {
  const whole = chainSet(universe, chain);
  const sets: { set: PacketSet; uses: number; at: number; isWanted: boolean }[] = [];
  // Equal sets have equal refs.
  const seen = new Set<number>([universe.empty.ref, whole.ref]);
  for (const [at, { clauses, uses }] of [...places.values()].entries()) {
    const set = intersect(whole, universe.matching(clauses));
    if (seen.has(set.ref)) continue;
    seen.add(set.ref);
    sets.push({ set, uses, at, isWanted: !isEmpty(intersect(set, preferred)) });
  }
  const chosen = sets
    .toSorted((a, b) => Number(b.isWanted) - Number(a.isWanted) || b.uses - a.uses || a.at - b.at)
    .slice(0, limit)
    .toSorted((a, b) => a.at - b.at)
    .map(({ set }) => set);
  return { sets: chosen, cut: sets.length - chosen.length };
}

/** At most `limit` columns, in the order in which rules name them; together all of the region. */
export function pageColumns(
  universe: Universe,
  chain: BuiltinChain,
  places: Places,
  { region, preferred, limit }: { region: PacketSet; preferred: PacketSet; limit: number },
): Columns {
  const { sets, cut } = choose(universe, chain, places, preferred, limit - 1);
  const wider = (set: PacketSet) => sets.filter((other) => isEmpty(subtract(set, other))).length;
  const order = sets
    .map((set, at) => ({ set, at, wider: wider(set) }))
    .sort((a, b) => b.wider - a.wider || a.at - b.at);
  let taken = universe.empty;
  const columns: { at: number; column: Column }[] = [];
  for (const { set, at } of order) {
    const own = subtract(set, taken);
    const shown = intersect(own, region);
    if (!isEmpty(shown)) {
      const label = labelOf(set, chain);
      columns.push({
        at,
        column: { label: equals(own, set) ? label : `${label}, the rest`, set: shown },
      });
    }
    taken = union(taken, set);
  }
  const listed = columns.sort((a, b) => a.at - b.at).map(({ column }) => column);
  const others = subtract(region, taken);
  if (isEmpty(others)) return { columns: listed, cut };
  const label = listed.length === 0 ? 'every destination' : 'everything else';
  return { columns: [...listed, { label, set: others }], cut };
}
