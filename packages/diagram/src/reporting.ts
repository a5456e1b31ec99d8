/**
 * What a walk reports, from what it counts: each rule that reports counts, in walking order, and so do those
 * that are traced. Diagrams need no terminals of their own for it.
 */
import type { Report, Reporters } from '@sockfilter/table';

export interface Reported {
  readonly reports: readonly Report[];
  /** Whether all that comes after is traced. */
  readonly isTraced: boolean;
}

const NOTHING: Reported = { reports: [], isTraced: false };

/** What is reported of a counter, where the walk `isTraced` already or not. */
export function reportsOf(
  { logs, audits, traces }: Reporters,
  counter: number,
  isTraced: boolean,
): Reported {
  const traced = isTraced || traces.has(counter);
  if (!traced && !logs.has(counter) && !audits.has(counter)) return NOTHING;
  const reports: Report[] = [];
  if (logs.has(counter)) reports.push({ kind: 'log', counter });
  if (audits.has(counter)) reports.push({ kind: 'audit', counter });
  if (traced) reports.push({ kind: 'trace', counter });
  return { reports, isTraced: traced };
}
