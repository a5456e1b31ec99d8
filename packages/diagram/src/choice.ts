/**
 * Destinations of which a call gets one, taken apart: those that no rule tells from each other are one way on, and
 * which numbers a call draws says which way it goes. What is drawn is a field of the packet, behind all others.
 */
import {
  type Change,
  type Choice,
  changedParts,
  contains,
  drawsOf,
  elementAt,
  exactTest,
  type Luck,
  outcomesOf,
  type Range,
  REWRITTEN_PARTS,
  type Rewriting,
  type RewrittenPart,
  rangeSet,
  ruleCondition,
  ruleTests,
  type Table,
  type Test,
  type ValueSet,
} from '@sockfilter/table';
import { LimitError } from './limit.js';

/** Some destinations of a rule, and what calls draw that get one of them. */
export interface DrawnWay {
  readonly rewriting: Rewriting;
  readonly draws: Test;
  readonly number: number;
  /** Whether it is the last of its rule: what goes no other way goes this one. */
  readonly isLast: boolean;
}

/** The most ways that one rule is taken apart into. */
export const MOST_WAYS = 1024;
/** The most ranges of numbers that lead to one of them. */
const MOST_RANGES = 8192;

const FIELDS: readonly string[] = ['destination', 'destinationPort'];

/** The sets that rules compare destinations with; those of named sets as well where these are no tests of their own. */
export function destinationSets(
  table: Table,
  asksSets: boolean,
): ReadonlyMap<string, ReadonlySet<ValueSet>> {
  const found = new Map(FIELDS.map((field) => [field, new Set<ValueSet>()]));
  const add = ({ field, set }: Test) => found.get(field)?.add(set);
  for (const { rules } of table.chains)
    for (const rule of rules) {
      for (const clause of ruleCondition(rule, table)) clause.forEach(add);
      if (asksSets) continue;
      for (const test of ruleTests(rule, table))
        for (const box of exactTest(test, table)?.boxes() ?? []) box.forEach(add);
    }
  return found;
}

/** The first values of ranges, from `first` up to `last`, that are in the set and end where the next is not. */
function* turns(set: ValueSet, first: bigint, last: bigint, bits: number): Iterable<bigint> {
  if (set.kind === 'ranges') {
    for (const [from, to] of set.ranges) yield* [from, to + 1n];
    return;
  }
  const low = set.mask & -set.mask;
  const all = (1n << BigInt(bits)) - 1n;
  if (low === 0n || set.value & ~set.mask) return;
  if ((set.mask & all) === (all ^ (low - 1n))) {
    yield* [set.value, set.value + low];
    return;
  }
  if ((last - first) / low > MOST_RANGES) throw new LimitError('rewritings', MOST_RANGES);
  for (let at = (first / low + 1n) * low; at <= last; at += low)
    if (contains(set, at) !== contains(set, at - 1n)) yield at;
}

/** The numbers of the choice, cut where a set begins or ends. */
function cut(part: RewrittenPart, change: Change, sets: Iterable<ValueSet>): readonly Range[] {
  const [first, last] = outcomesOf(change);
  const cuts = new Set<bigint>([first]);
  for (const set of sets)
    for (const at of turns(set, first, last, REWRITTEN_PARTS[part].bits))
      if (at > first && at <= last) cuts.add(at);
  const starts = [...cuts].sort((a, b) => (a < b ? -1 : 1));
  return starts.map((start, n) => [start - first, (starts[n + 1] ?? last + 1n) - 1n - first]);
}

/** The numbers of destinations whose parts have these numbers. */
function* numbers(
  parts: readonly (readonly [Choice, Range])[],
): Iterable<readonly [number, number]> {
  const [outer, inner] = [...parts].sort(([a], [b]) => b.step - a.step);
  if (!outer) return;
  const [{ step }, [first, last]] = outer;
  const isWhole = !inner || (inner[1][0] === 0n && Number(inner[1][1]) === inner[0].count - 1);
  if (isWhole) {
    yield [Number(first) * step, (Number(last) + 1) * step - 1];
    return;
  }
  for (let at = Number(first); at <= Number(last); at++)
    yield [at * step + Number(inner[1][0]), at * step + Number(inner[1][1])];
}

/** The ways on of calls that the rule rewrites so; undefined where nothing is chosen. */
export function drawnWays(
  rewriting: Rewriting,
  sets: () => ReadonlyMap<string, ReadonlySet<ValueSet>>,
): readonly DrawnWay[] | undefined {
  const chosen = changedParts(rewriting).flatMap(([part, change]) =>
    change.among ? [{ part, change, among: change.among }] : [],
  );
  if (chosen.length === 0) return undefined;
  const luck = elementAt(chosen, 0).among;
  let ways: readonly (readonly Range[])[] = [[]];
  for (const { part, change } of chosen) {
    const pieces = cut(part, change, sets().get(REWRITTEN_PARTS[part].field) ?? []);
    if (ways.length * pieces.length > MOST_WAYS) throw new LimitError('rewritings', MOST_WAYS);
    ways = ways.flatMap((way) => pieces.map((piece) => [...way, piece]));
  }
  const drawn = ways.flatMap((way) => {
    const within = chosen.map(({ among }, n) => [among, elementAt(way, n)] as const);
    const set = drawnSet(luck, numbers(within));
    if (set.kind === 'ranges' && set.ranges.length === 0) return [];
    const parts = chosen.map(({ part, change, among }, n) => {
      const [from, to] = elementAt(way, n);
      const known: Choice = { ...among, within: [Number(from), Number(to)] };
      return [part, { ...change, among: known }] as const;
    });
    return [{ rewriting: { ...rewriting, ...Object.fromEntries(parts) }, set }];
  });
  return drawn.map(({ set, ...way }, n) => ({
    ...way,
    number: n,
    draws: { field: luck.by, set, negated: false },
    isLast: n === drawn.length - 1,
  }));
}

function drawnSet(
  luck: { readonly by: Luck; readonly of: number },
  parts: Iterable<readonly [number, number]>,
): ValueSet {
  const ranges: Range[] = [];
  for (const [first, last] of parts) {
    const draws = drawsOf(luck, first, last);
    if (draws) ranges.push(draws);
    if (ranges.length > MOST_RANGES) throw new LimitError('rewritings', MOST_RANGES);
  }
  return rangeSet(ranges);
}
