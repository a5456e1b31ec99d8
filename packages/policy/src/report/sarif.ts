/** SARIF 2.1.0: https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html */
import { escapeUnseen, writeJson } from '@sockfilter/language';
import { type Code, catalogueRows } from '../catalogue.js';
import type { Finding, Note, Place, Severity } from '../finding.js';
import { findingsOf, type Report } from './report.js';

const LEVELS: Readonly<Record<Severity, string>> = {
  error: 'error',
  warning: 'warning',
  info: 'note',
};

const SCHEMA =
  'https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json';

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

export function sarifReport(report: Report): string {
  const rows = catalogueRows();
  const index = (code: Code) => rows.findIndex((row) => row.code === code);
  const rules = rows.map(({ code, severity, title, explanation }) => ({
    id: code,
    name: title.replace(/(?:^|[\s-])(\w)/g, (_, letter: string) => letter.toUpperCase()),
    shortDescription: { text: title },
    fullDescription: { text: explanation },
    defaultConfiguration: { level: LEVELS[severity] },
  }));
  const results = [
    ...findingsOf(report).map((finding) => resultOf(finding, index)),
    ...report.ignored.map(({ finding, reason }) => resultOf(finding, index, reason)),
  ];
  const log = {
    $schema: SCHEMA,
    version: '2.1.0',
    runs: [
      {
        tool: { driver: { name: 'sockfilter', version: report.version, rules } },
        columnKind: 'utf16CodeUnits',
        invocations: [{ executionSuccessful: true }],
        results,
      },
    ],
  };
  return writeJson(log);
}
