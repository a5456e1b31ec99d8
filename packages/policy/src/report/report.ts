/** What a command of CI has to say, whatever form it is said in. */
import { atLeast, type Finding, type Place, type Severity } from '../finding.js';
import type { IgnoredFinding } from '../suppression.js';

/** Something that was looked at by itself: a file that was checked, or one expectation. */
export interface ReportCase {
  readonly name: string;
  readonly place: Place;
  readonly findings: readonly Finding[];
}

/** The cases of one file. */
export interface Suite {
  readonly file: string;
  readonly cases: readonly ReportCase[];
}

export interface Report {
  readonly command: string;
  readonly version: string;
  readonly suites: readonly Suite[];
  readonly ignored: readonly IgnoredFinding[];
  /** What counts as failed. */
  readonly failOn: Severity;
  /** The answer in a line, such as `the files mean the same`. */
  readonly conclusion?: string | undefined;
  /** What else the JSON has, by key. */
  readonly details?: Readonly<Record<string, unknown>>;
}

/** What CI commands exit with. */
export const CI_EXIT = { fine: 0, findings: 1, usage: 2, failure: 3 } as const;

export type CiExit = (typeof CI_EXIT)[keyof typeof CI_EXIT];

export function findingsOf({ suites }: Report): readonly Finding[] {
  return suites.flatMap(({ cases }) => cases.flatMap(({ findings }) => findings));
}

export function isFailure(report: Report, finding: Finding): boolean {
  return atLeast(finding.severity, report.failOn);
}

/** 2 where a file could not be read, 1 for failures, else 0. */
export function exitOf(report: Report): CiExit {
  const findings = findingsOf(report);
  if (findings.some(({ code }) => code === 'SF000' || code === 'SF103')) return CI_EXIT.usage;
  return findings.some((finding) => isFailure(report, finding)) ? CI_EXIT.findings : CI_EXIT.fine;
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}

/** `1 error, 2 warnings, 0 infos in 3 files; 1 ignored`, after the conclusion. */
export function summaryOf(report: Report): string {
  const findings = findingsOf(report);
  const of = (severity: Severity) => findings.filter((each) => each.severity === severity).length;
  const counts = [
    count(of('error'), 'error'),
    count(of('warning'), 'warning'),
    count(of('info'), 'remark'),
  ];
  const cases = report.suites.flatMap((suite) => suite.cases);
  const failed = cases.filter((each) =>
    each.findings.some((finding) => isFailure(report, finding)),
  );
  const tests =
    report.command === 'test'
      ? `${count(cases.length, 'expectation')}, ${failed.length} failed; `
      : '';
  const files = count(report.suites.length, 'file');
  const ignored = report.ignored.length === 0 ? '' : `; ${report.ignored.length} ignored`;
  const conclusion = report.conclusion === undefined ? '' : `${report.conclusion}; `;
  return `${conclusion}${tests}${counts.join(', ')} in ${files}${ignored}`;
}
