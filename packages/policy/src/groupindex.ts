/** The rules of a chain by the group whose calls they can match. */
import type { PlacedRule } from '@sockfilter/diagram';
import { type Clause, elementAt, type Rule } from '@sockfilter/table';

/** The one id that the condition asks for, if it asks for one. */
function onlyGroup(condition: readonly Clause[]): number | undefined {
  for (const [test, more] of condition) {
    if (!test || more || test.field !== 'group' || test.negated) continue;
    if (test.set.kind !== 'ranges' || test.set.ranges.length !== 1) continue;
    for (const [from, to] of test.set.ranges) if (from === to) return Number(from);
  }
  return undefined;
}

export class GroupIndex {
  readonly #rules: readonly PlacedRule[];
  /** Positions of rules, ascending: those of one id, and all others. */
  readonly #own = new Map<number, number[]>();
  readonly #others: number[] = [];
  readonly #merged = new Map<number, readonly PlacedRule[]>();

  constructor(rules: readonly PlacedRule[], conditionOf: (rule: Rule) => readonly Clause[]) {
    this.#rules = rules;
    for (const [at, { rule }] of rules.entries()) {
      const id = onlyGroup(conditionOf(rule));
      const known = id === undefined ? this.#others : this.#own.get(id);
      if (known) known.push(at);
      else if (id !== undefined) this.#own.set(id, [at]);
    }
  }

  /** In order, without rules that are for another group only. */
  rulesFor(group: number): readonly PlacedRule[] {
    const known = this.#merged.get(group);
    if (known) return known;
    const positions = [...(this.#own.get(group) ?? []), ...this.#others].sort((a, b) => a - b);
    const rules = positions.map((at) => elementAt(this.#rules, at));
    this.#merged.set(group, rules);
    return rules;
  }
}
