/**
 * Builds the diagrams of a table: one that records everything where that is affordable, else one of
 * the verdicts and as few as will do that only count.
 */
import { counterOwners, type Table } from '@sockfilter/table';
import { type Built, build, gather } from './built.js';
import type { Diagram } from './diagram.js';
import { DEFAULT_LIMITS, LimitError, type Limits } from './limit.js';
import type { Recording } from './record.js';

/** How many times the cost of the verdicts alone a diagram that counts may have. */
const COUNTING_FACTOR = 4;
/** What it may cost in any case. */
const COUNTING_FLOOR: Pick<Limits, 'poolEdges' | 'edges' | 'steps' | 'counted'> = {
  poolEdges: 250_000,
  edges: 50_000,
  steps: 1_000_000,
  counted: 20_000,
};

function tryBuild(table: Table, recording: Recording, limits: Limits): Built | undefined {
  try {
    return build(table, recording, limits);
  } catch (error) {
    if (error instanceof LimitError) return undefined;
    throw error;
  }
}

/** Limits for a diagram that counts, in proportion to the one of the verdicts. */
function countingLimits(limits: Limits, { compiler, edges }: Built): Limits {
  const bound = (name: keyof typeof COUNTING_FLOOR, cost: number) =>
    Math.min(limits[name], Math.max(COUNTING_FLOOR[name], COUNTING_FACTOR * cost));
  return {
    ...limits,
    poolEdges: bound('poolEdges', compiler.store.edgeCount),
    edges: bound('edges', edges),
    steps: bound('steps', compiler.store.steps),
    counted: bound('counted', compiler.outcomes.all.length),
  };
}

/** Counters of the rules that count without deciding. */
function countingRules(table: Table): readonly number[] {
  return counterOwners(table).flatMap(({ rule }, counter) => {
    const kind = rule?.target?.kind;
    const decides = !rule || kind === 'accept' || kind === 'drop' || kind === 'reject';
    return decides ? [] : [counter];
  });
}

/** Halves the counters until a diagram that records those of a part is affordable. */
function buildCounting(table: Table, counters: readonly number[], limits: Limits): Built[] {
  const { countingDiagrams } = limits;
  const built: Built[] = [];
  const split = (part: readonly number[], parts: number) => {
    if (built.length >= countingDiagrams)
      throw new LimitError('countingDiagrams', countingDiagrams);
    const wanted = new Set(part);
    const recording = { verdicts: false, counts: (counter: number) => wanted.has(counter) };
    const whole = tryBuild(table, recording, limits);
    if (whole) {
      built.push(whole);
      return;
    }
    if (part.length === 1 || parts >= countingDiagrams)
      throw new LimitError('countingDiagrams', countingDiagrams);
    const middle = part.length >> 1;
    split(part.slice(0, middle), parts * 2);
    split(part.slice(middle), parts * 2);
  };
  split(counters, 1);
  return built;
}

/**
 * The decision diagrams of the table. Throws LimitError where they cost more than the limits allow;
 * the table must be valid: its chains exist and call each other without loops.
 */
export function buildDiagram(table: Table, given: Partial<Limits> = {}): Diagram {
  const limits = { ...DEFAULT_LIMITS, ...given };
  const verdicts = build(table, { verdicts: true, counts: () => false }, limits);
  const counters = countingRules(table);
  if (counters.length === 0) return gather([verdicts], limits);
  const bounded = countingLimits(limits, verdicts);
  const all = tryBuild(table, { verdicts: true, counts: () => true }, bounded);
  if (all) return gather([all], limits);
  return gather([...buildCounting(table, counters, bounded), verdicts], limits);
}
