import type { Chain, Rule, Table } from './table.js';
import type { Target } from './targets.js';

function enforcedTarget(target: Target | undefined): Target | undefined {
  if (!target || !('audited' in target)) return target;
  const { audited: _, ...others } = target;
  return others;
}

/** The table in which what is only audited refuses. */
export function enforced(table: Table): Table {
  const rule = (each: Rule): Rule => ({ ...each, target: enforcedTarget(each.target) });
  const chain = (each: Chain): Chain => ({
    ...each,
    policy: each.policy === 'AUDIT' ? 'DROP' : each.policy,
    rules: each.rules.map(rule),
  });
  return { ...table, chains: table.chains.map(chain) };
}
