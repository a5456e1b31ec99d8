/**
 * Options on a line of words, as getopt_long reads them: in any order, short ones clustered and
 * glued to their value, long ones abbreviated, `--long=value`; and iptables' `!` before an option.
 */
import {
  didYouMean,
  joinSpans,
  partOf,
  type Report,
  type Span,
  type Word,
  withText,
} from '@sockfilter/language';

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

function looksLikeOption(word: Word): boolean {
  if (word.quoted) return false;
  const { text } = word;
  if (text === '!') return true;
  return text.startsWith('-') && /^(--?[A-Za-z]|-[46]$)/.test(text);
}

/** Reads the words and lets each option's row take its use. */
export function scanOptions<Draft extends { readonly report: Report }>(
  words: readonly Word[],
  draft: Draft,
  vocabulary: Vocabulary<Draft>,
): void {
  const { report } = draft;
  let at = 0;
  let bang: Word | undefined;

  function skipValues(): void {
    for (let word = words[at]; word && !looksLikeOption(word); word = words[at]) at++;
  }

  /** Takes the words after an option; `glued` is what stands in the same word. */
  function use(row: OptionRow<Draft>, option: Word, glued: Word | undefined): void {
    const from = at;
    const taken = () => (glued ? [glued, ...words.slice(from, at)] : words.slice(from, at));
    const shown = option.text;
    const negation = bang;
    bang = undefined;
    if (glued && row.most === 0) {
      const message = `\`${shown}\` takes no value, and \`${glued.text}\` is given`;
      report({ code: 'bad-argument', message, span: glued.span, exit: 2 });
      return;
    }
    for (let count = glued ? 1 : 0; count < row.most; count++) {
      const next = words[at];
      if (!next) break;
      const needed = count < row.least;
      const isText = row.verbatim && (next.text !== '!' || !row.negatable);
      if (looksLikeOption(next) && !(needed && isText)) {
        if (needed && next.text === '!' && row.negatable) {
          const after = words[at + 1];
          const help = after && `write \`! ${shown} ${after.text}\``;
          const message = `\`!\` stands before the option, not after it`;
          const span = joinSpans(option.span, (after ?? next).span);
          report({ code: 'negation', message, span, exit: 2, help });
          at++;
          skipValues();
          return;
        }
        break;
      }
      if (!needed && (next.text.startsWith('-') || row.wants?.(next, taken()) === false)) break;
      at++;
    }
    const values = taken();
    if (values.length < row.least) {
      const what = row.least > 1 ? `${row.least} values` : 'a value';
      report({
        code: 'missing',
        message: `option \`${shown}\` needs ${what}`,
        span: option.span,
        exit: 2,
      });
      return;
    }
    const odd = row.choices && values.find(({ text }) => !row.choices?.includes(text));
    if (odd) {
      const help = `write ${row.choices?.map((each) => `\`${each}\``).join(' or ')}`;
      const message = `bad argument \`${odd.text}\``;
      report({ code: 'bad-argument', message, span: odd.span, exit: 2, help });
      return;
    }
    if (negation && !row.negatable) {
      const message = `unexpected \`!\` before \`${shown}\``;
      report({ code: 'negation', message, span: negation.span, exit: 2 });
      return;
    }
    row.take(draft, new LineUse(option, values, negation));
  }

  function unknown(option: Word, name: string): void {
    bang = undefined;
    const help =
      vocabulary.explain(name) ??
      (option.text.startsWith('--')
        ? didYouMean(
            option.text,
            vocabulary.names().map((each) => `--${each}`),
          )
        : undefined);
    report({
      code: 'unknown-option',
      message: `unknown option \`${option.text}\``,
      span: option.span,
      exit: 2,
      help,
    });
    skipValues();
  }

  function long(word: Word): void {
    const equals = word.text.indexOf('=');
    const option = equals < 0 ? word : partOf(word, 0, equals);
    const glued = equals < 0 ? undefined : partOf(word, equals + 1);
    const name = option.text.slice(2);
    const exact = vocabulary.long(name, draft);
    if (exact) {
      use(exact, option, glued);
      return;
    }
    const begun = vocabulary
      .rows(draft)
      .filter((row) => row.long.some((each) => each.startsWith(name)));
    const [only] = begun;
    if (only && begun.length === 1) {
      use(only, option, glued);
      return;
    }
    if (!only) {
      unknown(option, name);
      return;
    }
    const names = begun.flatMap((row) => row.long.filter((each) => each.startsWith(name)));
    const help = `it could be ${names.map((each) => `\`--${each}\``).join(', ')}`;
    const message = `option \`${option.text}\` is ambiguous`;
    report({ code: 'ambiguous-option', message, span: option.span, exit: 2, help });
    bang = undefined;
    skipValues();
  }

  function cluster(word: Word): void {
    const alone = word.text.length === 2 ? vocabulary.short(word.text.charAt(1), draft) : undefined;
    if (alone) {
      use(alone, word, undefined);
      return;
    }
    for (let i = 1; i < word.text.length; i++) {
      const letter = word.text.charAt(i);
      const option = withText(partOf(word, i, i + 1), `-${letter}`);
      const row = vocabulary.short(letter, draft);
      if (!row) {
        unknown(i === 1 && word.text.length > 2 ? word : option, letter);
        return;
      }
      const glued = row.most > 0 && i + 1 < word.text.length ? partOf(word, i + 1) : undefined;
      use(row, i === 1 && !glued ? withText(word, `-${letter}`) : option, glued);
      if (glued) return;
    }
  }

  while (at < words.length) {
    const word = words[at++];
    if (!word) break;
    if (word.text === '!') {
      if (bang)
        report({ code: 'negation', message: 'more than one `!`', span: word.span, exit: 2 });
      bang = word;
    } else if (word.text.startsWith('--') && word.text.length > 2) long(word);
    else if (word.text.startsWith('-') && word.text.length > 1) cluster(word);
    else {
      const message = `bad argument \`${word.text}\``;
      report({ code: 'bad-argument', message, span: word.span, exit: 2 });
      bang = undefined;
      skipValues();
    }
  }
  if (bang) {
    const message = 'no option follows the `!`';
    report({ code: 'negation', message, span: bang.span, exit: 2 });
  }
}
