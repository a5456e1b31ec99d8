import type { BuiltinChain } from '@sockfilter/table';
import type { RulesOf } from './placedrule.js';

/**
 * What a diagram records of a packet's walk. One that records all has a terminal for each path
 * through the rules: exact, and small while the rules that only count are disjoint; too large when
 * many overlap. Then one diagram records verdicts, and others some of the counters each.
 */
export interface Recording {
  /** Whether terminals tell the verdict, and the count of the rule or policy that gave it. */
  readonly verdicts: boolean;
  /** Whether terminals tell the count of the rule, one that does not decide, with this counter. */
  readonly counts: (counter: number) => boolean;
  /**
   * Whether it asks what a named set holds, as the kernel does, so that it stays as it is when the set
   * changes. Else what a set holds that no clock changes is in the diagram.
   */
  readonly asksSets: boolean;
  /** The built-in chains that it is about; all where it says none. */
  readonly chains?: ReadonlySet<BuiltinChain>;
  /**
   * Some of the rules, in a table that does not rewrite: the diagram of verdicts says nothing of packets that none of
   * them decides or sends to a policy. All, and the policies, if absent.
   */
  readonly rulesOf?: RulesOf;
}
