/** Builds the diagrams of a table, whatever it takes. */
import { counterOwners, type Table } from '@sockfilter/table';
import { gather } from './built.js';
import type { Diagram } from './diagram.js';
import { buildLayered } from './layered.js';
import { DEFAULT_LIMITS, type Limits } from './limit.js';
import { buildRecorded, withinLimits } from './recorded.js';
import { singleLimits } from './singlelimits.js';
import { explainLimit } from './wayout.js';

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
