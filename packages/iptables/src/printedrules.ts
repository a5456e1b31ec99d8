/** Rules as they are printed, from lines of a file that say them so already. */
import type { RuleLines } from '@sockfilter/language';
import { formedRule, type Rule } from '@sockfilter/table';
import { printRule } from './print.js';

/** Whether the rule is the one that the line says, but for its counter: a copy of it, which is no rule of a form. */
const isOf = (said: Rule, rule: Rule) =>
  said === rule ||
  (!formedRule(rule) && said.matches === rule.matches && said.target === rule.target);

/** The numbers of the lines with rules, by chain. */
function linesByChain(lines: RuleLines): ReadonlyMap<string, readonly number[]> {
  const found = new Map<string, number[]>();
  for (let at = 0; at < lines.length; at++) {
    const chain = lines.chainAt(at);
    if (chain === undefined) continue;
    const known = found.get(chain);
    if (known) known.push(at);
    else found.set(chain, [at]);
  }
  return found;
}

/**
 * A printer for each chain, to be asked for all its rules in their order: what the lines say in that order is taken over, and other rules
 * are printed.
 */
export function printedRules(
  lines: RuleLines | undefined,
): (chain: string) => (rule: Rule) => string {
  if (!lines) return (chain) => (rule) => printRule(chain, rule);
  const byChain = linesByChain(lines);
  return (chain) => {
    const own = byChain.get(chain) ?? [];
    let at = 0;
    return (rule) => {
      const line = own[at];
      const said = line === undefined ? undefined : lines.rulesAt(line)[0];
      if (line === undefined || !said || !isOf(said, rule)) return printRule(chain, rule);
      at++;
      return lines.printedAt(line) ?? printRule(chain, rule);
    };
  };
}
