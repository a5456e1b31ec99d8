/** A change of a table in force of which most is known to stay: what is compiled is one part, and the rest goes on. */
import { hasBpfLsm } from '@sockfilter/bpf';
import { type Group, type NamedSet, placedTests, type Table } from '@sockfilter/table';
import {
  type Generation,
  type GenerationInput,
  makeEdited,
  type StandingGeneration,
} from './generation.js';
import { editPart, type PartEdit, type Splice } from './grouppart.js';
import { type Hook, isNeeded } from './hooks.js';
import { MAX_RULES, NODES_PER_PAGE } from './layout.js';
import type { SetOrigins } from './setmap.js';
import type { TestOrigins } from './statemap.js';
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
  readonly groups: readonly Group[];
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
  /** The whole table in the save format, as printSave() has it, in UTF-8. */
  readonly text: Uint8Array;
  /** All that there are then. */
  readonly groups: readonly Group[];
  /** What becomes of the rules; undefined if nothing does. */
  readonly edit: RuleEdit | undefined;
}

interface RuleEdit extends PartEdit {
  /** As `table`, before the edit. */
  readonly before: Table;
  /** What each counter that comes starts at. */
  readonly packets: readonly bigint[];
}

const NO_SPLICE: Splice = { at: 0, removed: 0, added: 0 };

/** So many nodes are surely within what a whole table may have. */
const MOST_NODES = 2_000_000;
/** Nodes that nothing leads to may be as many as those that were compiled, and so many more. */
const SPARE_NODES = 65_536;

/** The names of the hooks that the table has work for; undefined where its other rules may have needed one. */
function neededAfter(
  { hooks }: Traits,
  { before, table }: RuleEdit,
): ReadonlySet<string> | undefined {
  const needed = new Set<string>();
  for (const hook of CONDITIONAL_HOOKS) {
    if (isNeeded(hook, table)) needed.add(hook.name);
    else if (isNeeded(hook, before)) return undefined;
    else if (hooks.has(hook.name)) needed.add(hook.name);
  }
  return needed;
}

const isPlain = (table: Table) =>
  table.sets.length === 0 && placedTests(table).length === 0 && !rewritesAny(table);

/** Undefined where the whole table must be compiled to tell what the change takes. Throws LimitError. */
export function draftPart(
  old: StandingGeneration,
  { text, groups, edit }: PartChange,
): Draft | undefined {
  const { header } = old;
  const traits = decodeTraits(header.traits);
  if (!traits || header.sets > 0 || header.tests > 0) return undefined;
  const draft = (needed: ReadonlySet<string>, lay: Draft['lay']): Draft => ({
    groups,
    needs: ({ name, needed: when }) => when === 'always' || needed.has(name),
    sets: [],
    setOrigins: [],
    stateful: [],
    testOrigins: [],
    confirmWithin: undefined,
    lay,
  });
  if (!edit)
    return draft(traits.hooks, (placement) =>
      makeEdited(old, {
        ...placement,
        text,
        traits: header.traits,
        splice: NO_SPLICE,
        packets: [],
        part: undefined,
      }),
    );
  const { splice, packets, chain } = edit;
  const isTold = chain === 'ACCEPT' && hasBpfLsm();
  const isFull = header.rules + splice.added - splice.removed > MAX_RULES;
  if (!traits.hasParts || isTold || isFull || !isPlain(edit.table)) return undefined;
  const needed = neededAfter(traits, edit);
  if (!needed) return undefined;
  const standing = { words: old.words, first: NODES_PER_PAGE };
  const nodes = editPart(standing, header.entries[chain], header.longest, edit);
  if (!nodes) return undefined;
  const most = Math.min(MOST_NODES, 2 * header.compiledNodes + SPARE_NODES);
  if (nodes.words.length / 2 > most) return undefined;
  const after = encodeTraits({ ...traits, hooks: needed });
  return draft(needed, (placement) =>
    makeEdited(old, {
      ...placement,
      text,
      traits: after,
      splice,
      packets,
      part: { chain, nodes },
    }),
  );
}
