/** What a chain cannot have is refused where it is typed. */
import type { Problem } from '@sockfilter/language';
import {
  BUILTIN_CHAINS,
  type BuiltinChain,
  boundOf,
  type Clause,
  contains,
  describeOption,
  FAMILIES,
  type Family,
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

/** The field that the clause wants to have a value that no call of the chain and family has. */
function escapes(clause: Clause, chain: BuiltinChain, family: Family): Field | undefined {
  let escaped: Field | undefined;
  for (const { field, set, negated } of clause) {
    if (field === 'family') {
      if (contains(set, BigInt(family)) !== negated) return undefined;
      escaped ??= field;
      continue;
    }
    const bound = negated ? undefined : boundOf(chain, field);
    const bits = family === 6 ? FIELD_BITS[field] : Math.min(FIELD_BITS[field], 32);
    if (!bound || meets(set, bound.set, bits)) return undefined;
    escaped = field;
  }
  return escaped;
}

/** The field that keeps every call of the chain and family from meeting the clauses; the family if there is no other. */
function impossibleIn(
  clauses: readonly Clause[],
  chain: BuiltinChain,
  family: Family,
): Field | undefined {
  let found: Field | undefined;
  for (const clause of clauses)
    if (found === undefined || found === 'family') found = escapes(clause, chain, family) ?? found;
  return found;
}

/** The field that keeps every call of the chain from meeting the clauses, which are those of an option. */
function impossibleField(clauses: readonly Clause[], chain: BuiltinChain): Field | undefined {
  let found: Field | undefined;
  for (const family of FAMILIES) {
    const field = impossibleIn(clauses, chain, family);
    if (field === undefined) return undefined;
    if (found === undefined && field !== 'family') found = field;
  }
  return found;
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
    const nowhere = BUILTIN_CHAINS.every((each) => impossibleField(clauses, each) !== undefined);
    if (!nowhere) return undefined;
    return {
      code: 'not-in-chain',
      message: `\`${printOption(match, option)}\` can't match in any chain: no socket call has it`,
    };
  }
  const message = unavailableIn({ matches: [holder], target: undefined, packets: 0n }, chain);
  if (message !== undefined) return { code: 'not-in-chain', message };
  const field = impossibleField(clauses, chain);
  if (field === undefined) return undefined;
  const reason = boundOf(chain, field)?.reason;
  return {
    code: 'not-in-chain',
    message: `\`${printOption(match, option)}\` can't match in ${chain}: ${reason}`,
  };
}

/** Why the chain can't have the target, or undefined. */
export function targetMisfit(chain: string, target: Target | undefined): Problem | undefined {
  if (!isBuiltinChain(chain)) return undefined;
  const message = unavailableIn({ matches: [], target, packets: 0n }, chain);
  return message === undefined ? undefined : { code: 'not-in-chain', message };
}
