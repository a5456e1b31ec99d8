/**
 * Which counter goes on which when a table replaces another: a rule's follows its object, a policy's
 * the name of its chain.
 */
import { printRule } from '@sockfilter/iptables';
import { type Command, isEdit } from '@sockfilter/language';
import {
  type CounterOwner,
  counterOwners,
  elementAt,
  firstTests,
  placedTests,
  type Rule,
  sameRule,
  sameSetShape,
  type Table,
} from '@sockfilter/table';

/** Whether the policy of the chain starts anew. */
export type Zeroed = (chain: string) => boolean;

const NEVER: Zeroed = () => false;

export function followCounters(
  before: Table,
  after: Table,
  zeroed: Zeroed = NEVER,
): readonly (number | undefined)[] {
  const counters = new Map<Rule | string, number>();
  counterOwners(before).forEach(({ rule, chain }, at) => {
    counters.set(rule ?? chain.name, at);
  });
  return counterOwners(after).map(({ rule, chain }) => {
    if (!rule && zeroed(chain.name)) return undefined;
    return counters.get(rule ?? chain.name);
  });
}

/** The same for tables that were read apart: a rule's follows its text, the first the first. */
export function followTexts(before: Table, after: Table): readonly (number | undefined)[] {
  const key = ({ chain, rule }: CounterOwner) =>
    rule ? printRule(chain.name, rule) : `:${chain.name}`;
  const counters = new Map<string, number[]>();
  counterOwners(before).forEach((owner, at) => {
    const known = counters.get(key(owner));
    if (known) known.push(at);
    else counters.set(key(owner), [at]);
  });
  return counterOwners(after).map((owner) => counters.get(key(owner))?.shift());
}

/**
 * Which opaque test goes on which: those of a rule that stays follow it, else those of the first rule left
 * that says the same; so a restored table goes on where it was.
 */
export function followTests(before: Table, after: Table): readonly (number | undefined)[] {
  const old = placedTests(before);
  if (old.length === 0) return [];
  const firsts = [...firstTests(old)].flatMap(([, number]) => {
    const { rule, chain } = elementAt(old, number).owner;
    return rule ? [{ rule, chain: chain.name, number }] : [];
  });
  const byRule = new Map(firsts.map(({ rule, number }) => [rule, number]));
  const left = new Set(firsts.map(({ number }) => number));
  const tests = placedTests(after);
  const found = new Map<Rule, number>();
  const rules = [...new Map(tests.map(({ owner }) => [owner.rule, owner.chain.name]))];
  const take = (rule: Rule | undefined, number: number | undefined) => {
    if (!rule || number === undefined || !left.delete(number)) return;
    found.set(rule, number);
  };
  for (const [rule] of rules) take(rule, rule && byRule.get(rule));
  for (const [rule, chain] of rules) {
    if (!rule || found.has(rule)) continue;
    const same = firsts.filter((each) => left.has(each.number) && sameRule(each.rule, rule));
    take(rule, (same.find((each) => each.chain === chain) ?? same[0])?.number);
  }
  let previous: Rule | undefined;
  let at = 0;
  return tests.map(({ owner: { rule } }) => {
    at = rule === previous ? at + 1 : 0;
    previous = rule;
    const number = rule && found.get(rule);
    return number === undefined ? undefined : number + at;
  });
}

/** Which named set goes on which, with what it holds: one that has the same elements, whatever its name. */
export function followSets(before: Table, after: Table): readonly (number | undefined)[] {
  return after.sets.map((set) => {
    const at = before.sets.findIndex(
      (old) => old === set || (sameSetShape(old, set) && old.elements === set.elements),
    );
    return at < 0 ? undefined : at;
  });
}

/** The counters of a table after one command. */
export function originsAfter(
  command: Command,
  before: Table,
  after: Table,
): readonly (number | undefined)[] {
  if (!isEdit(command)) return followCounters(before, after);
  switch (command.kind) {
    case 'rename-chain':
      // Rules that jump to the chain are new objects, but each stands where it stood.
      return counterOwners(after).map((_, at) => at);
    case 'zero': {
      const { chain, number } = command;
      return followCounters(
        before,
        after,
        (name) => number === undefined && (chain === undefined || chain === name),
      );
    }
    default:
      return followCounters(before, after);
  }
}
