/** An equivalent table with fewer rules. Nothing is given out that was not proved equal. */
import {
  difference,
  isEmpty,
  LimitError,
  type Limits,
  type LoadedTable,
  Universe,
} from '@sockfilter/diagram';
import {
  type CounterOwner,
  deleteChain,
  type Rule,
  references,
  registerPaths,
  type Table,
} from '@sockfilter/table';

export interface Simplified {
  readonly table: Table;
  readonly removed: readonly CounterOwner[];
  /** User chains that nothing needs any more. */
  readonly chains: readonly string[];
  /** False where some rules were not tried, because that would have taken too long. */
  readonly isComplete: boolean;
}

/** Proofs of equality after which no further rule is tried. */
const MAX_PROOFS = 400;

function withoutRules(table: Table, gone: ReadonlySet<Rule>): Table {
  const chains = table.chains.map((chain) =>
    chain.rules.some((rule) => gone.has(rule))
      ? { ...chain, rules: chain.rules.filter((rule) => !gone.has(rule)) }
      : chain,
  );
  return { ...table, chains };
}

export function isSame(before: LoadedTable, after: LoadedTable): boolean {
  return Object.values(difference(before, after)).every(isEmpty);
}

function withoutIdleChains(table: Table): Table {
  const idle = table.chains.find(
    ({ policy, rules, name }) =>
      policy === undefined && rules.length === 0 && references(table, name) === 0,
  );
  return idle ? withoutIdleChains(deleteChain(table, idle.name)) : table;
}

/**
 * Removes the rules that no call meets, then, as many at a time as can go together, those without
 * which every call gets the same verdict, errno included. Rules without a target that calls meet are
 * counters and stay. The table must be valid. LimitError where it costs too much to find the first of them.
 *
 * @param limits what all proofs may cost together
 */
export function simplify(given: Table, limits: Partial<Limits> = {}): Simplified {
  const universe = new Universe(limits);
  /** Rules with paths mean what they will mean once their groups are made. */
  const load = (table: Table) => universe.load(registerPaths(table, 0));
  const original = load(given);
  const owners = original.owners;
  let table = given;
  let current = original;
  let proofs = 0;
  const gone = new Set<Rule>();

  /** Once rules are gone, a limit ends the search for more. */
  function tried<T>(work: () => T, otherwise: T): T {
    try {
      return work();
    } catch (error) {
      if (!(error instanceof LimitError) || gone.size === 0) throw error;
      proofs = MAX_PROOFS;
      return otherwise;
    }
  }

  /** Removes the rules if that is proved to change nothing. */
  function attempt(rules: readonly Rule[]): boolean {
    proofs++;
    const next = withoutRules(table, new Set(rules));
    const loaded = tried(() => {
      const candidate = load(next);
      return isSame(original, candidate) ? candidate : undefined;
    }, undefined);
    if (!loaded) return false;
    table = next;
    current = loaded;
    for (const rule of rules) gone.add(rule);
    return true;
  }

  /** Removes as many of the rules as it can, the earlier ones first. */
  function removeSome(rules: readonly Rule[]): void {
    if (rules.length === 0 || proofs >= MAX_PROOFS || attempt(rules) || rules.length === 1) return;
    const middle = rules.length >> 1;
    removeSome(rules.slice(0, middle));
    removeSome(rules.slice(middle));
  }

  const rulesOf = (counters: readonly number[]) =>
    counters.flatMap((counter) => current.owners[counter]?.rule ?? []);

  for (let before = -1; before !== gone.size && proofs < MAX_PROOFS; ) {
    before = gone.size;
    removeSome(rulesOf(tried(() => current.deadCounters(), [])));
    removeSome(rulesOf(tried(() => current.redundantCounters(), [])));
  }
  const tidy = withoutIdleChains(table);
  const kept = new Set(tidy.chains.map(({ name }) => name));
  return {
    table: tidy,
    removed: owners.filter(({ rule }) => rule && gone.has(rule)),
    chains: table.chains.map(({ name }) => name).filter((name) => !kept.has(name)),
    isComplete: proofs < MAX_PROOFS,
  };
}
