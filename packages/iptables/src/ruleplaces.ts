/**
 * Where rules are written. Of a rule whose line was not taken apart that is found out when somebody asks, which for most
 * nobody does.
 */
import { joinSpans, type RulePlace, type Span, type Word } from '@sockfilter/language';
import type { Rule } from '@sockfilter/table';
import { type ParsedWords, parseWords } from './commandline.js';
import { lexLine } from './lexer.js';
import type { SavedLines } from './savedlines.js';
import type { RuleContext } from './values/syntax.js';

/** The place of the words, of which the first is `first`. */
export function spanOf(words: readonly Word[], first: Word): Span {
  return joinSpans(first.span, words.at(-1)?.span ?? first.span);
}

/** The last word of a line that has words. */
export class LastWord implements Pick<Word, 'span'> {
  readonly #text: string;
  readonly #source: string;
  readonly #line: number;

  constructor(text: string, source: string, line: number) {
    this.#text = text;
    this.#source = source;
    this.#line = line;
  }

  get span(): Span {
    const last = lexLine(this.#text, this.#source, this.#line).words.at(-1);
    if (!last) throw new TypeError('a line without words');
    return last.span;
  }
}

/** The words of a line with a rule, without its counters. */
function ruleWords(text: string, source: string, line: number): readonly Word[] {
  const { words } = lexLine(text, source, line);
  return words[0]?.text.startsWith('[') ? words.slice(1) : words;
}

function firstOf([first]: readonly Word[]): Word {
  if (!first) throw new TypeError('a rule without words');
  return first;
}

export class RulePlaces {
  readonly #known = new Map<Rule, RulePlace>();
  readonly #inserted = new Map<Rule, number>();
  readonly #source: string;
  readonly #lines: SavedLines;
  readonly #context: RuleContext;
  /** The line of each rule, from 0. */
  #numbers: ReadonlyMap<Rule, number> | undefined;

  /** @param lines of the source, from its first; there may come more */
  constructor(source: string, lines: SavedLines, context: RuleContext) {
    this.#source = source;
    this.#lines = lines;
    this.#context = context;
  }

  set(rule: Rule, place: RulePlace): void {
    this.#known.set(rule, place);
  }

  /** The line of a rule, from 0, of which the lines do not tell that they say it. */
  setLine(rule: Rule, line: number): void {
    this.#inserted.set(rule, line);
  }

  get(rule: Rule): RulePlace | undefined {
    const known = this.#known.get(rule);
    if (known) return known;
    this.#numbers ??= this.#numbered();
    const at = this.#numbers.get(rule) ?? this.#inserted.get(rule);
    if (at === undefined) return undefined;
    const place = this.#find(this.#lines.textAt(at), at + 1);
    this.#known.set(rule, place);
    return place;
  }

  #numbered(): ReadonlyMap<Rule, number> {
    const numbers = new Map<Rule, number>();
    for (let at = 0; at < this.#lines.length; at++)
      for (const rule of this.#lines.rulesAt(at)) numbers.set(rule, at);
    return numbers;
  }

  /** The line is taken apart once more where somebody asks for the target: that costs, and most ask for the rule. */
  #find(text: string, line: number): RulePlace {
    const wordsOf = () => ruleWords(text, this.#source, line);
    let parsed: ParsedWords | undefined;
    const parse = () => {
      parsed ??= parseWords(wordsOf(), this.#context, firstOf(wordsOf()));
      return parsed;
    };
    const words = wordsOf();
    return {
      rule: spanOf(words, firstOf(words)),
      get target() {
        return parse().target?.span;
      },
      get reject() {
        return parse().reject;
      },
    };
  }
}
