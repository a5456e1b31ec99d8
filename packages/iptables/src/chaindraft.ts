/**
 * The rules of a chain while lines of a file change them: edited in place, as a copy for each line would take longer than
 * the file.
 */
import type { RuleList } from '@sockfilter/language';
import { noSuchRule, type Rule, type RuleSplice } from '@sockfilter/table';
import { printRule } from './print.js';
import { entry } from './rulememo.js';

/** The rules of a chain, which lines add to and change. */
export interface RuleDraft extends RuleList {
  readonly append: (rules: readonly Rule[]) => void;
  readonly splice: (change: RuleSplice) => void;
}

export class ChainDraft implements RuleDraft {
  readonly #chain: string;
  readonly #rules: Rule[];
  /** Rules that say the same, in no order. Only who deletes a rule by what it says asks for it. */
  #alike: Map<string, Set<Rule>> | undefined;

  constructor(chain: string, rules: readonly Rule[]) {
    this.#chain = chain;
    this.#rules = rules.slice();
  }

  get rules(): readonly Rule[] {
    return this.#rules;
  }

  get length(): number {
    return this.#rules.length;
  }

  append(rules: readonly Rule[]): void {
    for (const rule of rules) this.#rules.push(rule);
    this.#note(rules);
  }

  splice({ at, removed, added }: RuleSplice): void {
    const gone = this.#put(at, removed, added);
    for (const rule of gone) this.#alike?.get(this.#text(rule))?.delete(rule);
    this.#note(added);
  }

  #put(at: number, removed: number, added: readonly Rule[]): readonly Rule[] {
    const [rule, other] = added;
    const old = this.#rules[at];
    // What comes behind stays where it is.
    if (removed !== 1 || !rule || other || !old) return this.#rules.splice(at, removed, ...added);
    this.#rules[at] = rule;
    return [old];
  }

  /** The number of the first rule that says the same. Throws TableError. */
  readonly find = (rule: Rule): number => {
    if (!this.#alike) {
      this.#alike = new Map();
      this.#note(this.#rules);
    }
    const alike = this.#alike.get(this.#text(rule)) ?? new Set();
    const [only, other] = alike;
    if (!only) throw noSuchRule();
    return (
      1 + (other ? this.#rules.findIndex((each) => alike.has(each)) : this.#rules.indexOf(only))
    );
  };

  #text(rule: Rule): string {
    return printRule(this.#chain, rule);
  }

  #note(rules: readonly Rule[]): void {
    if (!this.#alike) return;
    for (const rule of rules) entry(this.#alike, this.#text(rule), () => new Set()).add(rule);
  }
}
