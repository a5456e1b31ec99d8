/** What an answer about rule files consists of: findings, each with its place and its proof. */
import type { Packet } from '@sockfilter/table';
import { CATALOGUE, type Code } from './catalogue.js';
import { SEVERITIES, type Severity } from './severity.js';

/** A piece of one line of a file. Lines and columns count from 1. */
export interface Place {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly length: number;
}

export interface Note {
  readonly message: string;
  readonly place?: Place | undefined;
}

/** A call that shows what a finding says. */
export interface Witness {
  readonly packet: Packet;
  /** `connect(tcp, 10.0.0.5:80) by group web (3)`. */
  readonly call: string;
  /** The command line that shows how it is decided. */
  readonly command: string;
}

export interface Finding {
  readonly code: Code;
  readonly severity: Severity;
  readonly place: Place;
  /** What is so: lower case, no full stop, the user's text in backquotes. */
  readonly message: string;
  readonly notes: readonly Note[];
  readonly witness?: Witness | undefined;
  /** What to do about it. */
  readonly fix?: string | undefined;
}

/** What shows that a finding is so. */
export type Proof = Partial<Pick<Finding, 'notes' | 'witness'>>;

/** Tells findings in the same words about one file. */
export function wordsKey({ code, severity, place, message, fix }: Finding): string {
  return JSON.stringify([code, severity, place.file, message, fix]);
}

/** The findings, of those in the same words the first `most` with the proof that they have yet to be given. */
export function proveFindings(
  findings: readonly Finding[],
  proofOf: (finding: Finding) => (() => Proof) | undefined,
  most: number,
): readonly Finding[] {
  const counts = new Map<string, number>();
  return findings.map((finding) => {
    const proof = proofOf(finding);
    if (!proof) return finding;
    const key = wordsKey(finding);
    const count = 1 + (counts.get(key) ?? 0);
    counts.set(key, count);
    return count > most ? finding : { ...finding, ...proof() };
  });
}

/** A finding with nothing but its message, of its code's severity. */
export function plainFinding(code: Code, place: Place, message: string): Finding {
  return { code, severity: CATALOGUE[code].severity, place, message, notes: [] };
}

export function atLeast(severity: Severity, threshold: Severity): boolean {
  return SEVERITIES.indexOf(severity) >= SEVERITIES.indexOf(threshold);
}

/** In the order of the files' lines; each file's findings together, in the order of first mention. */
export function sortFindings(findings: readonly Finding[]): readonly Finding[] {
  const files = [...new Set(findings.map(({ place }) => place.file))];
  return findings.toSorted(
    (a, b) =>
      files.indexOf(a.place.file) - files.indexOf(b.place.file) ||
      a.place.line - b.place.line ||
      a.place.column - b.place.column ||
      // No collator: to load one takes longer than to check a small file.
      (a.code < b.code ? -1 : Number(a.code > b.code)),
  );
}
