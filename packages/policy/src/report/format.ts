/** The forms of a report, by the names that `--format` takes. */
import { codeQualityReport } from './codequality.js';
import { githubReport } from './github.js';
import { jsonReport } from './json.js';
import { junitReport } from './junit.js';
import { markdownReport } from './markdown.js';
import type { Report, WriteOptions } from './report.js';
import { sarifReport } from './sarif.js';
import { textReport } from './text.js';

export const FORMATS = [
  'text',
  'json',
  'github',
  'sarif',
  'junit',
  'markdown',
  'codequality',
] as const;

export type Format = (typeof FORMATS)[number];

export function isFormat(text: string): text is Format {
  return FORMATS.some((format) => format === text);
}

type Writer = (reports: readonly Report[], options: WriteOptions) => string;

const WRITERS: Readonly<Record<Format, Writer>> = {
  text: textReport,
  json: jsonReport,
  github: githubReport,
  sarif: sarifReport,
  junit: junitReport,
  markdown: markdownReport,
  codequality: codeQualityReport,
};

/** What one run has to say, as one text; what matters most comes first. */
export function writeReport(
  format: Format,
  reports: readonly Report[],
  options: WriteOptions,
): string {
  return WRITERS[format](reports, options);
}
