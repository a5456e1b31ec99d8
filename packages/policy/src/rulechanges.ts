/** Which rules differ between two files, whatever that means for calls: a line for each chain. */
import { type Chain, policyTarget, type Rule, sameRule, targetText } from '@sockfilter/table';
import type { RuleFile } from './rulefile.js';

/** Places that are named of what came or went in a chain, and chains that have a line. */
const MAX_PLACES = 4;
const MAX_CHAINS = 8;

/** The same for rules that ask and do the same. */
function keyOf({ matches, target }: Rule): string {
  const plain = (_: string, value: unknown) => (typeof value === 'bigint' ? `${value}` : value);
  return JSON.stringify([matches, target], plain);
}

interface KeyedRule {
  readonly rule: Rule;
  readonly key: string;
}

/** The rules of `these` that `those` do not have as often. */
function without(these: readonly KeyedRule[], those: readonly KeyedRule[]): readonly Rule[] {
  const left = new Map<string, number>();
  for (const { key } of those) left.set(key, (left.get(key) ?? 0) + 1);
  return these.flatMap(({ rule, key }) => {
    const count = left.get(key) ?? 0;
    if (count === 0) return [rule];
    left.set(key, count - 1);
    return [];
  });
}

/** The rules of both without those that are the same from the first on, and up to the last. */
function unlike(
  before: readonly Rule[],
  after: readonly Rule[],
): readonly [before: readonly Rule[], after: readonly Rule[]] {
  const same = (a: Rule | undefined, b: Rule | undefined) => a && b && sameRule(a, b);
  let from = 0;
  while (same(before[from], after[from])) from++;
  let [end, other] = [before.length, after.length];
  while (Math.min(end, other) > from && same(before[end - 1], after[other - 1])) {
    end--;
    other--;
  }
  return [before.slice(from, end), after.slice(from, other)];
}

const policyText = (chain: Chain | undefined) =>
  chain?.policy && targetText(policyTarget(chain.policy));

interface ChainChange {
  readonly name: string;
  readonly gone: readonly Rule[];
  readonly added: readonly Rule[];
  /** True where the same rules stand in another order. */
  readonly isReordered: boolean;
  readonly policies: readonly [before: string | undefined, after: string | undefined];
}

function compareChains(name: string, before: Chain | undefined, after: Chain | undefined) {
  const keyed = (rules: readonly Rule[]) =>
    rules.map((rule): KeyedRule => ({ rule, key: keyOf(rule) }));
  const [first, second] = unlike(before?.rules ?? [], after?.rules ?? []);
  const [old, now] = [keyed(first), keyed(second)];
  const [gone, added] = [without(old, now), without(now, old)];
  const isReordered =
    gone.length + added.length === 0 && old.some(({ key }, at) => key !== now[at]?.key);
  const change: ChainChange = {
    name,
    gone,
    added,
    isReordered,
    policies: [policyText(before), policyText(after)],
  };
  return change;
}

function places(file: RuleFile, rules: readonly Rule[]): string {
  const lines = rules.slice(0, MAX_PLACES).map((rule) => file.placeOf(rule).line);
  const more = rules.length - lines.length;
  return `${file.name}:${lines.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

const rulesText = (count: number) => (count === 1 ? '1 rule' : `${count} rules`);

function describe(before: RuleFile, after: RuleFile, change: ChainChange): string | undefined {
  const { name, gone, added, isReordered } = change;
  const [old, now] = change.policies;
  const parts: string[] = [];
  if (old !== now && old !== undefined && now !== undefined)
    parts.push(`the policy was ${old} and is ${now}`);
  if (gone.length === 1 && added.length === 1)
    parts.push(`1 rule changed (${places(before, gone)}, now ${places(after, added)})`);
  else {
    if (gone.length > 0) parts.push(`${rulesText(gone.length)} removed (${places(before, gone)})`);
    if (added.length > 0) parts.push(`${rulesText(added.length)} added (${places(after, added)})`);
  }
  if (isReordered) parts.push('the rules are in another order');
  return parts.length === 0 ? undefined : `${name}: ${parts.join('; ')}`;
}

/** What came, went or changed, by chain. */
export function describeRuleChanges(before: RuleFile, after: RuleFile): readonly string[] {
  const chains = ({ table }: RuleFile) => new Map(table.chains.map((each) => [each.name, each]));
  const [old, now] = [chains(before), chains(after)];
  const lines = [...new Set([...old.keys(), ...now.keys()])].flatMap((name) => {
    const line = describe(before, after, compareChains(name, old.get(name), now.get(name)));
    return line === undefined ? [] : [line];
  });
  const more = lines.length - MAX_CHAINS;
  return more > 0 ? [...lines.slice(0, MAX_CHAINS), `${more} more chains differ`] : lines;
}
