/** Words of what a reader wants to see, held against the table in force. */
import { didYouMean, EXIT } from '@sockfilter/language';
import {
  BUILTIN_CHAINS,
  type Group,
  isBuiltinChain,
  knownGroups,
  readGroupId,
} from '@sockfilter/table';
import { CommandError } from '../failure.js';

/** Throws CommandError unless the chain is built in or the table has it. */
export function requireChainName(
  chain: string,
  { chains }: { readonly chains: readonly string[] },
): void {
  if (isBuiltinChain(chain) || chains.includes(chain)) return;
  const help = didYouMean(chain, [...BUILTIN_CHAINS, ...chains]);
  throw new CommandError(`no chain \`${chain}\``, EXIT.unfit, help);
}

/** The network_id of the group; throws CommandError where there is none. */
export function requireGroup(group: string, groups: readonly Group[]): number {
  const id = readGroupId(group, groups);
  if (id !== undefined) return id;
  throw new CommandError(`no group \`${group}\``, EXIT.unfit, knownGroups(groups));
}
