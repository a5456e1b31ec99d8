/** Text with a name, and places in it. */

export interface Source {
  /** File name, or `command line`. */
  readonly name: string;
  readonly text: string;
}

/** A piece of one line. Lines and columns count from 1, columns and lengths in UTF-16 units. */
export interface Span {
  readonly source: string;
  readonly line: number;
  readonly column: number;
  readonly length: number;
}

/** A word as it is meant, without quotes and escapes, and where it is written. */
export interface Word {
  readonly text: string;
  readonly span: Span;
  /** Written in quotes, so it is a value and never an option. */
  readonly quoted: boolean;
}

/** Part of a word; its span is as narrow as the quoting lets one say. */
export function partOf(word: Word, from: number, to = word.text.length): Word {
  const text = word.text.slice(from, to);
  const exact = word.span.length === word.text.length;
  const span = exact
    ? { ...word.span, column: word.span.column + from, length: text.length }
    : word.span;
  return { text, span, quoted: word.quoted };
}

/** From the start of the first to the end of the last, which must stand on the same line. */
export function joinSpans(first: Span, last: Span): Span {
  return { ...first, length: Math.max(first.length, last.column + last.length - first.column) };
}

/** The words between commas. */
export function splitWord(word: Word, separator: string): readonly Word[] {
  const words: Word[] = [];
  let from = 0;
  for (const piece of word.text.split(separator)) {
    words.push(partOf(word, from, from + piece.length));
    from += piece.length + separator.length;
  }
  return words;
}
