/** Builds the diagrams of a table, whatever it takes. */
import { counterOwners, type Table } from '@sockfilter/table';
import { gather } from './built.js';
import type { Diagram } from './diagram.js';
import { buildLayered } from './layered.js';
import { DEFAULT_LIMITS, type Limits } from './limit.js';
import { buildRecorded, withinLimits } from './recorded.js';
import { explainLimit } from './wayout.js';

/** Rules for which a diagram may cost as much again as one of few before layers are tried, and steps for each edge. */
export const RULES_EACH = 10_000;
const STEPS_EACH = 10;

/** What a diagram of the verdicts may cost before layers are tried, and one layer then. */
function singleLimits(limits: Limits, counters: number): Limits {
  const edges = Math.floor(limits.layerEdges * (1 + counters / RULES_EACH));
  return {
    ...limits,
    poolEdges: Math.min(limits.poolEdges, edges),
    steps: Math.min(limits.steps, STEPS_EACH * edges),
  };
}

/**
 * The decision diagrams of the table, as the kernel walks them. Throws LimitError where they cost more than the
 * limits allow; the table must be valid: its chains exist and call each other without loops.
 */
export function buildDiagram(table: Table, given: Partial<Limits> = {}): Diagram {
  const limits = { ...DEFAULT_LIMITS, ...given };
  const single = singleLimits(limits, counterOwners(table).length);
  const scope = { asksSets: true };
  return explainLimit(
    table,
    () =>
      withinLimits(() => gather(buildRecorded(table, scope, limits, single), limits)) ??
      buildLayered(table, limits, single) ??
      gather(buildRecorded(table, scope, limits), limits),
  );
}
