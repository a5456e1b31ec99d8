/** A change of a table in force of which most is known to stay: what is compiled is one part, and the rest goes on. */
import { hasBpfLsm } from '@sockfilter/bpf';
import {
  BUILTIN_CHAINS,
  type BuiltinChain,
  chainNumber,
  elementAt,
  type Group,
  type NamedSet,
  placedTests,
  type Table,
} from '@sockfilter/table';
import {
  type Generation,
  type GenerationEdit,
  type GenerationInput,
  makeEdited,
  type StandingGeneration,
} from './generation.js';
import { type Hook, isNeeded } from './hooks.js';
import { CLOCK_STATE, FIRST_NODE, MAX_RULES } from './layout.js';
import { setErrno } from './nodes.js';
import type { SetOrigins } from './setmap.js';
import { editNodes, type NearEdit } from './splicednodes.js';
import type { Slots, TestOrigins } from './statemap.js';
import { factsIn, noSummaries, summarize } from './summary.js';
import {
  CONDITIONAL_HOOKS,
  decodeTraits,
  encodeTraits,
  rewritesAny,
  type Traits,
} from './traits.js';

/** What a generation is given when it is about to be in force. */
export type Placement = Pick<
  GenerationInput,
  'sequence' | 'idSlot' | 'idEpoch' | 'programs' | 'slots' | 'setSlots'
>;

/** A commit, as far as it is known before anything is touched. */
export interface Draft {
  /** Undefined where they are those in force. */
  readonly groups: readonly Group[] | undefined;
  /** Whether all of the table is made anew. */
  readonly isWhole: boolean;
  /** Whether the table has work for the hook. */
  readonly needs: (hook: Hook) => boolean;
  readonly sets: readonly NamedSet[];
  readonly setOrigins: SetOrigins;
  /** For each opaque test whether it has a state. */
  readonly stateful: readonly boolean[];
  readonly testOrigins: TestOrigins;
  readonly confirmWithin: number | undefined;
  readonly lay: (placement: Placement) => Generation;
}

export interface PartChange {
  /** The whole table in the save format, as printSave() has it, in UTF-8; asked for when nothing else is missing. */
  readonly text: () => Uint8Array;
  /** All that there are then; undefined where the edit leaves them as they are. */
  readonly groups: readonly Group[] | undefined;
  /** What becomes of rules, policies and counters; undefined if nothing does. */
  readonly edit: RuleEdit | PolicyEdit | Zeroing | undefined;
}

interface RuleEdit extends NearEdit {
  readonly kind: 'rule';
  readonly removes: boolean;
  /** Whether the rules that come and go are all that calls come to, or cease to come to, by the edit. */
  readonly isAlone: boolean;
  /**
   * The whole table after it, but of rules that hooks cannot tell from each other, by their chain, target and protocol, one;
   * asked for when nothing else tells.
   */
  readonly sample: () => Table;
  /** What each counter that comes starts at. */
  readonly packets: readonly bigint[];
}

/** Another policy; none that is audited. */
interface PolicyEdit {
  readonly kind: 'policy';
  readonly chain: BuiltinChain;
  /** The policy's. */
  readonly counter: number;
  /** What it refuses with then; 0 for one that lets pass. */
  readonly errno: number;
  /**
   * The table after it, with a rule for each of those that hooks could tell from each other: by their chain, target
   * and protocol.
   */
  readonly table: Table;
}

/** Counters that start anew at 0, from `at` on. */
interface Zeroing {
  readonly kind: 'zero';
  readonly at: number;
  readonly count: number;
}

/** So many nodes are surely within what a whole table may have. */
const MOST_NODES = 2_000_000;

/** The names of the hooks that the table has work for. */
function neededAfter(
  { hooks }: Traits,
  { table, removes, isAlone, sample }: RuleEdit,
): ReadonlySet<string> {
  let whole: Table | undefined;
  const isNeededThen = (hook: Hook) => {
    if (isNeeded(hook, table)) return true;
    if (isAlone && !(removes && hooks.has(hook.name))) return hooks.has(hook.name);
    whole ??= sample();
    return isNeeded(hook, whole);
  };
  return new Set(CONDITIONAL_HOOKS.filter(isNeededThen).map(({ name }) => name));
}

const isPlain = (table: Table) =>
  table.sets.length === 0 && placedTests(table).length === 0 && !rewritesAny(table);

/** What of a generation is another one's after an edit. */
type Changed = Pick<GenerationEdit, 'splices' | 'packets' | 'nodes'> & {
  /** The hooks that have work then. */
  readonly hooks: ReadonlySet<string>;
};

function changeRule(
  { header, words, summaries }: StandingGeneration,
  traits: Traits,
  edit: RuleEdit,
): Changed | undefined {
  const { splices, packets } = edit;
  const rules = splices.reduce((sum, { added, removed }) => sum + added - removed, header.rules);
  if (rules > MAX_RULES || !isPlain(edit.table)) return undefined;
  const { entries, writtenNodes: written } = header;
  const old = { words, first: FIRST_NODE, entries, summaries, written };
  const nodes = editNodes(old, edit);
  if (!nodes || nodes.words.length / 2 > MOST_NODES) return undefined;
  return { splices, packets, nodes, hooks: neededAfter(traits, edit) };
}

/** A policy's verdicts are those with its counter. */
function changePolicy({ header, words }: StandingGeneration, edit: PolicyEdit): Changed {
  const { chain, counter, errno } = edit;
  setErrno(words, counter, errno);
  const { entries, writtenNodes: written } = header;
  const summaries = noSummaries(header.nodes);
  const all = BUILTIN_CHAINS.map((each) => entries[each]);
  const known = summarize(words, FIRST_NODE, all, summaries);
  const facts = { [chain]: factsIn(elementAt(known, chainNumber(chain))) };
  const nodes = { words, entries, facts, summaries, written };
  const needed = CONDITIONAL_HOOKS.filter((hook) => isNeeded(hook, edit.table));
  const hooks = new Set(needed.map(({ name }) => name));
  return { splices: [], packets: [], nodes, hooks };
}

/** Undefined where the whole table must be compiled to tell. */
function changedBy(
  old: StandingGeneration,
  traits: Traits,
  edit: PartChange['edit'],
): Changed | undefined {
  const stays = { splices: [], packets: [], nodes: undefined, hooks: traits.hooks };
  if (!edit) return stays;
  if (edit.kind === 'zero')
    return { ...stays, splices: [{ at: edit.at, removed: edit.count, added: edit.count }] };
  const chains = edit.kind === 'policy' ? [edit.chain] : edit.chains.map(({ chain }) => chain);
  const isTold = chains.includes('ACCEPT') && hasBpfLsm();
  if (!traits.hasParts || isTold) return undefined;
  return edit.kind === 'policy' ? changePolicy(old, edit) : changeRule(old, traits, edit);
}

/**
 * The draft takes the words of `old`, which change; `slots` are those of the opaque tests in force. Undefined where the whole table must be compiled to tell what the
 * change takes. Throws LimitError.
 */
export function draftPart(
  old: StandingGeneration,
  slots: Slots,
  { text, groups, edit }: PartChange,
): Draft | undefined {
  const traits = decodeTraits(old.header.traits);
  if (!traits || old.header.sets > 0) return undefined;
  const changed = changedBy(old, traits, edit);
  if (!changed) return undefined;
  const { hooks, ...rest } = changed;
  return {
    groups,
    isWhole: false,
    needs: ({ name, needed: when }) => when === 'always' || hooks.has(name),
    sets: [],
    setOrigins: [],
    stateful: slots.map((slot) => slot !== CLOCK_STATE.slot),
    testOrigins: slots.map((_, n) => n),
    confirmWithin: undefined,
    lay: (placement) =>
      makeEdited(old, {
        ...placement,
        ...rest,
        text: text(),
        traits: encodeTraits({ ...traits, hooks }),
      }),
  };
}
