/** GitLab's Code Quality: https://docs.gitlab.com/ci/testing/code_quality/ */
import { escapeUnseen, writeJson } from '@sockfilter/language';
import { CATALOGUE } from '../catalogue.js';
import { hexDigest } from '../digest.js';
import type { Finding } from '../finding.js';
import type { Severity } from '../severity.js';
import { allFindings, type Report, type WriteOptions, withPaths } from './report.js';

const SEVERITIES: Readonly<Record<Severity, string>> = {
  error: 'critical',
  warning: 'minor',
  info: 'info',
};

/** The same for the same finding wherever it has moved to, so that GitLab knows which are new. */
function fingerprint({ code, place, message }: Finding, occurrence: number): string {
  const identity = JSON.stringify([code, place.file, message, occurrence]);
  return hexDigest(identity);
}

export function codeQualityReport(reports: readonly Report[], options: WriteOptions): string {
  const seen = new Map<string, number>();
  const issues = allFindings(reports).map((given) => {
    const finding = withPaths(given, options);
    const { code, severity, place, message, witness } = finding;
    const key = JSON.stringify([code, place.file, message]);
    const occurrence = seen.get(key) ?? 0;
    seen.set(key, occurrence + 1);
    const call = witness ? `; for example ${witness.call}` : '';
    return {
      type: 'issue',
      check_name: code,
      description: escapeUnseen(`${code} ${CATALOGUE[code].title}: ${message}${call}`),
      severity: SEVERITIES[severity],
      fingerprint: fingerprint(finding, occurrence),
      location: { path: place.file.replace(/^\.\//, ''), lines: { begin: place.line } },
    };
  });
  return writeJson(issues);
}
