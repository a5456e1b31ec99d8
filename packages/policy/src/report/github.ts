/**
 * Annotations of GitHub Actions, one a line:
 * https://docs.github.com/actions/reference/workflow-commands-for-github-actions
 */
import { escapeUnseen } from '@sockfilter/language';
import { CATALOGUE } from '../catalogue.js';
import type { Finding } from '../finding.js';
import type { Severity } from '../severity.js';
import { allFindings, bySeverity, type Report, type WriteOptions, withPaths } from './report.js';

/** GitHub shows the first ten of a step, and drops the others without a word. */
const MAX_ANNOTATIONS = 10;

const LEVELS: Readonly<Record<Severity, string>> = {
  error: 'error',
  warning: 'warning',
  info: 'notice',
};

function escapeData(text: string): string {
  return text.replaceAll('%', '%25').split('\n').map(escapeUnseen).join('%0A');
}

function escapeProperty(text: string): string {
  return escapeData(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
}

function annotation({ code, severity, place, message, notes, witness, fix }: Finding): string {
  const properties = {
    file: place.file,
    line: String(place.line),
    col: String(place.column),
    endColumn: String(place.column + place.length),
    title: `${code} ${CATALOGUE[code].title}`,
  };
  const text = [
    message,
    ...(witness ? [`call: ${witness.call}`] : []),
    ...notes.map((note) =>
      note.place ? `${note.message} (${note.place.file}:${note.place.line})` : note.message,
    ),
    ...(fix === undefined ? [] : [`help: ${fix}`]),
  ].join('\n');
  const list = Object.entries(properties).map(
    ([name, value]) => `${name}=${escapeProperty(value)}`,
  );
  return `::${LEVELS[severity]} ${list.join(',')}::${escapeData(text)}\n`;
}

/** What is about a change comes before what was so already. */
function isAboutChange({ code }: Finding): boolean {
  return code.startsWith('SF2');
}

export function githubReport(reports: readonly Report[], options: WriteOptions): string {
  const sorted = bySeverity(allFindings(reports));
  const findings = [
    ...sorted.filter(isAboutChange),
    ...sorted.filter((finding) => !isAboutChange(finding)),
  ].map((finding) => withPaths(finding, options));
  if (options.all || findings.length <= MAX_ANNOTATIONS) return findings.map(annotation).join('');
  const shown = findings.slice(0, MAX_ANNOTATIONS - 1);
  const more = findings.length - shown.length;
  const [worst] = bySeverity(findings.slice(shown.length));
  const level = LEVELS[worst?.severity ?? 'info'];
  const rest = `::${level} title=sockfilter::and ${more} more: the summary and the other reports have them\n`;
  return `${shown.map(annotation).join('')}${rest}`;
}
