/**
 * What a walk reports on its way, beside the verdict: which rules of it had an event, in the order of the walk.
 */
import { counterOwners } from './counter.js';
import type { Table } from './table.js';
import { effectsOf } from './targets.js';

/** `log`: a rule asked for an event of its own. `trace`: it matched, or decided, a call that is traced. */
export type ReportKind = 'log' | 'trace';

export interface Report {
  readonly kind: ReportKind;
  /** Index of the counter of the rule or policy. */
  readonly counter: number;
}

/** The rules of a table that report, by counter. */
export interface Reporters {
  readonly logs: ReadonlySet<number>;
  /** From these on, all that matches is reported. */
  readonly traces: ReadonlySet<number>;
}

export function reporters(table: Table): Reporters {
  const logs = new Set<number>();
  const traces = new Set<number>();
  counterOwners(table).forEach(({ rule }, counter) => {
    if (!rule) return;
    for (const { kind } of effectsOf(rule.target)) {
      if (kind === 'log') logs.add(counter);
      if (kind === 'trace') traces.add(counter);
    }
  });
  return { logs, traces };
}
