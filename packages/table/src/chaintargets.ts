/** The targets of chains, each once: a file's rules share them, so that there are few. */
import { perObject } from './perobject.js';
import type { Chain, Rule, Table } from './table.js';
import type { Target } from './targets.js';

type Targets = ReadonlySet<Target | undefined>;

function distinctTargets(rules: readonly Rule[]): Targets {
  const found = new Set<Target | undefined>();
  let last: Target | undefined;
  for (let at = 0; at < rules.length; at++) {
    const target = rules[at]?.target;
    if (at > 0 && target === last) continue;
    found.add(target);
    last = target;
  }
  return found;
}

const targetsByChain = perObject(
  ({ chains }: Pick<Table, 'chains'>): ReadonlyMap<string, Targets> =>
    new Map(chains.map(({ name, rules }) => [name, distinctTargets(rules)])),
);

const NONE: Targets = new Set();

/** What rules of the chain do, as far as they are different objects; nothing of a chain that is not there. */
export function chainTargets(table: Pick<Table, 'chains'>, chain: Chain['name']): Targets {
  return targetsByChain(table).get(chain) ?? NONE;
}

/** Whether some rule of the table has a target of which that is so. */
export function hasTarget(
  table: Pick<Table, 'chains'>,
  isSo: (target: Target | undefined) => boolean,
): boolean {
  for (const targets of targetsByChain(table).values())
    for (const target of targets) if (isSo(target)) return true;
  return false;
}
