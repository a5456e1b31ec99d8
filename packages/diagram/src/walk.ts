/**
 * The walk over the rules of a table, once. What a walk is made of differs: diagrams of all packets,
 * of what each rule's removal changes, of where packets leave; or one packet alone. What follows what
 * does not, and stands here. evaluate() shares nothing with it, so that a fault of it is seen.
 */
import {
  type Chain,
  type CounterOwner,
  type Errno,
  firstCounters,
  type Rule,
  type Step,
  stepOf,
  type Table,
} from '@sockfilter/table';

/** A rule where it stands. */
export interface PlacedRule extends CounterOwner {
  readonly rule: Rule;
  /** The index of its counter. */
  readonly counter: number;
  readonly step: Step;
}

/** Some rules and what they come to. */
export interface Part<D> {
  readonly at: PlacedRule;
  readonly meaning: D;
}

/** What rules mean in some domain `D`: packets that a rule does not match go on behind it. */
export interface Interpretation<D> {
  /** A rule that lets what it matches go on. */
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
}

/** Every rule of the table, by chain and in order. */
export function placeRules(table: Table): ReadonlyMap<Chain, readonly PlacedRule[]> {
  const first = firstCounters(table);
  return new Map(
    table.chains.map((chain) => {
      const base = first.get(chain) ?? missing(chain.name);
      const rules = chain.rules.map(
        (rule, at): PlacedRule => ({
          chain,
          rule,
          number: at + 1,
          counter: base + at,
          step: stepOf(rule.target),
        }),
      );
      return [chain, rules];
    }),
  );
}

/** True for a rule that may send packets out of its chain before the end. */
export function leavesEarly({ step }: Pick<PlacedRule, 'step'>): boolean {
  return step.kind === 'leave' || (step.kind === 'call' && !step.comesBack);
}

export interface WalkOptions {
  /** The rules to ask in a chain, in order. */
  readonly rulesOf: (chain: Chain) => Iterable<PlacedRule>;
  /** Whether a chain that is called twice is walked once. */
  readonly remembers: boolean;
}

/** The meaning of chains of the table; TypeError for a chain that is not there or calls itself. */
export function interpretation<D>(
  table: Table,
  { next, decide, leave, call, join }: Interpretation<D>,
  { rulesOf, remembers }: WalkOptions,
): (chain: Chain) => D {
  const chains = new Map(table.chains.map((chain) => [chain.name, chain]));
  const known = new Map<Chain, D>();
  const open = new Set<Chain>();

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
        const called = chains.get(step.chain) ?? missing(step.chain);
        return call(at, () => chainOf(called), step.comesBack);
      }
    }
  }

  function* partsOf(chain: Chain): Iterable<Part<D>> {
    for (const at of rulesOf(chain)) yield { at, meaning: meaningOf(at) };
  }

  function chainOf(chain: Chain): D {
    const remembered = known.get(chain);
    if (remembered !== undefined) return remembered;
    if (open.has(chain)) throw new TypeError(`chain ${chain.name} calls itself`);
    open.add(chain);
    const meaning = join(chain, partsOf(chain));
    open.delete(chain);
    if (remembers) known.set(chain, meaning);
    return meaning;
  }

  return chainOf;
}

function missing(chain: string): never {
  throw new TypeError(`no chain ${chain}`);
}
