/**
 * Options on a line of words, as getopt_long reads them: in any order, short ones clustered and
 * glued to their value, long ones abbreviated, `--long=value`; and iptables' `!` before an option.
 */
import {
  type DiagnosticCode,
  didYouMean,
  joinSpans,
  partOf,
  type Report,
  type Span,
  type Word,
  withText,
} from '@sockfilter/language';
import { LineUse, type OptionRow, type Vocabulary } from './optionrow.js';

function looksLikeOption(word: Word): boolean {
  if (word.quoted) return false;
  const { text } = word;
  if (text === '!') return true;
  return text.startsWith('-') && /^(--?[A-Za-z]|-[46]$)/.test(text);
}

const quoted = (names: readonly string[]) => names.map((each) => `\`${each}\``);

/** One line, read from left to right. */
class Scan<Draft extends { readonly report: Report }> {
  private readonly words: readonly Word[];
  private readonly draft: Draft;
  private readonly vocabulary: Vocabulary<Draft>;
  private at = 0;
  /** The `!` that waits for its option. */
  private bang: Word | undefined;

  constructor(words: readonly Word[], draft: Draft, vocabulary: Vocabulary<Draft>) {
    this.words = words;
    this.draft = draft;
    this.vocabulary = vocabulary;
  }

  run(): void {
    for (let word = this.next(); word; word = this.next()) {
      const { text } = word;
      if (text === '!') this.negation(word);
      else if (text.startsWith('--') && text.length > 2) this.long(word);
      else if (text.startsWith('-') && text.length > 1) this.cluster(word);
      else this.skip('bad-argument', `bad argument \`${text}\``, word.span);
    }
    if (this.bang) this.fault('negation', 'no option follows the `!`', this.bang.span);
  }

  private next(): Word | undefined {
    return this.words[this.at++];
  }

  private fault(code: DiagnosticCode, message: string, span: Span, help?: string): void {
    this.draft.report({ code, message, span, exit: 2, help });
  }

  /** Tells a fault, and passes over what belongs to the word at fault. */
  private skip(code: DiagnosticCode, message: string, span: Span, help?: string): void {
    this.fault(code, message, span, help);
    this.bang = undefined;
    for (let word = this.words[this.at]; word && !looksLikeOption(word); word = this.words[this.at])
      this.at++;
  }

  private negation(bang: Word): void {
    if (this.bang) this.fault('negation', 'more than one `!`', bang.span);
    this.bang = bang;
  }

  private long(word: Word): void {
    const equals = word.text.indexOf('=');
    const option = equals < 0 ? word : partOf(word, 0, equals);
    const glued = equals < 0 ? undefined : partOf(word, equals + 1);
    const name = option.text.slice(2);
    const exact = this.vocabulary.long(name, this.draft);
    if (exact) {
      this.use(exact, option, glued);
      return;
    }
    const isMeant = (each: string) => each.startsWith(name);
    const begun = this.vocabulary.rows(this.draft).filter((row) => row.long.some(isMeant));
    const [only] = begun;
    if (!only) this.unknown(option, name);
    else if (begun.length === 1) this.use(only, option, glued);
    else {
      const names = begun.flatMap((row) => row.long.filter(isMeant)).map((each) => `--${each}`);
      const help = `it could be ${quoted(names).join(', ')}`;
      const message = `option \`${option.text}\` is ambiguous`;
      this.skip('ambiguous-option', message, option.span, help);
    }
  }

  /** Letters after one dash; the first that takes a value has the rest of the word. */
  private cluster(word: Word): void {
    const { length } = word.text;
    for (let i = 1; i < length; i++) {
      const letter = word.text.charAt(i);
      const row = this.vocabulary.short(letter, this.draft);
      if (row && length === 2) {
        this.use(row, word, undefined);
        return;
      }
      const option = withText(partOf(word, i, i + 1), `-${letter}`);
      if (!row) {
        this.unknown(i === 1 && length > 2 ? word : option, letter);
        return;
      }
      const glued = row.most > 0 && i + 1 < length ? partOf(word, i + 1) : undefined;
      this.use(row, i === 1 && !glued ? withText(word, `-${letter}`) : option, glued);
      if (glued) return;
    }
  }

  private unknown(option: Word, name: string): void {
    const { vocabulary } = this;
    const suggested = () =>
      option.text.startsWith('--')
        ? didYouMean(
            option.text,
            vocabulary.names().map((each) => `--${each}`),
          )
        : undefined;
    const help = vocabulary.explain(name) ?? suggested();
    this.skip('unknown-option', `unknown option \`${option.text}\``, option.span, help);
  }

  /** Lets the row take the words after its option; `glued` is what stands in the same word. */
  private use(row: OptionRow<Draft>, option: Word, glued: Word | undefined): void {
    const { bang } = this;
    this.bang = undefined;
    const shown = option.text;
    if (glued && row.most === 0) {
      const message = `\`${shown}\` takes no value, and \`${glued.text}\` is given`;
      this.fault('bad-argument', message, glued.span);
      return;
    }
    const values = this.valuesOf(row, option, glued);
    if (!values) return;
    const odd = row.choices && values.find(({ text }) => !row.choices?.includes(text));
    if (values.length < row.least) {
      const what = row.least > 1 ? `${row.least} values` : 'a value';
      this.fault('missing', `option \`${shown}\` needs ${what}`, option.span);
    } else if (odd) {
      const help = `write ${quoted(row.choices ?? []).join(' or ')}`;
      this.fault('bad-argument', `bad argument \`${odd.text}\``, odd.span, help);
    } else if (bang && !row.negatable) {
      this.fault('negation', `unexpected \`!\` before \`${shown}\``, bang.span);
    } else row.take(this.draft, new LineUse(option, values, bang));
  }

  /** The words that belong to the option; nothing where its `!` stands behind it, which is told. */
  private valuesOf(
    row: OptionRow<Draft>,
    option: Word,
    glued: Word | undefined,
  ): readonly Word[] | undefined {
    const from = this.at;
    const taken = () => {
      const words = this.words.slice(from, this.at);
      return glued ? [glued, ...words] : words;
    };
    for (let count = glued ? 1 : 0; count < row.most; count++) {
      const next = this.words[this.at];
      if (!next) break;
      const isNeeded = count < row.least;
      const isText = row.verbatim && (next.text !== '!' || !row.negatable);
      if (looksLikeOption(next) && !(isNeeded && isText)) {
        if (!(isNeeded && next.text === '!' && row.negatable)) break;
        this.misplaced(option);
        return undefined;
      }
      if (!isNeeded && (next.text.startsWith('-') || row.wants?.(next, taken()) === false)) break;
      this.at++;
    }
    return taken();
  }

  /** `-s ! 10.0.0.1`, which iptables took once. */
  private misplaced(option: Word): void {
    const bang = this.next();
    const value = this.words[this.at];
    const help = value && `write \`! ${option.text} ${value.text}\``;
    const message = '`!` stands before the option, not after it';
    this.skip('negation', message, joinSpans(option.span, (value ?? bang ?? option).span), help);
  }
}

/** Reads the words and lets each option's row take its use. */
export function scanOptions<Draft extends { readonly report: Report }>(
  words: readonly Word[],
  draft: Draft,
  vocabulary: Vocabulary<Draft>,
): void {
  new Scan(words, draft, vocabulary).run();
}
