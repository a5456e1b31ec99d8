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
  /** Where double quotes took a backslash that may have been meant: it and what follows. */
  readonly eaten?: string | undefined;
}

export interface LinePlace {
  readonly source: string;
  readonly line: number;
}

/** A word of a line of a file. Its span is made when a diagnostic asks: for most words none does. */
export class LineWord implements Word {
  readonly text: string;
  readonly quoted: boolean;
  readonly eaten: string | undefined;
  private readonly place: LinePlace;
  private readonly column: number;
  private readonly length: number;

  constructor(
    text: string,
    quoted: boolean,
    place: LinePlace,
    column: number,
    length: number,
    eaten?: string,
  ) {
    this.text = text;
    this.quoted = quoted;
    this.eaten = eaten;
    this.place = place;
    this.column = column;
    this.length = length;
  }

  get span(): Span {
    const { source, line } = this.place;
    return { source, line, column: this.column, length: this.length };
  }
}

/** The same place with another text. */
export function withText({ span, quoted }: Word, text: string): Word {
  return { text, span, quoted };
}

class WordPart implements Word {
  readonly text: string;
  private readonly whole: Word;
  private readonly from: number;

  constructor(whole: Word, from: number, to: number) {
    this.text = whole.text.slice(from, to);
    this.whole = whole;
    this.from = from;
  }

  get quoted(): boolean {
    return this.whole.quoted;
  }

  get span(): Span {
    const { span, text } = this.whole;
    if (span.length !== text.length) return span;
    const { source, line, column } = span;
    return { source, line, column: column + this.from, length: this.text.length };
  }
}

/** Part of a word; its span is as narrow as the quoting lets one say. */
export function partOf(word: Word, from: number, to = word.text.length): Word {
  return new WordPart(word, from, to);
}

/** From the start of the first to the end of the last; the first alone if the last is on another line. */
export function joinSpans(first: Span, last: Span): Span {
  const { source, line, column } = first;
  if (last.line !== line) return first;
  const length = Math.max(first.length, last.column + last.length - column);
  return { source, line, column, length };
}

/** The words between commas. */
export function splitWord(word: Word, separator: string): readonly Word[] {
  if (!word.text.includes(separator)) return [word];
  const words: Word[] = [];
  let from = 0;
  for (const piece of word.text.split(separator)) {
    words.push(partOf(word, from, from + piece.length));
    from += piece.length + separator.length;
  }
  return words;
}
