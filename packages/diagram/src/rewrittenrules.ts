/** Which rules calls may meet that have been rewritten, as far as what they have become tells. */
import {
  type Clause,
  isNeverMet,
  type Rewriting,
  type Rule,
  rewrittenValue,
  ruleCondition,
  type Table,
} from '@sockfilter/table';
import type { PlacedRule } from './placedrule.js';
import { RuleIndex } from './ruleindex.js';

export class RewrittenRules {
  readonly #table: Table;
  /** Each rule is asked again and again. */
  readonly #conditions = new Map<Rule, readonly Clause[]>();
  readonly #indexes = new WeakMap<readonly PlacedRule[], RuleIndex>();

  constructor(table: Table) {
    this.#table = table;
  }

  /** Those that are to be asked, in order: few where rules want destinations of their own. */
  candidates(rules: readonly PlacedRule[], as: Rewriting): readonly PlacedRule[] {
    const index =
      this.#indexes.get(rules) ?? new RuleIndex(rules, (rule) => this.#conditionOf(rule));
    this.#indexes.set(rules, index);
    return index.rulesFor((field) => rewrittenValue(as, field));
  }

  mayMeet(rule: Rule, as: Rewriting): boolean {
    return !isNeverMet(this.#conditionOf(rule), as);
  }

  #conditionOf(rule: Rule): readonly Clause[] {
    const known = this.#conditions.get(rule) ?? ruleCondition(rule, this.#table);
    this.#conditions.set(rule, known);
    return known;
  }
}
