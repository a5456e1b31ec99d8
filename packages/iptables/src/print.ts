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

/** The rule without its chain; empty for a rule that matches everything and has no target. */
export function printRuleBody(rule: Rule): string {
  return [...rule.matches.map(printMatch), printTarget(rule.target)]
    .filter((text) => text !== '')
    .join(' ');
}

/** `-A BIND -d 10.0.0.5/32 -j ACCEPT`. */
export function printRule(chain: string, rule: Rule): string {
  const body = printRuleBody(rule);
  return `-A ${chain}${body === '' ? '' : ` ${body}`}`;
}
