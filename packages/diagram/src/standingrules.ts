/** Rules as they stand for calls that others have rewritten before. */
import {
  type Rewriting,
  type Rule,
  rewriteTwice,
  rewritingKey,
  rewritingOf,
  type Table,
  UNCHANGED,
} from '@sockfilter/table';
import { type DrawnWay, destinationSets, drawnWays } from './choice.js';
import { blame } from './limit.js';
import type { PlacedRule } from './placedrule.js';

/** Rewritings, each there once, so that equal ones are the same object. */
class KnownRewritings {
  readonly #known = new Map([[rewritingKey(UNCHANGED), UNCHANGED]]);

  add(rewriting: Rewriting): Rewriting {
    const key = rewritingKey(rewriting);
    const known = this.#known.get(key) ?? rewriting;
    this.#known.set(key, known);
    return known;
  }
}

export class StandingRules {
  readonly #table: Table;
  readonly #asksSets: boolean;
  readonly #canonical = new KnownRewritings();
  readonly #ways = new Map<Rule, readonly DrawnWay[] | undefined>();
  #compared: ReturnType<typeof destinationSets> | undefined;

  constructor(table: Table, asksSets: boolean) {
    this.#table = table;
    this.#asksSets = asksSets;
  }

  /** The rule for calls that come to it rewritten so; once for all its destinations that are told apart. */
  of(at: PlacedRule, as: Rewriting): readonly PlacedRule[] {
    const becoming = (next: Rewriting) => this.#canonical.add(rewriteTwice(as, next));
    const drawn = this.#waysOf(at);
    if (!drawn) return [{ ...at, as, becomes: becoming(rewritingOf(at.rule.target)) }];
    return drawn.map((way) => ({ ...at, as, becomes: becoming(way.rewriting), way }));
  }

  #waysOf({ rule, chain, number }: PlacedRule): readonly DrawnWay[] | undefined {
    const span = { chain: chain.name, rules: [number, number] } as const;
    if (!this.#ways.has(rule))
      this.#ways.set(
        rule,
        blame(span, () => drawnWays(rewritingOf(rule.target), () => this.#sets())),
      );
    return this.#ways.get(rule);
  }

  #sets(): ReturnType<typeof destinationSets> {
    this.#compared ??= destinationSets(this.#table, this.#asksSets);
    return this.#compared;
  }
}
