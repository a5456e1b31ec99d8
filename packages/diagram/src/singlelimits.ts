import { type Limits, RULES_EACH } from './limit.js';

/** Steps for each edge. */
const STEPS_EACH = 10;

/** What a diagram of the verdicts may cost before the rules are put into layers or slices, and one of these then. */
export function singleLimits(limits: Limits, counters: number): Limits {
  const edges = Math.floor(limits.layerEdges * (1 + counters / RULES_EACH));
  return {
    ...limits,
    poolEdges: Math.min(limits.poolEdges, edges),
    steps: Math.min(limits.steps, STEPS_EACH * edges),
  };
}
