/**
 * What a walk reports on its way, beside the verdict: which rules of it had an event, in the order of the walk.
 */
import { counterOwners, ownTarget } from './counter.js';
import type { Table } from './table.js';
import type { EffectKind } from './target.js';
import { effectsOf } from './targets.js';

/**
 * `log`: a rule asked for an event of its own. `trace`: it matched, or decided, a call that is traced. `audit`: a
 * rule or policy let the call pass, and would have refused it.
 */
export type ReportKind = 'log' | 'trace' | 'audit';

export interface Report {
  readonly kind: ReportKind;
  /** Index of the counter of the rule or policy. */
  readonly counter: number;
}

/** The rules and policies of a table that report, by counter. */
export interface Reporters {
  readonly logs: ReadonlySet<number>;
  readonly audits: ReadonlySet<number>;
  /** From these on, all that matches is reported. */
  readonly traces: ReadonlySet<number>;
}

export function reporters(table: Table): Reporters {
  const logs = new Set<number>();
  const audits = new Set<number>();
  const traces = new Set<number>();
  const add: Readonly<Record<EffectKind, (counter: number) => void>> = {
    count: () => undefined,
    log: (counter) => logs.add(counter),
    audit: (counter) => audits.add(counter),
    trace: (counter) => traces.add(counter),
    rewrite: () => undefined,
  };
  counterOwners(table).forEach((owner, counter) => {
    for (const { kind } of effectsOf(ownTarget(owner))) add[kind](counter);
  });
  return { logs, audits, traces };
}
