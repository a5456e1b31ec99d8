/** What an option is: how it is written, which words may follow it, and who takes them. */
import { joinSpans, type Span, type Word } from '@sockfilter/language';

/** One use of an option on the line. */
export interface OptionUse {
  /** The option as written, `-s` or `--source`. */
  readonly option: Word;
  readonly negated: boolean;
  readonly words: readonly Word[];
  /** From the `!` or the option to the last word. */
  readonly span: Span;
}

/** A use whose span is made when a diagnostic asks for it. */
export class LineUse implements OptionUse {
  readonly option: Word;
  readonly words: readonly Word[];
  private readonly bang: Word | undefined;

  constructor(option: Word, words: readonly Word[], bang: Word | undefined) {
    this.option = option;
    this.words = words;
    this.bang = bang;
  }

  get negated(): boolean {
    return this.bang !== undefined;
  }

  get span(): Span {
    const first = this.bang ?? this.option;
    return joinSpans(first.span, (this.words.at(-1) ?? this.option).span);
  }
}

export interface OptionRow<Draft> {
  readonly long: readonly string[];
  readonly short?: string | undefined;
  /** How many words must follow, and how many may. */
  readonly least: number;
  readonly most: number;
  /** Whether the word is the next of those that may follow; any that looks like a value, if left out. */
  readonly wants?: (word: Word, taken: readonly Word[]) => boolean;
  /** The only words that may follow; any, if left out. */
  readonly choices?: readonly string[];
  readonly negatable: boolean;
  /** A value may begin with a dash. */
  readonly verbatim?: boolean;
  readonly take: (draft: Draft, use: OptionUse) => void;
}

/** What can stand at this point of the line. */
export interface Vocabulary<Draft> {
  readonly long: (name: string, draft: Draft) => OptionRow<Draft> | undefined;
  readonly short: (letter: string, draft: Draft) => OptionRow<Draft> | undefined;
  /** Every row that can stand here, for abbreviations. */
  readonly rows: (draft: Draft) => readonly OptionRow<Draft>[];
  /** Every long name there is anywhere, for suggestions. */
  readonly names: () => readonly string[];
  /** Says more about an option that can't stand here; undefined to say only that it is unknown. */
  readonly explain: (name: string) => string | undefined;
}
