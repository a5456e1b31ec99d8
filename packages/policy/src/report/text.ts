/** The report for people at a terminal: each finding with its line, a call and what to do. */
import { draw, escapeUnseen, placeText, type Remark } from '@sockfilter/language';
import type { Finding, Place } from '../finding.js';
import { findingsOf, type Report, summaryOf } from './report.js';

export interface TextOptions {
  readonly colour?: boolean;
  /** The text of a file, where there is one. */
  readonly textOf: (file: string) => string | undefined;
}

function spanOf({ file, line, column, length }: Place) {
  return { source: file, line, column, length };
}

function remarksOf({ notes, witness, fix }: Finding): readonly Remark[] {
  const remarks: Remark[] = [];
  if (witness)
    remarks.push(
      { label: 'call', style: 'bold', text: witness.call },
      { label: '', style: 'bold', text: witness.command },
    );
  for (const { message, place } of notes) {
    const at = place ? `${placeText(spanOf(place))}: ` : '';
    remarks.push({ label: 'note', style: 'bold', text: `${at}${message}` });
  }
  if (fix !== undefined) remarks.push({ label: 'help', style: 'help', text: fix });
  return remarks;
}

class TextWriter {
  readonly #options: TextOptions;
  readonly #lines = new Map<string, readonly string[]>();

  constructor(options: TextOptions) {
    this.#options = options;
  }

  finding(finding: Finding): string {
    const { code, severity, place, message } = finding;
    const drawing = {
      span: spanOf(place),
      label: `${severity}[${code}]`,
      style: severity,
      message,
      remarks: remarksOf(finding),
    };
    const line = place.length === 0 ? undefined : this.#lineOf(place);
    return draw(drawing, line, { colour: this.#options.colour ?? false });
  }

  #lineOf({ file, line }: Place): string | undefined {
    const known = this.#lines.get(file) ?? this.#options.textOf(file)?.split('\n') ?? [];
    this.#lines.set(file, known);
    return known[line - 1];
  }
}

export function textReport(report: Report, options: TextOptions): string {
  const writer = new TextWriter(options);
  const findings = findingsOf(report).map((finding) => `${writer.finding(finding)}\n`);
  return `${findings.join('')}${escapeUnseen(summaryOf(report))}\n`;
}
