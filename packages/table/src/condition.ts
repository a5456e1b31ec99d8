import type { Clause } from './clause.js';
import type { MatchDescriptor, OptionDescriptor, Scope } from './match.js';
import { MATCHES } from './matches.js';
import type { Match, Rule } from './table.js';
import { targetCondition } from './targets.js';

/** The descriptor of an option that the match has; throws for a match that no parser makes. */
export function describeOption(match: Match, name: string): OptionDescriptor {
  const { options }: MatchDescriptor = MATCHES[match.name];
  const descriptor = options[name];
  if (!descriptor) throw new TypeError(`match ${match.name} has no option ${name}`);
  return descriptor;
}

/** When a rule matches: all of these clauses must hold. */
export function ruleCondition(rule: Rule, scope: Scope): readonly Clause[] {
  const clauses: Clause[] = [];
  for (const match of rule.matches)
    for (const option of match.options)
      for (const clause of describeOption(match, option.name).clauses(option, scope))
        clauses.push(clause);
  clauses.push(...targetCondition(rule.target));
  return clauses;
}
