/** What can be wrong with a rule that asks a set. */
import { type BuiltinChain, CHAINS, isBuiltinChain } from '../chains.js';
import type { MatchOption, Scope } from '../match.js';
import type { Rule } from '../table.js';
import { findSet } from './namedset.js';
import { hasAddresses, hasExceptions, partsOf } from './settype.js';

interface Misuse {
  readonly message: string;
  readonly help: string | undefined;
  /** There is no such set. */
  readonly isMissing?: boolean;
}

/**
 * Why the option asks a set for what it can't say, in calls of the chain; undefined if it does not. Without
 * `sets` it is not known which there are.
 */
export function setMisuse(
  { value }: MatchOption,
  sets: Scope['sets'] | undefined,
  chain: string,
): Misuse | undefined {
  if (value.kind !== 'setRef') return undefined;
  const absent = isBuiltinChain(chain) ? sideMisuse(value.sides, chain) : undefined;
  if (absent !== undefined) return { message: absent, help: undefined };
  if (!sets) return undefined;
  const set = findSet({ sets }, value.set);
  if (!set)
    return {
      isMissing: true,
      message: `Set ${value.set} doesn't exist.`,
      help: `create it first: \`sockfilter set create ${value.set} TYPE\`, in a file \`create ${value.set} TYPE\``,
    };
  const parts = partsOf(set.type).length;
  if (value.sides.length === parts) return undefined;
  return {
    message: `set \`${set.name}\` is of type ${set.type}: it takes ${parts === 1 ? 'one of src and dst' : `${parts} of src and dst, parted by commas`}`,
    help: undefined,
  };
}

function sideMisuse(sides: readonly string[], chain: BuiltinChain): string | undefined {
  const { noPeer } = CHAINS[chain];
  if (noPeer === undefined || !sides.includes('src')) return undefined;
  return `\`src\` is not available in ${chain}: ${noPeer}`;
}

/** The first thing that is wrong with the sets that a rule asks, and with the family that it is for. */
export function misusedSet(
  rule: Rule,
  scope: Pick<Scope, 'sets'>,
  chain: string,
): Misuse | undefined {
  for (const match of rule.matches)
    for (const option of match.options) {
      const misuse = setMisuse(option, scope.sets, chain) ?? misfittingSet(option, rule, scope);
      if (misuse) return misuse;
    }
  return undefined;
}

/** What of the rule does not go with the set that an option of it asks. */
function misfittingSet(
  { value }: MatchOption,
  { matches }: Rule,
  scope: Pick<Scope, 'sets'>,
): Misuse | undefined {
  if (value.kind !== 'setRef') return undefined;
  const set = findSet(scope, value.set);
  if (!set) return undefined;
  const options = matches.flatMap((match) => match.options);
  if (!hasExceptions(set.type) && options.some(({ name }) => name === 'return-nomatch'))
    return {
      message: `set \`${set.name}\` is of type ${set.type}: it has no elements with \`nomatch\``,
      help: undefined,
    };
  if (!hasAddresses(set.type)) return undefined;
  const other = options.find((each) => 'family' in each.value && each.value.family !== set.family);
  if (other)
    return {
      message: `set \`${set.name}\` has addresses of IPv${set.family}, and the rule is for the other family`,
      help: undefined,
    };
  return undefined;
}
