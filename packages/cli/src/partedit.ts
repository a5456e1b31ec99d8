/**
 * An edit of one rule, made in the text that is kept: of the other rules those are read that some call may match that
 * it matches, and no more.
 */
import { findKeptRule, nextLine, numberOfRule, placeOfRule, printRule } from '@sockfilter/iptables';
import type { EditCommand } from '@sockfilter/language';
import {
  BUILTIN_CHAINS,
  type BuiltinChain,
  type Chain,
  calledChain,
  isBuiltinChain,
  type Rule,
  requireValid,
  stepOf,
  type Table,
} from '@sockfilter/table';
import { counterSpan, numbersOf } from './keptcounters.js';
import { sampleOf } from './keptsample.js';
import { type KeptLine, linesNear, type Stretch } from './nearlines.js';
import type { KeptTable, PlannedPart } from './opentable.js';

/** Where a rule comes, goes, or takes the place of another. */
interface Place {
  readonly chain: string;
  /** Where the line of the rule that goes begins, or that of the one that comes is to. */
  readonly at: number;
  /** The number of that rule in its chain, from 0. */
  readonly index: number;
  readonly removes: boolean;
  readonly rule: Rule | undefined;
}

/** Undefined for an edit of another kind, and for one that the whole table must refuse. Throws TableError. */
function placeOf({ kept, head }: KeptTable, command: EditCommand): Place | undefined {
  if (!('chain' in command) || command.chain === undefined) return undefined;
  const { chain } = command;
  if (!head.chains.some(({ name }) => name === chain)) return undefined;
  const rules = kept.rulesOf(chain);
  const numbered = (number: number, last: number) => {
    const at = number > last ? undefined : placeOfRule(kept, chain, number);
    return at === undefined ? undefined : { chain, at, index: number - 1 };
  };
  const [rule, other] = 'rules' in command ? command.rules : [];
  switch (command.kind) {
    case 'append': {
      const place = { chain, at: kept.spanOf(chain).end, index: rules };
      return rule && !other ? { ...place, removes: false, rule } : undefined;
    }
    case 'insert': {
      const place = numbered(command.number, rules + 1);
      return !place || !rule || other ? undefined : { ...place, removes: false, rule };
    }
    case 'delete': {
      if (!rule || other) return undefined;
      const at = findKeptRule(kept, head, chain, rule);
      const index = numberOfRule(kept, chain, at) - 1;
      return { chain, at, index, removes: true, rule: undefined };
    }
    case 'delete-number': {
      const place = numbered(command.number, rules);
      return place && { ...place, removes: true, rule: undefined };
    }
    case 'replace': {
      const place = numbered(command.number, rules);
      return place && { ...place, removes: true, rule: command.rule };
    }
    default:
      return undefined;
  }
}

const CALL = / -[jg] /;
/** Ids are given to paths, and let go of, with the rules that name them. */
const PATH = ' --path ';

/** The lines of each chain that are to be read. */
type Near = ReadonlyMap<string, readonly KeptLine[]>;

/** Those that are near the others: of the chain's stretch, and of chains from which calls come to it and to which they go on. */
function nearLines(
  { kept, head }: KeptTable,
  chain: string,
  stretch: Stretch,
  others: readonly string[],
): Near {
  const near = new Map([[chain, linesNear(kept, stretch, others)]]);
  const look = (name: string) =>
    near.set(name, linesNear(kept, { ...kept.spanOf(name), index: 0 }, others));
  const users = head.chains.filter(({ policy }) => policy === undefined);
  const calls = (line: string) => CALL.test(line);
  const own = near.get(chain) ?? [];
  const goesOn =
    users.length > 0 &&
    (others.some(calls) || own.some(({ start, end }) => calls(kept.slice(start, end))));
  if (isBuiltinChain(chain)) {
    if (goesOn) for (const { name } of users) look(name);
  } else for (const { name } of head.chains) if (name !== chain) look(name);
  return near;
}

/**
 * What rules of a built-in chain say behind which its policy has calls that have met them, whatever comes then. It may stand in a
 * comment as well, and is found sooner without the blanks and letters before it that most rules have.
 */
const LEAVES = ['RETURN', '-g '];
/** Of what such a rule matches all is told that comes then. */
const TRACES = 'TRACE';

/** Whether what calls have met says whether they come to a place in the chain: they go down it from rule to rule. */
function goesDown({ kept: { find, spanOf } }: KeptTable, chain: string, line: string): boolean {
  const { start, end } = spanOf(chain);
  const leaves = (sign: string) => {
    const found = find(sign, start);
    return (found >= 0 && found < end) || line.includes(sign);
  };
  return (
    isBuiltinChain(chain) && !LEAVES.some(leaves) && find(TRACES, 0) < 0 && !line.includes(TRACES)
  );
}

/** Whether the rules of the lines leave all calls to those behind them. */
function leaveOn({ read }: KeptTable, lines: string): boolean {
  if (lines === '') return true;
  const rules = read(lines).chains.flatMap((chain) => chain.rules);
  return rules.every(({ target }) => stepOf(target).kind === 'next');
}

/** More lines than that, and more than half of all, are no less work than all. */
const MANY_LINES = 1000;

function isMost({ kept }: KeptTable, near: Near): boolean {
  const lines = [...near.values()].reduce((sum, { length }) => sum + length, 0);
  if (lines <= MANY_LINES) return false;
  const all = [...kept.spans()].reduce((sum, { name }) => sum + kept.rulesOf(name), 0);
  return 2 * lines > all;
}

/** The built-in chains whose calls may come to rules of the chain. */
function chainsTo(chain: string, { chains }: Table): readonly BuiltinChain[] {
  if (isBuiltinChain(chain)) return [chain];
  const calls = ({ name, rules }: Chain) =>
    isBuiltinChain(name) && rules.some(({ target }) => calledChain(target) !== undefined);
  const calling = new Set(chains.filter(calls).map(({ name }) => name));
  return BUILTIN_CHAINS.filter((name) => calling.has(name));
}

/**
 * What is to be committed for the edit; undefined where it takes the whole table to judge, or as much work. Throws
 * TableError.
 */
export function planRule(table: KeptTable, command: EditCommand): PlannedPart | undefined {
  const { kept, head } = table;
  const place = placeOf(table, command);
  if (!place) return undefined;
  const { chain, at, index, removes, rule } = place;
  const { bytes, slice } = kept;
  const next = removes ? nextLine(bytes, at) : at;
  const line = rule ? `${printRule(chain, rule)}\n` : '';
  const old = slice(at, next);
  if (old.includes(PATH) || line.includes(PATH)) return undefined;
  const { start, end } = kept.spanOf(chain);
  const isTail = goesDown(table, chain, line);
  const stays = isTail && leaveOn(table, old);
  const stretch = isTail ? { start: at, end: stays ? next : end, index } : { start, end, index: 0 };
  const others = [...(removes ? [old] : []), ...(rule ? [line] : [])];
  const near = nearLines(table, chain, stretch, others);
  if (isMost(table, near)) return undefined;

  const own = near.get(chain) ?? [];
  const position = own.filter((each) => each.index < index).length;
  const [removed, added] = [removes ? 1 : 0, rule ? 1 : 0];
  const lines = head.chains.flatMap(({ name }) => near.get(name) ?? []);
  const before = table.read(lines.map(({ start, end }) => slice(start, end)).join(''));
  const sample = () => sampleOf(table, { chain, at, next, rule });
  const gone =
    before.chains.find(({ name }) => name === chain)?.rules.slice(position, position + removed) ??
    [];
  const after: Table = {
    ...before,
    chains: before.chains.map((each) =>
      each.name === chain
        ? { ...each, rules: each.rules.toSpliced(position, removed, ...(rule ? [rule] : [])) }
        : each,
    ),
  };
  const edited = [...gone, ...(rule ? [rule] : [])];
  const isAlone =
    isBuiltinChain(chain) && edited.every(({ target }) => calledChain(target) === undefined);
  // Other rules have a say in what chains may call each other, and in what they may call.
  requireValid(isAlone || !rule ? after : sample());
  const indices = new Map(
    [...near].map(([name, each]) => [name, each.map((kept) => kept.index)] as const),
  );
  const { first, rules } = counterSpan(table, chain);
  indices.set(chain, [
    ...own.slice(0, position).map((each) => each.index),
    ...(rule ? [index] : []),
    ...own.slice(position + removed).map((each) => each.index - removed + added),
  ]);
  return {
    text: { at, removed: next - at, added: line },
    groups: head.groups,
    edit: {
      kind: 'rule',
      chains: chainsTo(chain, after),
      edited,
      table: after,
      removes,
      isAlone,
      tail: isTail ? { policy: first + rules + added - removed, stays } : undefined,
      sample,
      counters: numbersOf(table, chain, indices, added - removed),
      splice: { at: first + index, removed, added },
      packets: rule ? [rule.packets] : [],
    },
  };
}
