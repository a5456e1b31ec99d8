/**
 * Builds the diagrams of a table: one that records everything where that is affordable, else one of
 * the verdicts and as few as will do that only count.
 */
import {
  calledChain,
  chainTargets,
  counterOwners,
  ownErrno,
  placedTests,
  reporters,
  type Table,
} from '@sockfilter/table';
import { type Built, build } from './built.js';
import { LimitError, type Limits } from './limit.js';
import { PreparedConditions } from './preparedcondition.js';
import type { Recording } from './record.js';

/** How many times the cost of the verdicts alone a diagram that counts may have. */
const COUNTING_FACTOR = 4;
/** What it may cost in any case: so much, and so much more for each rule and policy. */
const COUNTING_FLOOR = {
  poolEdges: [250_000, 100],
  edges: [50_000, 15],
  steps: [1_000_000, 400],
  counted: [20_000, 4],
} as const;

export function withinLimits<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (error instanceof LimitError) return undefined;
    throw error;
  }
}

export const tryBuild = (...recorded: Parameters<typeof build>): Built | undefined =>
  withinLimits(() => build(...recorded));

type Cost = Readonly<Record<keyof typeof COUNTING_FLOOR, number>>;

const NO_COST: Cost = { poolEdges: 0, edges: 0, steps: 0, counted: 0 };

function costOf({ compiler, edges }: Built): Cost {
  const { store, outcomes } = compiler;
  const counted = outcomes.length;
  return { poolEdges: store.edgeCount, edges, steps: store.steps, counted };
}

/** Limits for a diagram that counts, in proportion to the cost of the one of the verdicts. */
function countingLimits(limits: Limits, counters: number, verdicts: Cost): Limits {
  const bound = (name: keyof Cost) => {
    const [base, each] = COUNTING_FLOOR[name];
    return Math.min(
      limits[name],
      Math.max(base + each * counters, COUNTING_FACTOR * verdicts[name]),
    );
  };
  return {
    ...limits,
    poolEdges: bound('poolEdges'),
    edges: bound('edges'),
    steps: bound('steps'),
    counted: bound('counted'),
  };
}

/** The chains with a rule that asks an opaque test, or from which on a call is traced. */
export function entangledChains(table: Table): ReadonlySet<string> {
  const { traces } = reporters(table);
  const tracing = counterOwners(table).filter((_, counter) => traces.has(counter));
  const asking = placedTests(table).map(({ owner }) => owner);
  return new Set([...asking, ...tracing].map(({ chain }) => chain.name));
}

/** The chain and those that calls can come to from there. */
export function chainsFrom(table: Table, name: string): ReadonlySet<string> {
  const reached = new Set([name]);
  for (const each of reached)
    for (const target of chainTargets(table, each)) {
      const called = calledChain(target);
      if (called !== undefined) reached.add(called);
    }
  return reached;
}

/**
 * The counters of all rules that a call may come to that asks an opaque test on its way, or is traced. What is
 * counted follows from the answers, and what is reported from the rules before, and those are known in one
 * diagram alone: that of the verdicts.
 */
function entangledCounters(table: Table): ReadonlySet<number> {
  const asking = entangledChains(table);
  if (asking.size === 0) return new Set();
  const reached = new Set<string>();
  for (const { name } of table.chains.filter(({ policy }) => policy !== undefined)) {
    const here = chainsFrom(table, name);
    if ([...here].some((each) => asking.has(each))) for (const each of here) reached.add(each);
  }
  return new Set(
    counterOwners(table).flatMap(({ chain }, counter) =>
      reached.has(chain.name) ? [counter] : [],
    ),
  );
}

/** Counters of the rules that count without deciding. */
function countingRules(table: Table): readonly number[] {
  return counterOwners(table).flatMap((owner, counter) =>
    ownErrno(owner) === undefined ? [counter] : [],
  );
}

type Scope = Pick<Recording, 'asksSets' | 'chains'>;

interface CountingOptions {
  readonly scope: Scope;
  readonly limits: Limits;
  /** What a diagram of several counters may cost. */
  readonly bounded: Limits;
  readonly prepared: PreparedConditions;
}

/** Halves the counters until a diagram that records those of a part is affordable. */
function buildCounting(
  table: Table,
  counters: readonly number[],
  { scope, limits, bounded, prepared }: CountingOptions,
): readonly Built[] {
  const { countingDiagrams } = limits;
  const split = (part: readonly number[], parts: number): readonly Built[] => {
    if (parts > countingDiagrams) throw new LimitError('countingDiagrams', countingDiagrams);
    const wanted = new Set(part);
    const recording = {
      verdicts: false,
      counts: (counter: number) => wanted.has(counter),
      ...scope,
    };
    if (part.length === 1) return [build(table, recording, limits, prepared)];
    const whole = tryBuild(table, recording, bounded, prepared);
    if (whole) return [whole];
    const middle = part.length >> 1;
    const halves = [part.slice(0, middle), part.slice(middle)];
    return halves.flatMap((half) => split(half, parts * 2));
  };
  return split(counters, 1);
}

/**
 * Diagrams that record all that the table counts, the one of the verdicts the last; the scope is as in a
 * recording. Throws LimitError where they cost more than the limits allow, or the one of the verdicts more than
 * `single`.
 */
export function buildRecorded(
  table: Table,
  scope: Scope,
  limits: Limits,
  single: Limits = limits,
): readonly Built[] {
  const prepared = new PreparedConditions();
  const everything: Recording = { verdicts: true, counts: () => true, ...scope };
  const counters = countingRules(table);
  const owners = counterOwners(table).length;
  if (counters.length > 0) {
    const first = countingLimits(single, owners, NO_COST);
    const all = tryBuild(table, everything, first, prepared);
    if (all) return [all];
  }
  const entangled = entangledCounters(table);
  const apart = counters.filter((counter) => !entangled.has(counter));
  const verdicts = build(
    table,
    { verdicts: true, counts: (counter) => entangled.has(counter), ...scope },
    single,
    prepared,
  );
  if (apart.length === 0) return [verdicts];
  const bounded = countingLimits(limits, owners, costOf(verdicts));
  const all = tryBuild(table, everything, bounded, prepared);
  if (all) return [all];
  return [...buildCounting(table, apart, { scope, limits, bounded, prepared }), verdicts];
}
