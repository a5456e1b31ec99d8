/** The report as the comment of a pull request: escaped, and below the size that hosts allow. */
import { byteLength, escapeUnseen } from '@sockfilter/language';
import { CATALOGUE } from '../catalogue.js';
import type { Finding } from '../finding.js';
import type { Severity } from '../severity.js';
import {
  bySeverity,
  exitOf,
  findingsOf,
  type Report,
  summaryOf,
  type WriteOptions,
  withPaths,
} from './report.js';

/** GitHub's limit is 65,536 characters; bytes are more, so this is safe. */
const MAX_BYTES = 60_000;
/** Notes of one finding that are shown. */
const MAX_NOTES = 20;
const MAX_TEXT = 600;
/** Lines about files and what was left out. */
const MAX_LINES = 50;

const SIGNS: Readonly<Record<Severity, string>> = { error: '❌', warning: '⚠️', info: 'ℹ️' };

/** Cut to a bearable length, on one line, with nothing that is not seen. */
function oneLine(text: string): string {
  const short = text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}…` : text;
  return escapeUnseen(short.replace(/[\t\r\n]+/g, ' '));
}

/** Text as code, whatever backquotes it has. */
function code(text: string): string {
  const line = oneLine(text);
  const longest = Math.max(0, ...(line.match(/`+/g) ?? []).map((run) => run.length));
  const fence = '`'.repeat(longest + 1);
  const pad = longest > 0 || line === '' ? ' ' : '';
  return `${fence}${pad}${line}${pad}${fence}`;
}

function escapeText(text: string): string {
  return text
    .replace(/[\\`*_{}[\]()!|~$:]/g, '\\$&')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replace(/[@#]/g, '$&\u200b');
}

/**
 * Nothing of the text means markdown or HTML, mentions anybody or refers to an issue; what stands in
 * backquotes becomes code.
 */
function escapeMarkdown(text: string): string {
  const pieces = oneLine(text).split('`');
  return pieces
    .map((piece, at) => {
      if (at % 2 === 0) return escapeText(piece);
      return at === pieces.length - 1 ? escapeText(`\`${piece}`) : code(piece);
    })
    .join('');
}

function findingText(finding: Finding): string {
  const { severity, place, message, notes, witness, fix } = finding;
  const title = `${finding.code} ${CATALOGUE[finding.code].title}`;
  const shown = notes.slice(0, MAX_NOTES);
  const lines = [
    `- ${SIGNS[severity]} **${title}** ${code(`${place.file}:${place.line}`)}: ${escapeMarkdown(message)}`,
    ...(witness ? [`  - call: ${code(witness.call)}`] : []),
    ...shown.map(
      (note) =>
        `  - ${escapeMarkdown(note.message)}${note.place ? ` (${code(`${note.place.file}:${note.place.line}`)})` : ''}`,
    ),
    ...(notes.length > shown.length ? [`  - and ${notes.length - shown.length} notes more`] : []),
    ...(fix === undefined ? [] : [`  - help: ${escapeMarkdown(fix)}`]),
  ];
  return `${lines.join('\n')}\n`;
}

/** What is wrong decides; a change that is only told is neither right nor wrong. */
function signOf(report: Report): string {
  if (exitOf(report) !== 0) return SIGNS.error;
  const told = report.command === 'diff' && findingsOf(report).length > 0;
  return told ? SIGNS.info : '✅';
}

function headOf(report: Report): string {
  const { command, subject, suites, notes = [] } = report;
  const about = subject === undefined ? '' : `: ${escapeMarkdown(subject)}`;
  const lines = [
    ...suites.flatMap(({ file, conclusion, intro = [] }) => [
      ...(conclusion === undefined ? [] : [`${code(file)}: ${escapeMarkdown(conclusion)}`]),
      ...intro.map(escapeMarkdown),
    ]),
    ...notes.map(escapeMarkdown),
  ];
  const shown = lines.slice(0, MAX_LINES);
  const more = lines.length - shown.length;
  const list = [...shown, ...(more > 0 ? [`and ${more} more`] : [])].map((line) => `- ${line}\n`);
  const head = `### ${signOf(report)} sockfilter ${command}${about}\n\n${escapeMarkdown(summaryOf(report))}\n\n`;
  return list.length === 0 ? head : `${head}${list.join('')}\n`;
}

/** The heads of all, then findings while there is room: each report's worst first. */
export function markdownReport(reports: readonly Report[], options: WriteOptions): string {
  const heads = reports.map(headOf);
  let bytes = heads.reduce((sum, head) => sum + byteLength(head), 0);
  const parts = reports.map((report, at) => {
    const texts: string[] = [];
    const findings = bySeverity(findingsOf(report));
    for (const [done, finding] of findings.entries()) {
      const text = findingText(withPaths(finding, options));
      bytes += byteLength(text);
      if (bytes > MAX_BYTES) {
        const left = `${findings.length - done} of ${findings.length} findings`;
        texts.push(`\n_${left} are not shown: the comment would be too long._\n`);
        break;
      }
      texts.push(text);
    }
    return `${heads[at]}${texts.join('')}`;
  });
  return parts.join('\n');
}
