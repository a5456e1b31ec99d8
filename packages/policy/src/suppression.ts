/**
 * `# sockfilter: ignore[SF003] reason` and `ignore[SF003,SF004]` on a line of its own silence those
 * codes for the first rule or chain line below it, other comments between them or not. With
 * `ignore[SF003] until 2027-01-01 reason` it does so until that day has passed, anywhere on Earth.
 */
import { type Code, isCode } from './catalogue.js';
import { type Finding, plainFinding } from './finding.js';
import type { CommentLine } from './rulefile.js';

export interface Suppression {
  readonly codes: readonly Code[];
  readonly reason: string;
  /** The last day, as YYYY-MM-DD. */
  readonly until: string | undefined;
  /** In words why it silences nothing, and what to do. */
  readonly fault: { readonly message: string; readonly fix: string } | undefined;
  /** Where the comment stands, and the line that it is about. */
  readonly line: number;
  readonly target: number;
  readonly text: string;
}

export interface IgnoredFinding {
  readonly finding: Finding;
  readonly reason: string;
}

export interface SuppressionOptions {
  /** Whether a comment must say why. */
  readonly requireReason?: boolean | undefined;
  /** When it is, for those that end. */
  readonly now: Date;
}

/** Also what only looks like one, so that nobody waits for what it does not do. */
const IGNORE = /#\s*sockfilter:?\s*ignore\b\s*(?::\s*)?(.*)$/i;
const EXACT = /#\s*sockfilter:\s*ignore\[([^\]]*)\]\s*(.*)$/;
const UNTIL = /^until\b:?\s*([^\s,;]*)[\s,;]*(.*)$/i;

/** The last zone in which a day ends is 12 hours behind UTC. */
const LAST_ZONE_MS = 12 * 3600 * 1000;
const DAY_MS = 24 * 3600 * 1000;

/** When the day has passed everywhere, or undefined where there is no such day. */
function endOf(day: string): number | undefined {
  const start = /^\d{4}-\d{2}-\d{2}$/.test(day) ? Date.parse(`${day}T00:00:00Z`) : Number.NaN;
  // 31 February is none, though it can be read.
  if (Number.isNaN(start) || !new Date(start).toISOString().startsWith(day)) return undefined;
  return start + DAY_MS + LAST_ZONE_MS;
}

/** What follows the codes: an end, a reason, and what is wrong with them. */
function readRest(rest: string, { requireReason, now }: SuppressionOptions) {
  const [, day, after] = UNTIL.exec(rest) ?? [];
  const reason = (after ?? rest).trim();
  const answer = { reason, until: day };
  const end = day === undefined ? Number.POSITIVE_INFINITY : endOf(day);
  if (end === undefined) {
    const fix = 'write it as `until 2027-01-31`';
    return { ...answer, fault: { message: `\`${day}\` is no day`, fix } };
  }
  if (now.getTime() >= end) {
    const fix = 'mend what it ignores, or give it a later day';
    return { ...answer, fault: { message: `this comment was to silence until ${day}`, fix } };
  }
  if (requireReason && reason === '') {
    const fix = 'say why after the codes: `ignore[SF001] until 2027-01-31 moves with the release`';
    return { ...answer, fault: { message: 'this comment does not say why', fix } };
  }
  return { ...answer, fault: undefined };
}

/** A code that does not exist silences nothing, and the comment neither. */
function readComment(text: string, options: SuppressionOptions) {
  const [, list, rest = ''] = EXACT.exec(text) ?? [];
  if (list === undefined) {
    const fix = 'write `# sockfilter: ignore[SF001] reason`, with no blank before the bracket';
    const fault = { message: 'this comment is not understood, and silences nothing', fix };
    return { codes: [], reason: '', until: undefined, fault };
  }
  const words = list.split(',').map((code) => code.trim());
  const unknown = words.find((word) => !isCode(word));
  const read = readRest(rest, options);
  if (unknown === undefined) return { codes: words.filter(isCode), ...read };
  const fix = '`sockfilter rules` lists the codes';
  const fault = { message: `there is no code \`${unknown}\``, fix };
  return { codes: words.filter(isCode), ...read, fault: read.fault ?? fault };
}

/** Reads the comments; one with a fault silences nothing. */
export function readSuppressions(
  comments: readonly CommentLine[],
  options: SuppressionOptions,
): readonly Suppression[] {
  const lines = new Set(comments.map(({ line }) => line));
  return comments.flatMap(({ line, text }) => {
    if (!IGNORE.test(text)) return [];
    let target = line + (text.trimStart().startsWith('#') ? 1 : 0);
    while (lines.has(target) && target !== line) target++;
    return [{ ...readComment(text, options), line, target, text }];
  });
}

const IDLE = { message: 'this comment silences nothing', fix: 'remove it' };

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
      ({ codes, target, fault }) =>
        !fault && target === finding.place.line && codes.includes(finding.code),
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
    const { message, fix } = suppression.fault ?? IDLE;
    const code = suppression.fault ? 'SF016' : 'SF014';
    kept.push({ ...plainFinding(code, place, message), fix });
  }
  return { findings: kept, ignored };
}
