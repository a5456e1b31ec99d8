/** How a finding about a text is drawn, whoever found it: its place, its line, and what to do. */
import { escapeUnseen, shortenEchoes } from './escape.js';
import type { Span } from './source.js';

const STYLES = {
  error: '1;31',
  warning: '1;33',
  info: '1;34',
  bold: '1',
  help: '1;36',
} as const;

export type Style = keyof typeof STYLES;

/** A line below the excerpt: `  help: write ...`. */
export interface Remark {
  readonly label: string;
  readonly style: Style;
  readonly text: string;
}

export interface Drawing {
  readonly span: Span;
  /** `error`, or `warning[SF001]`. */
  readonly label: string;
  readonly style: Style;
  readonly message: string;
  readonly remarks: readonly Remark[];
}

export interface DrawOptions {
  readonly colour?: boolean;
}

/** Lines longer than this are cut around the place. */
const EXCERPT = 110;

type Paint = (style: Style, text: string) => string;

/** Characters may be two UTF-16 units: whether the place is between them. */
function splits(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return code >= 0xdc00 && code <= 0xdfff;
}

function characterStart(text: string, at: number): number {
  return splits(text, at) ? at - 1 : at;
}

function characterEnd(text: string, at: number): number {
  return splits(text, at) ? at + 1 : at;
}

function excerpt({ span, style }: Drawing, line: string, paint: Paint): readonly string[] {
  const before = line.length > EXCERPT ? EXCERPT / 2 : line.length;
  const from = characterStart(line, Math.max(0, span.column - 1 - before));
  const to = characterStart(line, Math.min(line.length, from + EXCERPT));
  const at = Math.min(to, characterStart(line, span.column - 1));
  const end = Math.min(to, characterEnd(line, at + span.length));
  const [head, marked, tail] = [line.slice(from, at), line.slice(at, end), line.slice(end, to)].map(
    escapeUnseen,
  );
  const indent = (head ?? '').replace(/[^\t]/g, ' ');
  const carets = '^'.repeat(Math.max(1, marked?.length ?? 0));
  const number = String(span.line);
  return [
    ` ${number} | ${head}${marked}${tail}`,
    ` ${' '.repeat(number.length)} | ${indent}${paint(style, carets)}`,
  ];
}

/** `name:line:column`, fit to be shown. */
export function placeText({ source, line, column }: Span): string {
  return `${escapeUnseen(source)}:${line}:${column}`;
}

/**
 * Draws `name:line:column: label: message`, the line with carets below the place, if there is one to
 * show, and the remarks; each line ended by a newline.
 */
export function draw(
  drawing: Drawing,
  line: string | undefined,
  { colour = false }: DrawOptions = {},
): string {
  const paint: Paint = (style, text) => (colour ? `\x1b[${STYLES[style]}m${text}\x1b[0m` : text);
  const { span, label, style, message, remarks } = drawing;
  const text = line?.replace(/\r$/, '') ?? '';
  const out = [
    `${paint('bold', `${placeText(span)}:`)} ${paint(style, `${label}:`)} ${escapeUnseen(shortenEchoes(message))}`,
    ...(text === '' ? [] : excerpt(drawing, text, paint)),
    ...remarks.map((remark) =>
      remark.label === ''
        ? `        ${escapeUnseen(remark.text)}`
        : `  ${paint(remark.style, `${remark.label}:`)} ${escapeUnseen(remark.text)}`,
    ),
  ];
  return out.map((each) => `${each}\n`).join('');
}
