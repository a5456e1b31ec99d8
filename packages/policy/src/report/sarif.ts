/** SARIF 2.1.0: https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html */
import { byteLength, escapeUnseen, writeJson } from '@sockfilter/language';
import { type Code, catalogueRows } from '../catalogue.js';
import type { Finding, Note, Place } from '../finding.js';
import type { Severity } from '../severity.js';
import {
  allFindings,
  bySeverity,
  count,
  type Report,
  type WriteOptions,
  withPaths,
} from './report.js';

const LEVELS: Readonly<Record<Severity, string>> = {
  error: 'error',
  warning: 'warning',
  info: 'note',
};

const SCHEMA =
  'https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json';

/** GitHub refuses a run with more results, and a file of more than 10 MB. */
const MAX_RESULTS = 25_000;
const MAX_BYTES = 9_500_000;

/** A path as a URI reference: relative ones stay relative. */
function uriOf(file: string): string {
  const path = file.split('/').map(encodeURIComponent).join('/');
  return file.startsWith('/') ? `file://${path}` : path;
}

function locationOf({ file, line, column, length }: Place) {
  return {
    physicalLocation: {
      artifactLocation: { uri: uriOf(file) },
      region: {
        startLine: line,
        startColumn: column,
        endLine: line,
        endColumn: column + Math.max(1, length),
      },
    },
  };
}

function related(note: Note, id: number) {
  return {
    id,
    ...(note.place && locationOf(note.place)),
    message: { text: escapeUnseen(note.message) },
  };
}

function resultOf(finding: Finding, index: (code: Code) => number, reason?: string) {
  const { code, severity, place, message, notes, witness, fix } = finding;
  const text = [
    message,
    ...(witness ? [`Call: ${witness.call}`, `Try: ${witness.command}`] : []),
    ...notes.map((note) => `Note: ${note.message}`),
    ...(fix === undefined ? [] : [`Help: ${fix}`]),
  ]
    .map(escapeUnseen)
    .join('\n');
  const placed = notes.filter((note) => note.place);
  return {
    ruleId: code,
    ruleIndex: index(code),
    level: LEVELS[severity],
    message: { text },
    locations: [locationOf(place)],
    ...(placed.length > 0 && { relatedLocations: placed.map(related) }),
    ...(reason !== undefined && {
      suppressions: [{ kind: 'inSource', ...(reason !== '' && { justification: reason }) }],
    }),
    ...(witness && { properties: { call: witness.call, command: witness.command } }),
  };
}

/** JSON breaks lines between values only. */
function oneLine(value: unknown): string {
  return writeJson(value).replace(/\n */g, '');
}

/** The worst first, as many as receivers take; each on a line of its own. */
function resultsOf(
  reports: readonly Report[],
  options: WriteOptions,
  index: (code: Code) => number,
) {
  const findings = [
    ...bySeverity(allFindings(reports)).map((finding) => ({ finding, reason: undefined })),
    ...reports.flatMap(({ ignored }) => ignored),
  ];
  const texts: string[] = [];
  let bytes = 0;
  for (const { finding, reason } of findings) {
    const text = oneLine(resultOf(withPaths(finding, options), index, reason));
    bytes += byteLength(text) + 2;
    if (!options.all && (texts.length === MAX_RESULTS || bytes > MAX_BYTES)) break;
    texts.push(text);
  }
  return { texts, left: findings.length - texts.length };
}

export function sarifReport(reports: readonly Report[], options: WriteOptions): string {
  const rows = catalogueRows();
  const index = (code: Code) => rows.findIndex((row) => row.code === code);
  const rules = rows.map(({ code, severity, title, explanation }) => ({
    id: code,
    name: title.replace(/(?:^|[\s-])(\w)/g, (_, letter: string) => letter.toUpperCase()),
    shortDescription: { text: title },
    fullDescription: { text: explanation },
    defaultConfiguration: { level: LEVELS[severity] },
  }));
  const { texts, left } = resultsOf(reports, options, index);
  const text = `${count(left, 'finding')} left out: receivers take no more`;
  const notification = { level: 'warning', message: { text } };
  const run = {
    tool: { driver: { name: 'sockfilter', version: reports[0]?.version ?? '', rules } },
    columnKind: 'utf16CodeUnits',
    invocations: [
      {
        executionSuccessful: true,
        ...(left > 0 && { toolExecutionNotifications: [notification] }),
      },
    ],
  };
  const head = oneLine({ $schema: SCHEMA, version: '2.1.0' }).slice(0, -1);
  const results = texts.length === 0 ? '[]' : `[\n${texts.join(',\n')}\n]`;
  return `${head},"runs":[${oneLine(run).slice(0, -1)},"results":${results}}]}\n`;
}
