/**
 * An edit of a rule that names one group, made in the text that is kept: what calls of that group may match is read,
 * and nothing else.
 */
import {
  countLines,
  findKeptRule,
  type KeptLine,
  linesOfGroup,
  printRule,
  soleGroup,
} from '@sockfilter/iptables';
import type { EditCommand } from '@sockfilter/language';
import {
  type BuiltinChain,
  isBuiltinChain,
  type Rule,
  requireValid,
  type Table,
} from '@sockfilter/table';
import { counterSpan, numbersOf } from './keptcounters.js';
import type { KeptTable, PlannedPart } from './opentable.js';

/** Where a rule comes, goes, or takes the place of another. */
interface Place {
  readonly chain: BuiltinChain;
  /** Where the line of the rule that goes begins, or that of the one that comes is to. */
  readonly at: number;
  readonly removes: boolean;
  readonly rule: Rule | undefined;
}

/** Where the chain's rule with the number begins, or the place behind its last; undefined past that. */
function lineAt(text: string, start: number, end: number, number: number): number | undefined {
  let at = start;
  for (let n = 1; n < number; n++) {
    if (at >= end) return undefined;
    at = text.indexOf('\n', at) + 1;
  }
  return at;
}

/** Undefined for an edit of another kind, and for one that the whole table must refuse. Throws TableError. */
function placeOf({ kept, head }: KeptTable, command: EditCommand): Place | undefined {
  if (!('chain' in command) || command.chain === undefined || !isBuiltinChain(command.chain))
    return undefined;
  const { chain } = command;
  const { start, end } = kept.spanOf(chain);
  const numbered = (number: number, last: number) => {
    const at = number < 1 ? undefined : lineAt(kept.text, start, end, number);
    return at === undefined || at > last ? undefined : at;
  };
  const [rule, other] = 'rules' in command ? command.rules : [];
  switch (command.kind) {
    case 'append':
      return rule && !other ? { chain, at: end, removes: false, rule } : undefined;
    case 'insert': {
      const at = numbered(command.number, end);
      return at === undefined || !rule || other ? undefined : { chain, at, removes: false, rule };
    }
    case 'delete':
      if (!rule || other) return undefined;
      return { chain, at: findKeptRule(kept, head, chain, rule), removes: true, rule: undefined };
    case 'delete-number': {
      const at = numbered(command.number, end - 1);
      return at === undefined ? undefined : { chain, at, removes: true, rule: undefined };
    }
    case 'replace': {
      const at = numbered(command.number, end - 1);
      return at === undefined ? undefined : { chain, at, removes: true, rule: command.rule };
    }
    default:
      return undefined;
  }
}

/** The only group that the lines name, each alone. */
function onlyGroup(lines: readonly string[]): number | undefined {
  const groups = new Set(lines.map(soleGroup));
  const [group] = groups;
  return groups.size === 1 ? group : undefined;
}

const CALL = / -[jg] /;
const PATH = ' --path ';

/**
 * What is to be committed for the edit; undefined where it concerns more than one group's calls, or takes the whole
 * table to judge. Throws TableError.
 */
export function planRule(table: KeptTable, command: EditCommand): PlannedPart | undefined {
  const { kept, head } = table;
  const place = placeOf(table, command);
  if (!place) return undefined;
  const { chain, at, removes, rule } = place;
  const { text } = kept;
  const next = removes ? text.indexOf('\n', at) + 1 : at;
  const line = rule ? `${printRule(chain, rule)}\n` : '';
  const group = onlyGroup([...(removes ? [text.slice(at, next)] : []), ...(rule ? [line] : [])]);
  if (group === undefined || line.includes(PATH)) return undefined;

  const span = kept.spanOf(chain);
  const { lines, named } = linesOfGroup(text, span.start, span.end, group);
  const index = countLines(text, span.start, at);
  const own = lines.map(({ start, end }) => text.slice(start, end)).join('');
  const users = head.chains.filter(({ policy }) => policy === undefined);
  const withUsers = users.length > 0 && CALL.test(`${own}${line}`);
  const called = withUsers
    ? users.map(({ name }) => text.slice(kept.spanOf(name).start, kept.spanOf(name).end)).join('')
    : '';
  const before = table.read(`${own}${called}`);
  const near = lines.filter((each: KeptLine) => each.index < index).length;
  const [removed, added] = [removes ? 1 : 0, rule ? 1 : 0];
  const after: Table = {
    ...before,
    chains: before.chains.map((each) =>
      each.name === chain
        ? { ...each, rules: each.rules.toSpliced(near, removed, ...(rule ? [rule] : [])) }
        : each,
    ),
  };
  requireValid(after);
  const indices = [
    ...lines.slice(0, near).map((each) => each.index),
    ...(rule ? [index] : []),
    ...lines.slice(near + removed).map((each) => each.index - removed + added),
  ];
  return {
    text: { at, removed: next - at, added: line },
    groups: head.groups,
    edit: {
      kind: 'rule',
      chain,
      group,
      before,
      table: after,
      counters: numbersOf(table, chain, indices, withUsers, added - removed),
      splice: { at: counterSpan(table, chain).first + index, removed, added },
      packets: rule ? [rule.packets] : [],
      named: rule ? new Set(named).add(group) : named,
    },
  };
}
