/** Edits that leave all rules as they are, made in the text that is kept: of groups, chains, policies and counters. */
import { headLines, namesPath } from '@sockfilter/iptables';
import { applyEdit } from '@sockfilter/language';
import {
  type BuiltinChain,
  findChain,
  isBuiltinChain,
  policyErrno,
  requireChain,
  requireValid,
  type Table,
} from '@sockfilter/table';
import { counterSpan, counterSpans } from './keptcounters.js';
import { sampleOf } from './keptsample.js';
import type { KeptEdit, KeptTable, PlannedPart } from './opentable.js';

type Change = Pick<PlannedPart, 'edit'> & {
  /** The table without its rules. */
  readonly head: Table;
};

/** The counters of a chain's rule, of a chain, or all; undefined where there is no such rule. */
function zeroing(
  table: KeptTable,
  chain: string | undefined,
  number: number | undefined,
): PlannedPart['edit'] {
  if (chain === undefined) {
    const count = [...counterSpans(table)].at(-1)?.end ?? 0;
    return { kind: 'zero', at: 0, count };
  }
  const { first, rules, end } = counterSpan(table, chain);
  if (number === undefined) return { kind: 'zero', at: first, count: end - first };
  if (number < 1 || number > rules) return undefined;
  return { kind: 'zero', at: first + number - 1, count: 1 };
}

function policyEdit(table: KeptTable, after: Table, chain: BuiltinChain): PlannedPart['edit'] {
  const policy = (of: Table) => findChain(of, chain)?.policy;
  const [old, next] = [policy(table.head), policy(after)];
  if (old === 'AUDIT' || next === 'AUDIT' || next === undefined) return undefined;
  const sample = sampleOf(table);
  const chains = sample.chains.map((each) =>
    each.name === chain ? { ...each, policy: next } : each,
  );
  return {
    kind: 'policy',
    chain,
    counter: counterSpan(table, chain).end - 1,
    errno: policyErrno(next),
    table: { ...sample, chains },
  };
}

/** Whether some rule may call the chain. */
const mayBeCalled = ({ kept: { find, body } }: KeptTable, chain: string) =>
  find(` -j ${chain}`, body) >= 0 || find(` -g ${chain}`, body) >= 0;

/** Undefined for an edit of another kind, and for one that the whole table must refuse. Throws TableError. */
function changeOf(table: KeptTable, edit: KeptEdit): Change | undefined {
  const { kept, head } = table;
  switch (edit.kind) {
    case 'groups':
      // An id comes or goes with the path in rules that name it.
      return namesPath(kept)
        ? undefined
        : { head: { ...head, groups: edit.groups }, edit: undefined };
    case 'new-chain':
      return { head: applyEdit(head, edit), edit: undefined };
    case 'delete-chain': {
      const { chain } = edit;
      if (chain === undefined) return undefined;
      requireChain(head, chain);
      const { start, end } = kept.spanOf(chain);
      if (start < end || mayBeCalled(table, chain)) return undefined;
      return { head: applyEdit(head, edit), edit: undefined };
    }
    case 'zero': {
      if (edit.chain !== undefined) requireChain(head, edit.chain);
      const change = zeroing(table, edit.chain, edit.number);
      return change && { head, edit: change };
    }
    case 'policy': {
      const after = applyEdit(head, edit);
      const change = isBuiltinChain(edit.chain) ? policyEdit(table, after, edit.chain) : undefined;
      return change && { head: after, edit: change };
    }
    default:
      return undefined;
  }
}

/** What is to be committed for the edit; undefined where it takes the whole table. Throws TableError. */
export function planHead(table: KeptTable, edit: KeptEdit): PlannedPart | undefined {
  const change = changeOf(table, edit);
  if (!change) return undefined;
  const head = requireValid(change.head);
  const text = head === table.head ? [] : [headLines(table.kept, head)];
  const groups = head.groups === table.head.groups ? undefined : head.groups;
  return { text, groups, edit: change.edit };
}
