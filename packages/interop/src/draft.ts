/** A rule file while it is being imported: its lines, and what of the original is not in them. */
import type { Source } from '@sockfilter/language';

/**
 * What became of a part of the original:
 * - `moot`: no socket call is concerned, so that nothing is missing.
 * - `narrowed`: less is accepted than by the original.
 * - `wider`: more would be accepted, and so the import is refused.
 * - `missing`: of an export, nothing stands for it there.
 * - `note`: it is there, and means a little else.
 */
export type Fate = 'moot' | 'narrowed' | 'wider' | 'missing' | 'note';

export interface Remark {
  readonly file: string;
  /** From 1; in JSON, which may be one line, the number of the item. */
  readonly line: number;
  /** Where in the file, if a line does not say: a JSON path. */
  readonly place?: string | undefined;
  readonly fate: Fate;
  /** The original. */
  readonly text: string;
  readonly reason: string;
}

/** A line of the new rule file, and where it comes from. */
export interface DraftLine {
  readonly text: string;
  readonly file: string;
  readonly line: number;
  readonly place?: string | undefined;
  /** The original, for remarks. */
  readonly original: string;
  /** Whether calls are refused by it: then it must not be left out. */
  readonly refuses: boolean;
}

/** `dump:5`, or `dump: $.nftables[4].rule`. */
export function printPlace({ file, line, place }: Pick<Remark, 'file' | 'line' | 'place'>): string {
  return place === undefined ? `${file}:${line}` : `${file}: ${place}`;
}

/** Invariants in the form of an expectation file. */
export type Invariant = Readonly<Record<string, unknown>>;

export interface Draft {
  /** Chains to declare. */
  readonly chains: readonly string[];
  readonly lines: readonly DraftLine[];
  readonly remarks: readonly Remark[];
  readonly invariants: readonly Invariant[];
}

/** Whose calls the rules are about: the words of a match, none for everybody's. */
export type Scope = readonly string[];

/** Lines of a file without their ends, each with its number. */
export function numberedLines({ text }: Source): readonly (readonly [number, string])[] {
  return text.split('\n').map((line, at) => [at + 1, line.replace(/\r$/, '')] as const);
}

/**
 * A word of the original as one word of a rule, whatever is in it: nothing that others wrote may become a word or a line
 * of its own. What can stand in no rule becomes a word that no option takes.
 */
export function word(text: string): string {
  if (/^[\w./:,-]+$/.test(text)) return text;
  const seen = text.replace(/\p{Cc}/gu, '\ufffd');
  return `"${seen.replace(/["\\]/g, '\\$&')}"`;
}
