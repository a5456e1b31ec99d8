/** User chains that no call reaches, and built-in chains that refuse nothing. */
import { intersect, isEmpty, witness } from '@sockfilter/diagram';
import { BUILTIN_CHAINS, builtinChain } from '@sockfilter/table';
import { type Check, chainSet } from '../context.js';
import { ownerNote } from '../rulefile.js';

const MAX_NAMED = 8;

export const findUnusedChains: Check = function* (context) {
  const { file, table } = context;
  for (const chain of table.chains) {
    if (context.isReached(chain)) continue;
    const callers = context.callersOf(chain);
    const notes = callers.slice(0, MAX_NAMED).flatMap((rule) => {
      const owner = context.ownerOf(rule);
      return owner ? [ownerNote(file, owner, '', ' is never met')] : [];
    });
    yield context.find('SF005', {
      place: file.placeOf(chain),
      message:
        callers.length === 0
          ? `nothing jumps to chain \`${chain.name}\``
          : `no call reaches chain \`${chain.name}\``,
      notes,
      fix:
        callers.length === 0
          ? `jump to it with \`-j ${chain.name}\`, or remove it`
          : 'see why no call meets the rules that jump to it',
    });
  }
};

export const findOpenChains: Check = function* (context) {
  const { file, table, universe } = context;
  for (const name of BUILTIN_CHAINS) {
    const set = chainSet(universe, name);
    if (!isEmpty(intersect(context.refused, set))) continue;
    yield context.find('SF013', {
      place: file.placeOf(builtinChain(table, name)),
      message: `\`${name}\` refuses nothing`,
      packet: witness(set),
      fix: `add rules that refuse, or set the policy: \`-P ${name} DROP\``,
    });
  }
};
