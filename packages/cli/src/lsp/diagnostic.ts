/** A finding as editors show it. */
import type { Finding, Severity } from '@sockfilter/policy';
import { type Diagnostic, DiagnosticSeverity, type Range } from 'vscode-languageserver/node';

const SEVERITIES: Readonly<Record<Severity, DiagnosticSeverity>> = {
  error: DiagnosticSeverity.Error,
  warning: DiagnosticSeverity.Warning,
  info: DiagnosticSeverity.Information,
};

function rangeOf({ place }: Finding): Range {
  const line = place.line - 1;
  const character = place.column - 1;
  return { start: { line, character }, end: { line, character: character + place.length } };
}

export function diagnosticOf(finding: Finding): Diagnostic {
  const { code, severity, message, notes, witness, fix } = finding;
  const more = [
    ...notes.map((note) => note.message),
    ...(witness ? [`for example: ${witness.call}`] : []),
    ...(fix === undefined ? [] : [`fix: ${fix}`]),
  ];
  return {
    range: rangeOf(finding),
    severity: SEVERITIES[severity],
    code,
    source: 'sockfilter',
    message: [message, ...more].join('\n'),
  };
}
