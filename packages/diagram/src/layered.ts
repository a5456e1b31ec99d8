/** Tables of which some chains are too much for one diagram. */
import { BUILTIN_CHAINS, type BuiltinChain, type Table } from '@sockfilter/table';
import { gather } from './built.js';
import type { Diagram } from './diagram.js';
import { layerChain } from './layers.js';
import type { Limits } from './limit.js';
import { PreparedConditions } from './preparedcondition.js';
import { buildRecorded, chainsFrom, entangledChains, tryBuild, withinLimits } from './recorded.js';
import { rewrites } from './walk.js';

/** Whether what becomes of packets of the chain is said by conditions alone, none of which a rule before changes. */
function canHaveLayers(table: Table, name: BuiltinChain): boolean {
  const reached = chainsFrom(table, name);
  const entangled = entangledChains(table);
  const chains = table.chains.filter((chain) => reached.has(chain.name));
  return !rewrites({ chains }) && !chains.some((chain) => entangled.has(chain.name));
}

/**
 * The diagrams of the table with those chains in layers that cost too much as one; undefined where that is none, or
 * can't be.
 */
export function buildLayered(table: Table, limits: Limits, single: Limits): Diagram | undefined {
  const prepared = new PreparedConditions();
  const isTooMuch = (name: BuiltinChain) => {
    const alone = { verdicts: true, counts: () => false, asksSets: true, chains: new Set([name]) };
    return tryBuild(table, alone, single, prepared) === undefined;
  };
  const crossing = BUILTIN_CHAINS.filter(isTooMuch);
  if (crossing.length === 0 || !crossing.every((name) => canHaveLayers(table, name)))
    return undefined;
  const others = new Set(BUILTIN_CHAINS.filter((name) => !crossing.includes(name)));
  return withinLimits(() => {
    const layered = crossing.map((name) => layerChain(table, name, { limits, single, prepared }));
    return gather(
      buildRecorded(table, { asksSets: true, chains: others }, limits),
      limits,
      layered,
    );
  });
}
