/**
 * The family of a rule. One table holds both, so an address restricts its rule to its family, and so
 * does an address of length 0: `-s 0.0.0.0/0` is every IPv4 packet. The canonical form of that is
 * `-4`, which is left out where another address of the rule says it anyway; thus rules that mean the
 * same family are written the same.
 */
import { bad, good, type Parsed } from '@sockfilter/language';
import type { Family, Match, MatchOption } from '@sockfilter/table';
import { familyOf } from './values/address.js';

const FAMILY_OPTION: Readonly<Record<Family, string>> = { 4: 'ipv4', 6: 'ipv6' };

function isFamilyOption({ name }: MatchOption): boolean {
  return name === FAMILY_OPTION[4] || name === FAMILY_OPTION[6];
}

/** Restricts to a family and nothing else. */
function isWholeFamily({ value, negated }: MatchOption): boolean {
  return value.kind === 'network' && value.mask === 0n && !negated;
}

/**
 * The options of `ip` with the family in its canonical form; a fault if the rule mixes families. The target may be
 * for one alone.
 */
export function settleFamily(
  ip: readonly MatchOption[],
  others: readonly Match[],
  ofTarget: Family | undefined,
): Parsed<readonly MatchOption[]> {
  const explicit = ip.find(isFamilyOption);
  let family: Family | undefined = explicit && (explicit.name === FAMILY_OPTION[4] ? 4 : 6);
  let mixed = false;
  let implied = false;
  const noteFamily = (of: Family | undefined, whole: boolean) => {
    if (of === undefined) return;
    family ??= of;
    if (family !== of) mixed = true;
    if (!whole) implied = true;
  };
  const note = (option: MatchOption, whole: boolean) => noteFamily(familyOf(option.value), whole);
  for (const option of ip) note(option, isWholeFamily(option));
  for (const { options } of others) for (const option of options) note(option, false);
  noteFamily(ofTarget, false);
  if (family === undefined) return good(ip);
  if (mixed) {
    const help = 'write one rule for each family';
    return bad('mixed-families', 'the rule mixes IPv4 and IPv6, so it can never match', { help });
  }
  const rest = ip.filter((option) => !isFamilyOption(option) && !isWholeFamily(option));
  if (implied) return good(rest);
  const option: MatchOption = {
    name: FAMILY_OPTION[family],
    negated: false,
    value: { kind: 'none' },
  };
  return good([option, ...rest]);
}
