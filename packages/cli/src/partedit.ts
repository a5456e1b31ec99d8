/**
 * Edits of rules, made in the text that is kept: of the other rules those are read that some call may match that
 * one of these matches, and no more.
 */
import { type EditCommand, ruleSplice } from '@sockfilter/language';
import {
  BUILTIN_CHAINS,
  type BuiltinChain,
  type Chain,
  calledChain,
  elementAt,
  findChain,
  isBuiltinChain,
  type Rule,
  requireValid,
  stepOf,
  type Table,
} from '@sockfilter/table';
import { counterSpan, counterSpans, countRules, numbersOf } from './keptcounters.js';
import { type EditedChain, KeptDrafts, type LineChange } from './keptdraft.js';
import { sampleOf } from './keptsample.js';
import { type KeptLine, linesNear, type Stretch } from './nearlines.js';
import type { KeptTable, PlannedPart } from './opentable.js';

/** What the command makes of its chain; undefined for one of another kind, and where the whole table must refuse it. Throws TableError. */
function chainsAfter(table: KeptTable, command: EditCommand): readonly EditedChain[] | undefined {
  if (!('chain' in command) || command.chain === undefined) return undefined;
  const { head } = table;
  const rules =
    command.kind === 'replace' ? [command.rule] : 'rules' in command ? command.rules : [];
  const names = [command.chain, ...rules.flatMap(({ target }) => calledChain(target) ?? [])];
  if (!names.every((name) => findChain(head, name))) return undefined;
  const drafts = new KeptDrafts(table);
  if (command.kind === 'append') drafts.of(command.chain).append(command.rules);
  else {
    const splice = ruleSplice(head, command, drafts.of);
    if (!splice) return undefined;
    drafts.of(splice.chain).splice(splice);
  }
  return drafts.edited;
}

const CALL = / -[jg] /;
/** Ids are given to paths, and let go of, with the rules that name them. */
const PATH = ' --path ';

/**
 * What rules of a built-in chain say behind which its policy has calls that have met them, whatever comes then. It may stand in a
 * comment as well, and is found sooner without the letters before it that most rules have: of RETURN the last three.
 */
const LEAVES = 'URN';
/** The same of a chain of the user's. */
const GOES = '-g ';
/** Of what such a rule matches all is told that comes then. */
const TRACES = 'TRACE';

/** Whether what calls have met says whether they come to a place in the chain: they go down it from rule to rule. */
function goesDown(
  { kept: { find, spanOf }, head }: KeptTable,
  { name, changes }: EditedChain,
): boolean {
  const { start, end } = spanOf(name);
  const isAnyUser = head.chains.some(({ policy }) => policy === undefined);
  const says = (sign: string) =>
    changes.some(({ added }) => added.some(({ line }) => line.includes(sign)));
  const leaves = (sign: string) => {
    const found = find(sign, start);
    return (found >= 0 && found < end) || says(sign);
  };
  return (
    isBuiltinChain(name) &&
    !leaves(LEAVES) &&
    !(isAnyUser ? leaves(GOES) : says(GOES)) &&
    find(TRACES, 0) < 0 &&
    !says(TRACES)
  );
}

/** A chain that becomes another, and how it is to be looked at. */
interface PlannedChain extends EditedChain {
  /** The rules that go, for each change. */
  readonly gone: readonly (readonly Rule[])[];
  /** What calls have met says how far they come in it. */
  readonly isTail: boolean;
}

function plannedChains(table: KeptTable, edited: readonly EditedChain[]): readonly PlannedChain[] {
  const lines = edited.flatMap(({ changes }) => changes.flatMap(({ gone }) => gone));
  const all = lines.length === 0 ? table.head : table.read(lines.join(''));
  const isBuiltin = edited.every(({ name }) => isBuiltinChain(name));
  return edited.map((each) => {
    const rules = findChain(all, each.name)?.rules ?? [];
    let at = 0;
    const gone = each.changes.map((change) => {
      const first = at;
      at += change.gone.length;
      return rules.slice(first, at);
    });
    return { ...each, gone, isTail: isBuiltin && goesDown(table, each) };
  });
}

const addedIn = ({ changes }: EditedChain) =>
  changes.flatMap(({ added }) => added.map(({ rule }) => rule));
const editedIn = (chain: PlannedChain) => [...chain.gone.flat(), ...addedIn(chain)];

const linesIn = ({ changes }: EditedChain) =>
  changes.flatMap(({ gone, added }) => [...gone, ...added.map(({ line }) => line)]);

/** The lines of each chain that are to be read. */
type Near = ReadonlyMap<string, readonly KeptLine[]>;

/** Whether the rule leaves all calls to those behind it. */
const leavesOn = ({ target }: Rule) => stepOf(target).kind === 'next';

/** Those of a chain that calls may come to otherwise than before. */
function nearInChain({ kept }: KeptTable, chain: PlannedChain): readonly KeptLine[] {
  const { name, changes, gone, isTail } = chain;
  const { start, end } = kept.spanOf(name);
  if (!isTail) return linesNear(kept, { start, end, index: 0 }, linesIn(chain));
  // Behind a rule that leaves all calls on they come to what they came to.
  const deciding = changes.map((change, n) =>
    change.gone.filter((_, at) => !leavesOn(elementAt(elementAt(gone, n), at))),
  );
  const first = changes[deciding.findIndex(({ length }) => length > 0)];
  if (!first) return [];
  const stretch: Stretch = { start: first.at, end, index: first.index };
  return linesNear(kept, stretch, deciding.flat());
}

/** Those that are near the edited ones: of the chains, and of chains from which calls come to them and to which they go on. */
function nearLines(table: KeptTable, edited: readonly PlannedChain[]): Near {
  const { kept, head } = table;
  const lines = edited.flatMap(linesIn);
  const look = (name: string) => linesNear(kept, { ...kept.spanOf(name), index: 0 }, lines);
  if (!edited.every(({ name }) => isBuiltinChain(name)))
    return new Map(head.chains.map(({ name }) => [name, look(name)]));
  const near = new Map(edited.map((chain) => [chain.name, nearInChain(table, chain)]));
  const users = head.chains.filter(({ policy }) => policy === undefined);
  const calls = (line: string) => CALL.test(line);
  const own = [...near.values()].flat();
  const goesOn =
    users.length > 0 &&
    (lines.some(calls) || own.some(({ start, end }) => calls(kept.slice(start, end))));
  if (goesOn) for (const { name } of users) near.set(name, look(name));
  return near;
}

/** Without those that go. */
function staying(near: Near, edited: readonly EditedChain[]): Near {
  const stays = new Map(near);
  for (const { name, changes } of edited) {
    const gone = new Set(
      changes.flatMap(({ index, gone: lines }) => lines.map((_, n) => index + n)),
    );
    stays.set(name, near.get(name)?.filter(({ index }) => !gone.has(index)) ?? []);
  }
  return stays;
}

/** More lines than that, and more than half of all, are no less work than all. */
const MANY_LINES = 1000;

function isMost(table: KeptTable, lines: number): boolean {
  return lines > MANY_LINES && 2 * lines > countRules(table);
}

/** The built-in chains whose calls may come to rules of the chain. */
function chainsTo(chain: string, { chains }: Table): readonly BuiltinChain[] {
  if (isBuiltinChain(chain)) return [chain];
  const calls = ({ name, rules }: Chain) =>
    isBuiltinChain(name) && rules.some(({ target }) => calledChain(target) !== undefined);
  const calling = new Set(chains.filter(calls).map(({ name }) => name));
  return BUILTIN_CHAINS.filter((name) => calling.has(name));
}

/** The rules of a chain after its changes, of those that were there these, and the number of each in the whole chain. */
function rulesAfter(
  lines: readonly KeptLine[],
  rules: readonly Rule[],
  changes: readonly LineChange[],
): { readonly rules: readonly Rule[]; readonly places: readonly number[] } {
  const after: Rule[] = [];
  const places: number[] = [];
  let [more, n] = [0, 0];
  const goOnBefore = (end: number) => {
    for (; n < lines.length && elementAt(lines, n).index < end; n++) {
      after.push(elementAt(rules, n));
      places.push(elementAt(lines, n).index + more);
    }
  };
  for (const { index, gone, added } of changes) {
    goOnBefore(index);
    added.forEach(({ rule }, at) => {
      after.push(rule);
      places.push(index + more + at);
    });
    more += added.length - gone.length;
  }
  goOnBefore(Infinity);
  return { rules: after, places };
}

const moreOf = ({ changes }: EditedChain) =>
  changes.reduce((sum, { gone, added }) => sum + added.length - gone.length, 0);

type RuleEdit = Extract<PlannedPart['edit'], { readonly kind: 'rule' }>;

/** The chains whose calls may come to something else. */
function chainEdits(
  table: KeptTable,
  edited: readonly PlannedChain[],
  after: Table,
  more: ReadonlyMap<string, number>,
): RuleEdit['chains'] {
  const spans = new Map([...counterSpans(table, more)].map((span) => [span.name, span]));
  if (edited.every(({ name }) => isBuiltinChain(name)))
    return edited.flatMap((each) => {
      const { name, changes, isTail } = each;
      const [span, first] = [spans.get(name), changes[0]];
      if (!isBuiltinChain(name) || !span || !first) return [];
      const tail = isTail ? { from: span.first + first.index, policy: span.end - 1 } : undefined;
      return { chain: name, edited: editedIn(each), tail };
    });
  const chains = new Set(edited.flatMap(({ name }) => chainsTo(name, after)));
  const rules = edited.flatMap(editedIn);
  return [...chains].map((chain) => ({ chain, edited: rules, tail: undefined }));
}

function ruleEdit(table: KeptTable, edited: readonly PlannedChain[]): RuleEdit | undefined {
  const { kept, head } = table;
  const near = staying(nearLines(table, edited), edited);
  if (
    isMost(
      table,
      [...near.values()].reduce((sum, { length }) => sum + length, 0),
    )
  )
    return undefined;
  const lines = head.chains.flatMap(({ name }) => near.get(name) ?? []);
  const before = table.read(lines.map(({ start, end }) => kept.slice(start, end)).join(''));
  const changed = new Map(edited.map((each) => [each.name, each]));
  const afterOf = ({ name, rules }: Chain) =>
    rulesAfter(near.get(name) ?? [], rules, changed.get(name)?.changes ?? []);
  const made = new Map(before.chains.map((chain) => [chain.name, afterOf(chain)]));
  const after: Table = {
    ...before,
    chains: before.chains.map((chain) => ({ ...chain, rules: made.get(chain.name)?.rules ?? [] })),
  };
  const sample = () => sampleOf(table, edited);
  const rules = edited.flatMap(editedIn);
  const added = edited.flatMap(addedIn);
  const isAlone =
    edited.every(({ name }) => isBuiltinChain(name)) &&
    rules.every(({ target }) => calledChain(target) === undefined);
  // Other rules have a say in what chains may call each other, and in what they may call.
  requireValid(isAlone || added.length === 0 ? after : sample());
  const more = new Map(edited.map((each) => [each.name, moreOf(each)]));
  const places = new Map([...made].map(([name, { places: of }]) => [name, of]));
  return {
    kind: 'rule',
    chains: chainEdits(table, edited, after, more),
    table: after,
    removes: edited.some(({ gone }) => gone.some(({ length }) => length > 0)),
    isAlone,
    sample,
    counters: numbersOf(table, places, more),
    splices: edited.flatMap(({ name, changes }) => {
      const { first } = counterSpan(table, name);
      return changes.map((change) => ({
        at: first + change.index,
        removed: change.gone.length,
        added: change.added.length,
      }));
    }),
    packets: added.map(({ packets }) => packets),
  };
}

/** What is to be committed for the chains; undefined where it takes the whole table to judge, or as much work. Throws TableError. */
export function planChains(
  table: KeptTable,
  edited: readonly EditedChain[],
): PlannedPart | undefined {
  if (edited.flatMap(linesIn).some((line) => line.includes(PATH))) return undefined;
  const edit = edited.length === 0 ? undefined : ruleEdit(table, plannedChains(table, edited));
  if (edited.length > 0 && !edit) return undefined;
  const text = edited.flatMap(({ changes }) =>
    changes.map(({ at, next, added }) => ({
      at,
      removed: next - at,
      added: added.map(({ line }) => line).join(''),
    })),
  );
  return { text, groups: undefined, edit };
}

/** The same for a command that edits rules; undefined for any other. */
export function planRule(table: KeptTable, command: EditCommand): PlannedPart | undefined {
  const edited = chainsAfter(table, command);
  return edited && planChains(table, edited);
}
