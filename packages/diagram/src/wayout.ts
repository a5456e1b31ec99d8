/** What can be done about rules that are too much: it looks at them, so that what it says of them is so. */
import { type Chain, type Clause, type Field, ruleCondition, type Table } from '@sockfilter/table';
import { LimitError, MEET_FEWER, type RuleSpan } from './limit.js';

const asks = (condition: readonly Clause[], field: Field) =>
  condition.some((clause) => clause.some((test) => test.field === field));

/** Whether the condition holds in one group alone: what names another is never laid over it. */
function namesGroup(condition: readonly Clause[]): boolean {
  return condition.some(([test, more]) => {
    if (!test || more || test.field !== 'group' || test.negated) return false;
    const { set } = test;
    return set.kind === 'ranges' && set.ranges.every(([from, to]) => from === to);
  });
}

function wayOut(table: Table, { chain, rules: [from, to] = [1, Infinity] }: RuleSpan): string {
  const found = table.chains.find(({ name }) => name === chain);
  const conditions = (found?.rules ?? [])
    .slice(from - 1, to)
    .map((rule) => ruleCondition(rule, table));
  const without = (field: Field) => conditions.filter((each) => !asks(each, field)).length;
  const [sources, destinations] = [without('source'), without('destination')];
  const areMixed = sources > 0 && destinations > 0;
  const said = areMixed
    ? `of these ${conditions.length} rules ${sources} leave the source open and ${destinations} the destination, so that they cross: `
    : '';
  const isApart = conditions.every(namesGroup);
  const advice = areMixed ? 'name both ends' : 'let fewer of them overlap';
  return isApart
    ? `${said}${advice}`
    : `${said}${advice}, or one group in each with \`-m cgroup --id\``;
}

function longest(chains: readonly Chain[]): RuleSpan {
  const { name, rules } = chains.reduce((a, b) => (b.rules.length > a.rules.length ? b : a));
  return { chain: name, rules: [Math.min(1, rules.length), rules.length] };
}

/** Adds to a limit that the table reaches the rules that are its cause, if that is not known, and what can be done. */
export function explainLimit<T>(table: Table, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof LimitError) || error.help !== undefined) throw error;
    const span = error.span ?? longest(table.chains);
    const help = error.limit === 'asked' ? MEET_FEWER : wayOut(table, span);
    throw new LimitError(error.limit, error.figure, { span, help });
  }
}
