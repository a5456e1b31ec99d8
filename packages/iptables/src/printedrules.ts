/** Rules as they are printed, from lines of a file that say them so already. */
import type { DocumentLine } from '@sockfilter/language';
import type { Rule } from '@sockfilter/table';
import { printRule } from './print.js';

type RuleLine = Extract<DocumentLine, { kind: 'rules' }>;

/** Whether the two are printed alike: counters may differ. */
const saysTheSame = (one: Rule, other: Rule) =>
  one.matches === other.matches && one.target === other.target;

/**
 * A printer for each chain, to be asked for all its rules in their order: what the lines say in that order is taken over, and other rules
 * are printed.
 */
export function printedRules(
  lines: readonly DocumentLine[],
): (chain: string) => (rule: Rule) => string {
  const byChain = new Map<string, RuleLine[]>();
  for (const line of lines) {
    if (line.kind !== 'rules') continue;
    const known = byChain.get(line.chain);
    if (known) known.push(line);
    else byChain.set(line.chain, [line]);
  }
  return (chain) => {
    const own = byChain.get(chain) ?? [];
    let at = 0;
    return (rule) => {
      const [said] = own[at]?.rules ?? [];
      if (!said || !saysTheSame(said, rule)) return printRule(chain, rule);
      return own[at++]?.printed ?? printRule(chain, rule);
    };
  };
}
