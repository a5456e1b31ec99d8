/** Canonical text of rules: what iptables-save prints, and what parses to the same rule again. */
import type { Match, MatchOption, Rule } from '@sockfilter/table';
import { optionSyntax, spellOption } from './syntax.js';
import { printTarget } from './target.js';
import { printValue } from './values.js';

/** `! --dport 80`. */
export function printOption(match: Match['name'], option: MatchOption): string {
  const value = printValue(option.value);
  const spelled = spellOption(optionSyntax(match, option.name));
  return `${option.negated ? '! ' : ''}${spelled}${value === '' ? '' : ` ${value}`}`;
}

function printMatch(match: Match): string {
  const options = match.options.map((option) => printOption(match.name, option));
  return (match.name === 'ip' ? options : [`-m ${match.name}`, ...options]).join(' ');
}

/**
 * `-A BIND -d 10.0.0.5/32 -j ACCEPT`. With `packets` the counter stands before the target, as in
 * `iptables -S -v`.
 */
export function printRule(chain: string, rule: Rule, packets?: bigint): string {
  const parts = [
    `-A ${chain}`,
    ...rule.matches.map(printMatch),
    packets === undefined ? '' : `-c ${packets} 0`,
    printTarget(rule.target),
  ];
  return parts.filter((text) => text !== '').join(' ');
}
