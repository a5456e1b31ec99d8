/** The forms of a report, by the names that `--format` takes. */
import { codeQualityReport } from './codequality.js';
import { githubReport } from './github.js';
import { jsonReport } from './json.js';
import { junitReport } from './junit.js';
import { markdownReport } from './markdown.js';
import type { Report } from './report.js';
import { sarifReport } from './sarif.js';
import { type TextOptions, textReport } from './text.js';

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

const WRITERS: Readonly<Record<Format, (report: Report, options: TextOptions) => string>> = {
  text: textReport,
  json: jsonReport,
  github: githubReport,
  sarif: sarifReport,
  junit: junitReport,
  markdown: markdownReport,
  codequality: codeQualityReport,
};

export function writeReport(format: Format, report: Report, options: TextOptions): string {
  return WRITERS[format](report, options);
}
