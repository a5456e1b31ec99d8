/** JUnit XML, in the form that Jenkins and GitLab read: suites of a file, cases, failures. */
import { escapeUnseen } from '@sockfilter/language';
import type { Finding } from '../finding.js';
import { isFailure, type Report, type ReportCase, type Suite } from './report.js';

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

function caseXml(report: Report, { file }: Suite, each: ReportCase): readonly string[] {
  const failures = each.findings.filter((finding) => isFailure(report, finding));
  const others = each.findings.filter((finding) => !isFailure(report, finding));
  const open = `    <testcase${attributes({ name: each.name, classname: file, file, line: each.place.line, time: 0 })}`;
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

export function junitReport(report: Report): string {
  const isFailed = ({ findings }: ReportCase) =>
    findings.some((finding) => isFailure(report, finding));
  const sums = (cases: readonly ReportCase[]) => ({
    tests: cases.length,
    failures: cases.filter(isFailed).length,
    errors: 0,
    skipped: 0,
    time: 0,
  });
  const { skipped: _, ...total } = sums(report.suites.flatMap(({ cases }) => cases));
  const lines = [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites${attributes({ name: `sockfilter ${report.command}`, ...total })}>`,
    ...report.suites.flatMap((suite) => [
      `  <testsuite${attributes({ name: suite.file, ...sums(suite.cases) })}>`,
      ...suite.cases.flatMap((each) => caseXml(report, suite, each)),
      '  </testsuite>',
    ]),
    '</testsuites>',
  ];
  return `${lines.join('\n')}\n`;
}
