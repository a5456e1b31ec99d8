/**
 * Which counter goes on which when a table replaces another: a rule's follows its object, a policy's
 * the name of its chain.
 */
import { printRule } from '@sockfilter/iptables';
import { type Command, isEdit } from '@sockfilter/language';
import { type CounterOwner, counterOwners, type Rule, type Table } from '@sockfilter/table';

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
