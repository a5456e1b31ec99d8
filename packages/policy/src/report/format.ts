/** A report in each of its forms. */
import { codeQualityReport } from './codequality.js';
import type { Format } from './formatname.js';
import { githubReport } from './github.js';
import { jsonReport } from './json.js';
import { junitReport } from './junit.js';
import { markdownReport } from './markdown.js';
import type { Report, WriteOptions } from './report.js';
import { sarifReport } from './sarif.js';
import { textReport } from './text.js';

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
