/** What is wrong with a text, as data, and drawn. */
import { type DrawOptions, draw, type Remark } from './drawing.js';
import type { Source, Span } from './source.js';

export type DiagnosticCode =
  | 'ambiguous-option'
  | 'bad-argument'
  | 'bad-chain'
  | 'bad-command'
  | 'bad-line'
  | 'bad-target'
  | 'bad-value'
  | 'duplicate'
  | 'exclusive'
  | 'missing'
  | 'mixed-families'
  | 'negation'
  | 'not-in-chain'
  | 'unknown-name'
  | 'unknown-option'
  | 'unsupported'
  | 'does-not-fit';

/** What a command exits with: 2 for what cannot be parsed or is forbidden, 1 for what does not fit the table. */
export type ExitClass = 1 | 2;

export interface Diagnostic {
  readonly code: DiagnosticCode;
  /** Lower case, no full stop, the user's text in backquotes. */
  readonly message: string;
  readonly span: Span;
  readonly exit: ExitClass;
  readonly help?: string | undefined;
  readonly notes?: readonly string[] | undefined;
}

export type Report = (diagnostic: Diagnostic) => void;

/** A diagnostic before its place is known. */
export interface Problem {
  readonly code: DiagnosticCode;
  readonly message: string;
  readonly help?: string | undefined;
  /** Where, if narrower than the place that the caller knows. */
  readonly span?: Span | undefined;
}

export type Parsed<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly problem: Problem };

export function good<T>(value: T): Parsed<T> {
  return { ok: true, value };
}

export function bad(
  code: DiagnosticCode,
  message: string,
  more: { readonly help?: string | undefined; readonly span?: Span } = {},
): Parsed<never> {
  return { ok: false, problem: { code, message, ...more } };
}

export function diagnose(problem: Problem, span: Span): Diagnostic {
  const exit = problem.code === 'does-not-fit' ? 1 : 2;
  return { ...problem, span: problem.span ?? span, exit };
}

/** The highest exit status that the diagnostics call for; 0 for none. */
export function exitStatus(diagnostics: readonly Diagnostic[]): 0 | ExitClass {
  if (diagnostics.length === 0) return 0;
  return diagnostics.some(({ exit }) => exit === 2) ? 2 : 1;
}

/** Draws a diagnostic about the source, each line ended by a newline. */
export function renderDiagnostic(
  diagnostic: Diagnostic,
  source: Source,
  options: DrawOptions = {},
): string {
  return renderDiagnostics([diagnostic], source, options);
}

/** Draws diagnostics about one source, one after the other. */
export function renderDiagnostics(
  diagnostics: readonly Diagnostic[],
  source: Source,
  options: DrawOptions = {},
): string {
  const lines = source.text.split('\n');
  return diagnostics
    .map(({ span, message, help, notes = [] }) => {
      const remarks: readonly Remark[] = [
        ...(help === undefined ? [] : [{ label: 'help', style: 'help', text: help } as const]),
        ...notes.map((text) => ({ label: 'note', style: 'bold', text }) as const),
      ];
      const drawing = { span, label: 'error', style: 'error', message, remarks } as const;
      return draw(drawing, lines[span.line - 1], options);
    })
    .join('');
}
