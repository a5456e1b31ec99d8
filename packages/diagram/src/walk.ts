/**
 * The walk over the rules of a table, once. What a walk is made of differs: diagrams of all packets,
 * of what each rule's removal changes, of where packets leave; or one packet alone. What follows what
 * does not, and stands here. evaluate() shares nothing with it, so that a fault of it is seen.
 */
import {
  type Chain,
  type Errno,
  hasTarget,
  isDrawn,
  isUnchanged,
  type Rewriting,
  rewritingOf,
  type Table,
  UNCHANGED,
} from '@sockfilter/table';
import { LimitError } from './limit.js';
import { missingChain, type PlacedRule, type RulesOf } from './placedrule.js';
import type { RewrittenRules } from './rewrittenrules.js';
import { StandingRules } from './standingrules.js';

/** Some rules and what they come to. */
export interface Part<D> {
  readonly at: PlacedRule;
  readonly meaning: D;
}

/**
 * What rules mean in some domain `D`: packets that a rule does not match go on behind it. All packets are as they
 * were asked for; how they have been rewritten says the rule that they come to.
 */
export interface Interpretation<D> {
  /** A rule that lets what it matches go on, as it becomes. */
  readonly next: (at: PlacedRule) => D;
  readonly decide: (at: PlacedRule, errno: Errno) => D;
  readonly leave: (at: PlacedRule) => D;
  /**
   * A rule that calls a chain, whose meaning is `inside()`. What that lets go on is behind the rule
   * then; unless the call `comesBack` no more, when it leaves the rule's own chain.
   */
  readonly call: (at: PlacedRule, inside: () => D, comesBack: boolean) => D;
  /**
   * Rules that follow each other, the first that does anything wins. What leaves the chain has gone
   * on for whoever called it. A domain of one packet takes no more parts than it needs.
   */
  readonly join: (chain: Chain, parts: Iterable<Part<D>>) => D;
  /** How packets are rewritten that `meaning` rewrites and lets go on. */
  readonly rewritings: (meaning: D) => Iterable<Rewriting>;
  /**
   * What `first` lets go on rewritten so has another way: `rest`, which are all rules to the chain's end. What that
   * lets go on leaves the chain.
   */
  readonly divert: (first: D, rewriting: Rewriting, rest: () => D) => D;
}

/**
 * How often a call may be rewritten, once after the other: the programs make no more steps in all.
 *
 * @internal
 */
export const MOST_IN_TURN = 512;

/** Rules that are asked of rewritten calls, each once for each way in which they come: the bound on time. */
const MOST_ASKED = 15_000_000;

export interface WalkOptions {
  readonly rulesOf: RulesOf;
  /** Whether a chain that is called twice is walked once. */
  readonly remembers: boolean;
  /** Whether some rule of the table rewrites calls, as `rewrites()` says; a table is looked through once for many walks. */
  readonly rewritesAny: boolean;
  /** In how many ways calls may be rewritten on their way through the chains, all places together. */
  readonly mostRewritings: number;
  /** Whether named sets are tests of their own, whatever they hold. */
  readonly asksSets: boolean;
  /** Which rules are asked of calls that are rewritten; all are, if left out. */
  readonly rewritten?: RewrittenRules;
}

/** What has been made of the rules of a chain, by the rewriting and the number of the first rule. */
class Remembered<K extends object, D> {
  readonly #known = new Map<K, Map<Rewriting, Map<number, D>>>();
  #count = 0;

  get count(): number {
    return this.#count;
  }

  get(key: K, as: Rewriting, from: number): D | undefined {
    return this.#known.get(key)?.get(as)?.get(from);
  }

  set(key: K, as: Rewriting, from: number, value: D): D {
    const byRewriting = this.#known.get(key) ?? new Map<Rewriting, Map<number, D>>();
    this.#known.set(key, byRewriting);
    const byStart = byRewriting.get(as) ?? new Map<number, D>();
    byRewriting.set(as, byStart);
    byStart.set(from, value);
    this.#count++;
    return value;
  }
}

/** Whether some rule of the table rewrites calls. */
export function rewrites(table: Pick<Table, 'chains'>): boolean {
  return hasTarget(table, (target) => !isUnchanged(rewritingOf(target)));
}

/** Whether some rule of the table has several destinations for a call. */
export function draws(table: Pick<Table, 'chains'>): boolean {
  return hasTarget(table, (target) => isDrawn(rewritingOf(target)));
}

/** The rules that calls may meet which are rewritten so, behind the first `from` ones of the chain. */
type Met = (chain: Chain, from: number, as: Rewriting) => Iterable<PlacedRule>;

/** As far as what calls have become tells; throws LimitError past MOST_ASKED of them. */
function metRules({ rulesOf, rewritten }: Pick<WalkOptions, 'rulesOf' | 'rewritten'>): Met {
  let asked = 0;
  return function* (chain, from, as) {
    const rules = rulesOf(chain);
    const isAsked = rewritten && as !== UNCHANGED;
    for (const placed of isAsked ? rewritten.candidates(rules, as) : rules) {
      const { rule, number } = placed;
      if (number <= from) continue;
      if (isAsked && ++asked > MOST_ASKED)
        throw new LimitError('steps', MOST_ASKED, {
          span: { chain: chain.name, rules: [number, number] },
        });
      if (!isAsked || rewritten.mayMeet(rule, as)) yield placed;
    }
  };
}

/**
 * The meaning of chains of the table; TypeError for a chain that is not there or calls itself.
 *
 * A rule that rewrites sends what it matches another way: through the rules behind it as they stand for calls that
 * are rewritten so. So each rule is asked once for each way in which calls come to it, and every condition is one
 * over calls as they were asked for.
 */
export function interpretation<D>(
  table: Table,
  { next, decide, leave, call, join, rewritings, divert }: Interpretation<D>,
  options: WalkOptions,
): (chain: Chain) => D {
  const { remembers, rewritesAny, mostRewritings, asksSets } = options;
  const chains = new Map(table.chains.map((chain) => [chain.name, chain]));
  const known = new Remembered<Chain, D>();
  const open = new Set<Chain>();
  const standing = new StandingRules(table, asksSets);
  const met = metRules(options);

  function meaningOf(at: PlacedRule): D {
    const { step } = at;
    switch (step.kind) {
      case 'next':
        return next(at);
      case 'decide':
        return decide(at, step.errno);
      case 'leave':
        return leave(at);
      case 'call': {
        const called = chains.get(step.chain) ?? missingChain(step.chain);
        return call(at, () => rulesFrom(called, 0, at.as), step.comesBack);
      }
    }
  }

  let inTurn = 0;

  /** The rules behind one, for calls that it has rewritten. */
  function behind({ chain, number }: PlacedRule, rewriting: Rewriting): D {
    if (inTurn === MOST_IN_TURN)
      throw new LimitError('rewritings', MOST_IN_TURN, {
        span: { chain: chain.name, rules: [number, number] },
      });
    inTurn++;
    const meaning = rulesFrom(chain, number, rewriting);
    inTurn--;
    return meaning;
  }

  /** What the rule rewrites goes through the rules behind it as it is then. */
  function diverted(at: PlacedRule, meaning: D): D {
    let result = meaning;
    for (const rewriting of rewritings(meaning))
      if (rewriting !== at.as) result = divert(result, rewriting, () => behind(at, rewriting));
    return result;
  }

  function* partsOf(chain: Chain, from: number, as: Rewriting): Iterable<Part<D>> {
    for (const placed of met(chain, from, as)) {
      for (const at of rewritesAny ? standing.of(placed, as) : [placed]) {
        const meaning = meaningOf(at);
        yield { at, meaning: rewritesAny ? diverted(at, meaning) : meaning };
      }
    }
  }

  /** The rules of the chain behind the first `from` ones, for calls that are rewritten so. */
  function rulesFrom(chain: Chain, from: number, as: Rewriting): D {
    const remembered = known.get(chain, as, from);
    if (remembered !== undefined) return remembered;
    if (from === 0 && open.has(chain)) throw new TypeError(`chain ${chain.name} calls itself`);
    const isFirst = !open.has(chain);
    open.add(chain);
    const meaning = join(chain, partsOf(chain, from, as));
    if (isFirst) open.delete(chain);
    if (!remembers) return meaning;
    if (known.count >= mostRewritings + chains.size)
      throw new LimitError('rewritings', mostRewritings, { span: { chain: chain.name } });
    return known.set(chain, as, from, meaning);
  }

  return (chain) => rulesFrom(chain, 0, UNCHANGED);
}
