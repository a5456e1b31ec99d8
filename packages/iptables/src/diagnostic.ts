/** What is wrong with a text, as data; and the one renderer that draws it. */
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

export function diagnose(problem: Problem, span: Span, exit: ExitClass = 2): Diagnostic {
  return { ...problem, span: problem.span ?? span, exit };
}

/** The highest exit status that the diagnostics call for; 0 for none. */
export function exitStatus(diagnostics: readonly Diagnostic[]): 0 | ExitClass {
  if (diagnostics.length === 0) return 0;
  return diagnostics.some(({ exit }) => exit === 2) ? 2 : 1;
}

const COLOURS = { error: '\x1b[1;31m', bold: '\x1b[1m', help: '\x1b[1;36m', end: '\x1b[0m' };

/** Control characters of what is shown must not reach the terminal; tabs keep the carets aligned. */
function safe(text: string): string {
  return Array.from(text, (c) => (c !== '\t' && (c < ' ' || c === '\x7f') ? '?' : c)).join('');
}

/** Lines longer than this are cut around the place. */
const EXCERPT = 110;

/**
 * Draws `name:line:column: error: message`, the line, carets below the place and the help, each
 * line ended by a newline.
 */
export function renderDiagnostic(
  diagnostic: Diagnostic,
  source: Source,
  { colour = false }: { readonly colour?: boolean } = {},
): string {
  const paint = (style: keyof typeof COLOURS, text: string) =>
    colour ? `${COLOURS[style]}${text}${COLOURS.end}` : text;
  const { span, message, help, notes = [] } = diagnostic;
  const place = `${safe(span.source)}:${span.line}:${span.column}:`;
  const out = [`${paint('bold', place)} ${paint('error', 'error:')} ${safe(message)}`];
  const line = source.text.split('\n')[span.line - 1]?.replace(/\r$/, '');
  if (line !== undefined && line !== '') {
    const start = Math.max(
      0,
      span.column - 1 - (line.length > EXCERPT ? EXCERPT / 2 : line.length),
    );
    const shown = line.slice(start, start + EXCERPT);
    const at = span.column - 1 - start;
    const carets = '^'.repeat(Math.max(1, Math.min(span.length, shown.length - at)));
    const number = String(span.line);
    const gutter = ' '.repeat(number.length);
    out.push(` ${number} | ${safe(shown)}`);
    out.push(` ${gutter} | ${shown.slice(0, at).replace(/[^\t]/g, ' ')}${paint('error', carets)}`);
  }
  if (help !== undefined) out.push(`  ${paint('help', 'help:')} ${safe(help)}`);
  for (const note of notes) out.push(`  ${paint('bold', 'note:')} ${note}`);
  return out.map((text) => `${text}\n`).join('');
}
