/** JUnit XML, in the form that Jenkins and GitLab read: suites of a file, cases, failures. */
import { escapeUnseen } from '@sockfilter/language';
import type { Finding } from '../finding.js';
import {
  isFailure,
  type Report,
  type ReportCase,
  type Suite,
  type WriteOptions,
  withPaths,
} from './report.js';

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  '\t': '&#9;',
};

/** Nothing is left that XML 1.0 has no way to say: all of it is unseen. */
function escapeXml(text: string): string {
  return text
    .split('\n')
    .map((line) => escapeUnseen(line).replace(/[&<>"\t]/g, (c) => ENTITIES[c] ?? c))
    .join('&#10;');
}

function attributes(values: Readonly<Record<string, string | number>>): string {
  return Object.entries(values)
    .map(([name, value]) => ` ${name}="${escapeXml(String(value))}"`)
    .join('');
}

function body({ place, message, notes, witness, fix }: Finding): string {
  const lines = [
    `${place.file}:${place.line}:${place.column}: ${message}`,
    ...(witness ? [`call: ${witness.call}`, `try: ${witness.command}`] : []),
    ...notes.map((note) =>
      note.place ? `${note.message} (${note.place.file}:${note.place.line})` : note.message,
    ),
    ...(fix === undefined ? [] : [`help: ${fix}`]),
  ];
  return escapeXml(lines.join('\n'));
}

/** Seconds, as the form has them. */
function time(cases: readonly ReportCase[]): string {
  return cases.reduce((sum, { seconds = 0 }) => sum + seconds, 0).toFixed(3);
}

function caseXml(report: Report, { file }: Suite, each: ReportCase): readonly string[] {
  const failures = each.findings.filter((finding) => isFailure(report, finding));
  const others = each.findings.filter((finding) => !isFailure(report, finding));
  const open = `    <testcase${attributes({ name: each.name, classname: file, file, line: each.place.line, time: time([each]) })}`;
  if (each.findings.length === 0) return [`${open}/>`];
  const [first] = failures;
  const failure = first
    ? [
        `      <failure${attributes({ message: first.message, type: first.code })}>${failures.map(body).join('&#10;')}</failure>`,
      ]
    : [];
  const output =
    others.length === 0 ? [] : [`      <system-out>${others.map(body).join('&#10;')}</system-out>`];
  return [`${open}>`, ...failure, ...output, '    </testcase>'];
}

function suiteXml(
  report: Report,
  suite: Suite,
  more: Readonly<Record<string, string | number>>,
): readonly string[] {
  return [
    `  <testsuite${attributes({ name: suite.file, ...more })}>`,
    ...suite.cases.flatMap((each) => caseXml(report, suite, each)),
    '  </testsuite>',
  ];
}

export function junitReport(reports: readonly Report[], options: WriteOptions): string {
  const path = options.pathOf ?? ((file: string) => file);
  const suites = reports.flatMap((report) =>
    report.suites.map(({ file, cases }) => {
      const moved = cases.map((each) => ({
        ...each,
        findings: each.findings.map((finding) => withPaths(finding, options)),
      }));
      return { report, suite: { file: path(file), cases: moved } };
    }),
  );
  const isFailed = (report: Report, { findings }: ReportCase) =>
    findings.some((finding) => isFailure(report, finding));
  const sums = (some: typeof suites) => ({
    tests: some.flatMap(({ suite }) => suite.cases).length,
    failures: some.flatMap(({ report, suite }) =>
      suite.cases.filter((each) => isFailed(report, each)),
    ).length,
    errors: 0,
    time: time(some.flatMap(({ suite }) => suite.cases)),
  });
  const name = `sockfilter ${reports.map(({ command }) => command).join(', ')}`;
  const lines = [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites${attributes({ name, ...sums(suites) })}>`,
    ...suites.flatMap((each) => suiteXml(each.report, each.suite, { ...sums([each]), skipped: 0 })),
    '</testsuites>',
  ];
  return `${lines.join('\n')}\n`;
}
