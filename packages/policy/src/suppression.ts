/**
 * `# sockfilter: ignore[SF003] reason` and `ignore[SF003,SF004]` on a line of its own silence those
 * codes for the first rule or chain line below it, other comments between them or not.
 */
import { type Code, isCode } from './catalogue.js';
import { type Finding, plainFinding } from './finding.js';
import type { CommentLine } from './rulefile.js';

export interface Suppression {
  readonly codes: readonly Code[];
  readonly reason: string;
  /** Where the comment stands, and the line that it is about. */
  readonly line: number;
  readonly target: number;
  readonly text: string;
}

export interface IgnoredFinding {
  readonly finding: Finding;
  readonly reason: string;
}

const IGNORE = /#\s*sockfilter:\s*ignore\[([^\]]*)\]\s*(.*)$/;

/** Reads the comments; a code that does not exist is dropped and so silences nothing. */
export function readSuppressions(comments: readonly CommentLine[]): readonly Suppression[] {
  const lines = new Set(comments.map(({ line }) => line));
  return comments.flatMap(({ line, text }) => {
    const [, list, reason = ''] = IGNORE.exec(text) ?? [];
    if (list === undefined) return [];
    const codes = list
      .split(',')
      .map((code) => code.trim())
      .filter(isCode);
    let target = line + (text.trimStart().startsWith('#') ? 1 : 0);
    while (lines.has(target) && target !== line) target++;
    return [{ codes, reason: reason.trim(), line, target, text }];
  });
}

/** Parts the findings into those that stay and those that a comment silences. */
export function applySuppressions(
  file: string,
  findings: readonly Finding[],
  suppressions: readonly Suppression[],
): { readonly findings: readonly Finding[]; readonly ignored: readonly IgnoredFinding[] } {
  const kept: Finding[] = [];
  const ignored: IgnoredFinding[] = [];
  const used = new Set<Suppression>();
  for (const finding of findings) {
    const by = suppressions.find(
      ({ codes, target }) => target === finding.place.line && codes.includes(finding.code),
    );
    if (!by) kept.push(finding);
    else {
      used.add(by);
      ignored.push({ finding, reason: by.reason });
    }
  }
  for (const suppression of suppressions) {
    if (used.has(suppression)) continue;
    const place = { file, line: suppression.line, column: 1, length: suppression.text.length };
    const finding = plainFinding('SF014', place, 'this comment silences nothing');
    kept.push({ ...finding, fix: 'remove it' });
  }
  return { findings: kept, ignored };
}
