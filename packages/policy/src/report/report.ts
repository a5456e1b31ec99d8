/** What a command of CI has to say, whatever form it is said in. */
import { EXIT, type ExitCode } from '@sockfilter/language';
import { atLeast, type Finding, type Place } from '../finding.js';
import { SEVERITIES, type Severity } from '../severity.js';
import type { IgnoredFinding } from '../suppression.js';

/** Something that was looked at by itself: a file that was checked, or one expectation. */
export interface ReportCase {
  readonly name: string;
  readonly place: Place;
  readonly findings: readonly Finding[];
  /** How long it took to answer. */
  readonly seconds?: number;
}

/** The cases of one file. */
export interface Suite {
  readonly file: string;
  readonly cases: readonly ReportCase[];
  /** What to know before its findings, a line each. */
  readonly intro?: readonly string[];
  /** The answer for this file in a line, where each has one of its own. */
  readonly conclusion?: string;
}

export interface Report {
  readonly command: string;
  /** What the command was about, for the heading: `old.rules to new.rules`. */
  readonly subject?: string | undefined;
  readonly version: string;
  readonly suites: readonly Suite[];
  readonly ignored: readonly IgnoredFinding[];
  /** What counts as failed. */
  readonly failOn: Severity;
  /** The answer in a line, such as `the files mean the same`. */
  readonly conclusion?: string | undefined;
  /** What was left out, and other things that are no findings. */
  readonly notes?: readonly string[];
  /** What else the JSON has, by key. */
  readonly details?: Readonly<Record<string, unknown>>;
}

/** How reports are written, whatever the form. */
export interface WriteOptions {
  readonly colour?: boolean;
  /** Every finding by itself, however many there are. */
  readonly all?: boolean;
  /** The text of a file, where there is one. */
  readonly textOf: (file: string) => string | undefined;
  /** The file's path from the top of the repository, for those who show reports beside its files. */
  readonly pathOf?: (file: string) => string;
}

export function findingsOf({ suites }: Report): readonly Finding[] {
  return suites.flatMap(({ cases }) => cases.flatMap(({ findings }) => findings));
}

export function isFailure(report: Report, finding: Finding): boolean {
  return atLeast(finding.severity, report.failOn);
}

/** 2 where a file could not be read, 1 for failures, else 0. */
export function exitOf(report: Report): ExitCode {
  const findings = findingsOf(report);
  if (findings.some(({ code }) => code === 'SF000' || code === 'SF103')) return EXIT.usage;
  return findings.some((finding) => isFailure(report, finding)) ? EXIT.unfit : EXIT.ok;
}

/** The worst of several. */
export function worstOf(reports: readonly Report[]): ExitCode {
  const [worst = EXIT.ok] = reports.map(exitOf).toSorted((a, b) => b - a);
  return worst;
}

export function allFindings(reports: readonly Report[]): readonly Finding[] {
  return reports.flatMap(findingsOf);
}

/** With the place and those of the notes as the option says. */
export function withPaths(finding: Finding, { pathOf }: WriteOptions): Finding {
  if (!pathOf) return finding;
  const moved = (place: Place): Place => ({ ...place, file: pathOf(place.file) });
  const notes = finding.notes.map((note) =>
    note.place ? { ...note, place: moved(note.place) } : note,
  );
  return { ...finding, place: moved(finding.place), notes };
}

/** The worst first, each kind in the order that they have. */
export function bySeverity<T extends { readonly severity: Severity }>(
  findings: readonly T[],
): readonly T[] {
  return findings.toSorted(
    (a, b) => SEVERITIES.indexOf(b.severity) - SEVERITIES.indexOf(a.severity),
  );
}

export function count(number: number, noun: string): string {
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
