/** What a chain cannot have is refused where it is typed. */
import type { Problem } from '@sockfilter/language';
import {
  BUILTIN_CHAINS,
  type BuiltinChain,
  boundOf,
  type Clause,
  contains,
  describeOption,
  FIELD_BITS,
  type Field,
  isBuiltinChain,
  type MatchName,
  type MatchOption,
  type Scope,
  setMisuse,
  type Target,
  unavailableIn,
  type ValueSet,
} from '@sockfilter/table';
import { printOption } from './print.js';
import type { RuleContext } from './values/syntax.js';

/** False only if no value of the region, of so many bits, is in the set. */
function meets(set: ValueSet, region: ValueSet, bits: number): boolean {
  if (region.kind === 'masked') return true;
  return region.ranges.some(([from, to]) => {
    if (from === to) return contains(set, from);
    if (set.kind === 'ranges')
      return set.ranges.some((range) => range[0] <= to && from <= range[1]);
    if (from <= set.value && set.value <= to) return true;
    const free = ~set.mask & (2n ** BigInt(bits) - 1n);
    return set.value <= to && from <= (set.value | free);
  });
}

/** The field that the clause, one of an option's, wants to have a value that the chain never has. */
function escapes(
  clause: Clause,
  chain: BuiltinChain,
  clauses: readonly Clause[],
): Field | undefined {
  const [test, other] = clause;
  if (!test || other || test.negated) return undefined;
  const bound = boundOf(chain, test.field);
  if (!bound) return undefined;
  const isIpv6 = !clauses.some(
    ([at]) => at?.field === 'family' && !at.negated && !contains(at.set, 6n),
  );
  const bits = isIpv6 ? FIELD_BITS[test.field] : Math.min(FIELD_BITS[test.field], 32);
  return meets(test.set, bound.set, bits) ? undefined : test.field;
}

/**
 * Why no packet of the chain can match the option, or undefined.
 * In a user chain only what no built-in chain has is wrong.
 */
export function misfit(
  chain: string,
  match: MatchName,
  option: MatchOption,
  { groups, sets }: Pick<RuleContext, 'groups' | 'sets'>,
): Problem | undefined {
  const holder = { name: match, options: [option] };
  const scope: Scope = { groups, sets: sets ?? [] };
  const misuse = setMisuse(option, sets, chain);
  if (misuse) return { code: misuse.isMissing ? 'unknown-name' : 'bad-value', ...misuse };
  const clauses = describeOption(holder, option.name).clauses(option, scope);
  if (!isBuiltinChain(chain)) {
    const nowhere = clauses.some((clause) =>
      BUILTIN_CHAINS.every((each) => escapes(clause, each, clauses) !== undefined),
    );
    if (!nowhere) return undefined;
    return {
      code: 'not-in-chain',
      message: `\`${printOption(match, option)}\` can't match in any chain: no socket call has it`,
    };
  }
  const message = unavailableIn({ matches: [holder], target: undefined, packets: 0n }, chain);
  if (message !== undefined) return { code: 'not-in-chain', message };
  for (const clause of clauses) {
    const field = escapes(clause, chain, clauses);
    if (field === undefined) continue;
    const reason = boundOf(chain, field)?.reason;
    const message = `\`${printOption(match, option)}\` can't match in ${chain}: ${reason}`;
    return { code: 'not-in-chain', message };
  }
  return undefined;
}

/** Why the chain can't have the target, or undefined. */
export function targetMisfit(chain: string, target: Target | undefined): Problem | undefined {
  if (!isBuiltinChain(chain)) return undefined;
  const message = unavailableIn({ matches: [], target, packets: 0n }, chain);
  return message === undefined ? undefined : { code: 'not-in-chain', message };
}
