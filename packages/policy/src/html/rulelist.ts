/** The rules and policies that a page names, each once. */
import { type Chain, type CounterOwner, ownerName, type Rule } from '@sockfilter/table';
import { type RuleFile, verdictWords } from '../rulefile.js';
import type { PageRule } from './model.js';

/** The text of the rule or chain line; undefined where the file has none. */
export type LineOf = (file: RuleFile, owner: CounterOwner) => string | undefined;

/** Comment lines above a rule that are shown. */
const MAX_COMMENTS = 4;

export class RuleList {
  readonly rules: PageRule[] = [];
  readonly #lineOf: LineOf;
  readonly #numbers = new Map<Rule | Chain, number>();
  readonly #comments = new Map<RuleFile, ReadonlyMap<number, string>>();

  constructor(lineOf: LineOf) {
    this.#lineOf = lineOf;
  }

  /** The rule's number on the page. */
  numberOf(file: RuleFile, owner: CounterOwner): number {
    const key = owner.rule ?? owner.chain;
    const known = this.#numbers.get(key);
    if (known !== undefined) return known;
    const number = this.rules.length;
    this.#numbers.set(key, number);
    const { line, length } = file.placeOf(key);
    this.rules.push({
      name: ownerName(owner),
      target: verdictWords(owner),
      where: length === 0 ? file.name : `${file.name}:${line}`,
      text: this.#lineOf(file, owner) ?? '',
      comments: length === 0 ? [] : this.#commentsAbove(file, line),
    });
    return number;
  }

  #commentsAbove(file: RuleFile, line: number): readonly string[] {
    let comments = this.#comments.get(file);
    if (!comments) {
      comments = new Map(file.comments.map((each) => [each.line, each.text]));
      this.#comments.set(file, comments);
    }
    const found: string[] = [];
    for (let at = line - 1; found.length < MAX_COMMENTS; at--) {
      const comment = comments.get(at);
      if (comment === undefined) break;
      found.unshift(comment);
    }
    return found;
  }
}
