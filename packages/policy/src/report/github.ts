/**
 * Annotations of GitHub Actions, one a line:
 * https://docs.github.com/actions/reference/workflow-commands-for-github-actions
 */
import { escapeUnseen } from '@sockfilter/language';
import { CATALOGUE } from '../catalogue.js';
import type { Finding, Severity } from '../finding.js';
import { findingsOf, type Report } from './report.js';

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

export function githubReport(report: Report): string {
  return findingsOf(report).map(annotation).join('');
}
