/** Canonical text of rules: what iptables-save prints, and what parses to the same rule again. */
import type { CounterOwner, Match, MatchOption, Rule } from '@sockfilter/table';
import { printPolicy } from './policyword.js';
import { optionSyntax, spellOption } from './syntax.js';
import { printTarget } from './target.js';
import { printValue } from './values.js';

/** `! --dport 80`. */
export function printOption(match: Match['name'], option: MatchOption): string {
  const value = printValue(option.value);
  const written = spellOption(optionSyntax(match, option.name));
  const spelled = option.negated ? `! ${written}` : written;
  return value === '' ? spelled : `${spelled} ${value}`;
}

/** With a blank before it. */
function printMatch(match: Match): string {
  let text = match.name === 'ip' ? '' : ` -m ${match.name}`;
  for (const option of match.options) text += ` ${printOption(match.name, option)}`;
  return text;
}

/**
 * `-A BIND -d 10.0.0.5/32 -j ACCEPT`. With `packets` the counter stands before the target, as in
 * `iptables -S -v`.
 */
export function printRule(chain: string, rule: Rule, packets?: bigint): string {
  let text = `-A ${chain}`;
  for (const match of rule.matches) text += printMatch(match);
  if (packets !== undefined) text += ` -c ${packets} 0`;
  const target = printTarget(rule.target);
  return target === '' ? text : `${text} ${target}`;
}

/** The rule, or the policy, as `-S` prints it. */
export function printOwner({ chain, rule }: CounterOwner): string {
  if (rule) return printRule(chain.name, rule);
  return `-P ${chain.name} ${printPolicy(chain.policy ?? 'ACCEPT')}`;
}
