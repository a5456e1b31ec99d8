/** The report for people at a terminal: each finding with its line, a call and what to do. */
import type { Finding, Place, Severity } from '../finding.js';
import { findingsOf, type Report, summaryOf } from './report.js';

export interface TextOptions {
  readonly colour?: boolean;
  /** The text of a file, where there is one. */
  readonly textOf: (file: string) => string | undefined;
}

const COLOURS = { error: '1;31', warning: '1;33', info: '1;34', bold: '1', help: '1;36' } as const;

/** Lines longer than this are cut around the place. */
const EXCERPT = 110;

/** Control characters must not reach the terminal; tabs keep the carets aligned. */
function safe(text: string): string {
  if (!/[^\P{Cc}\t]/u.test(text)) return text;
  return Array.from(text, (c) => (c !== '\t' && (c < ' ' || c === '\x7f') ? '?' : c)).join('');
}

class TextWriter {
  readonly #options: TextOptions;
  readonly #lines = new Map<string, readonly string[]>();

  constructor(options: TextOptions) {
    this.#options = options;
  }

  finding({ code, severity, place, message, notes, witness, fix }: Finding): string {
    const label = this.#paint(severity, `${severity}[${code}]:`);
    const out = [
      `${this.#paint('bold', `${this.#at(place)}:`)} ${label} ${safe(message)}`,
      ...this.#excerpt(place, severity),
      ...(witness
        ? [
            `  ${this.#paint('bold', 'call:')} ${safe(witness.call)}`,
            `        ${safe(witness.command)}`,
          ]
        : []),
      ...notes.map((note) => {
        const at = note.place ? `${this.#at(note.place)}: ` : '';
        return `  ${this.#paint('bold', 'note:')} ${at}${safe(note.message)}`;
      }),
      ...(fix === undefined ? [] : [`  ${this.#paint('help', 'help:')} ${safe(fix)}`]),
    ];
    return out.map((line) => `${line}\n`).join('');
  }

  #at({ file, line, column }: Place): string {
    return `${safe(file)}:${line}:${column}`;
  }

  #paint(style: keyof typeof COLOURS, text: string): string {
    return this.#options.colour ? `\x1b[${COLOURS[style]}m${text}\x1b[0m` : text;
  }

  #lineOf({ file, line }: Place): string | undefined {
    const known = this.#lines.get(file) ?? this.#options.textOf(file)?.split('\n') ?? [];
    this.#lines.set(file, known);
    return known[line - 1]?.replace(/\r$/, '');
  }

  #excerpt(place: Place, severity: Severity): readonly string[] {
    const line = this.#lineOf(place);
    if (line === undefined || line === '' || place.length === 0) return [];
    const before = line.length > EXCERPT ? EXCERPT / 2 : line.length;
    const start = Math.max(0, place.column - 1 - before);
    const shown = line.slice(start, start + EXCERPT);
    const at = place.column - 1 - start;
    const carets = '^'.repeat(Math.max(1, Math.min(place.length, shown.length - at)));
    const number = String(place.line);
    const indent = shown.slice(0, at).replace(/[^\t]/g, ' ');
    return [
      ` ${number} | ${safe(shown)}`,
      ` ${' '.repeat(number.length)} | ${indent}${this.#paint(severity, carets)}`,
    ];
  }
}

export function textReport(report: Report, options: TextOptions): string {
  const writer = new TextWriter(options);
  const findings = findingsOf(report).map((finding) => `${writer.finding(finding)}\n`);
  return `${findings.join('')}${safe(summaryOf(report))}\n`;
}
