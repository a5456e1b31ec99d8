/** One edit of a table, by a part that is compiled alone, held against a compiling of the whole. */
import { printSave } from '@sockfilter/iptables';
import { applyEdit } from '@sockfilter/language';
import {
  addGroup,
  counterOwners,
  deleteGroup,
  elementAt,
  isBuiltinChain,
  nextGroupId,
  type Packet,
  requireValid,
  type Table,
  TableError,
} from '@sockfilter/table';
import { editLines } from '../../packages/cli/src/keptbatch.js';
import { planEdit } from '../../packages/cli/src/keptedit.js';
import type { KeptEdit, PlannedPart } from '../../packages/cli/src/opentable.js';
import { followCounters, originsAfter } from '../../packages/cli/src/origins.js';
import type { Generation, StandingGeneration } from '../../packages/kernel/src/generation.js';
import { HOOKS, isNeeded } from '../../packages/kernel/src/hooks.js';
import { draftPart } from '../../packages/kernel/src/partchange.js';
import { editText } from '../harness/editedtext.js';
import { editCommand, keptTable, soundTable } from '../harness/kepttable.js';
import {
  asked,
  baseOf,
  differences,
  factsOf,
  falseSummaries,
  makeWhole,
  originsOf,
  PLACE,
  standing,
  textOf,
  walk,
} from './madegeneration.js';
import { GROUPS } from './partcommands.js';

/** The rules sorted by chains, as the text has them. */
export const tableOf = (lines: readonly string[]) =>
  soundTable(
    [
      '*socket',
      ':U - [0:0]',
      ':V - [0:0]',
      ':W - [0:0]',
      '-G b --id 3 --path /b',
      ...lines,
      '-A U -p tcp -j RETURN',
      '-A U -j DROP',
      '-A V -d 10.0.0.1 -j ACCEPT',
      'COMMIT',
      '',
    ].join('\n'),
  );

const IPV6 = 0x2001_0db8n * 2n ** 96n + 1n;

const PACKETS: readonly Packet[] = GROUPS.concat(7, 0x40000).flatMap((group) =>
  (['BIND', 'CONNECT', ...(group === 0 ? (['RECVFROM'] as const) : [])] as const).flatMap((name) =>
    [0x0a000001n, 0x0a000002n, 0x0b000000n, IPV6].flatMap((destination) =>
      [
        { protocol: 6, destinationPort: 80, uid: 7 },
        { protocol: 6, destinationPort: 90, uid: 0 },
        { protocol: 17, destinationPort: 80, uid: 0 },
      ].map(
        (rest): Packet => ({
          chain: name,
          group,
          family: destination === IPV6 ? 6 : 4,
          source: 0n,
          destination,
          sourcePort: 0,
          flags: rest.protocol === 6 && name === 'CONNECT' ? 2 : 0,
          gid: 0,
          mark: 0,
          ...rest,
        }),
      ),
    ),
  ),
);

/** As if so few nodes had been written that all that there are are too many. */
const CROWDED = -1_000_000;

interface Edited {
  readonly table: Table;
  /** Undefined where the lines of several commands do not say it without the table. */
  readonly edit: KeptEdit | undefined;
  readonly origins: readonly (number | undefined)[];
}

/** What the whole table makes of it. Throws TableError. */
function editOf(before: Table, text: string): Edited {
  const [, verb, group] = /^group (add|delete) (\w+)$/.exec(text) ?? [];
  if (group !== undefined) {
    const path = `/${group}`;
    const table =
      verb === 'add'
        ? addGroup(before, { name: group, id: nextGroupId(before, 0), path })
        : deleteGroup(before, group);
    const edit = { kind: 'groups', groups: table.groups } as const;
    return { table, edit, origins: followCounters(before, table) };
  }
  if (isBatch(text)) {
    const table = requireValid(text.split('\n').map(editCommand).reduce(applyEdit, before));
    return { table, edit: linesEdit(before, text), origins: followCounters(before, table) };
  }
  const edit = editCommand(text);
  const table = requireValid(applyEdit(before, edit));
  return { table, edit, origins: originsAfter(edit, before, table) };
}

/** Whether there are several commands, with a line for each. */
export const isBatch = (text: string) => text.includes('\n');

/** What a batch asks, if it says that without the whole table. */
function linesEdit(before: Table, text: string): KeptEdit | undefined {
  const asked: KeptEdit[] = [];
  const editPart = (edit: KeptEdit) => asked.push(edit) > 0;
  editLines({ kept: keptTable(before), editPart }, { text, firstLine: 1 }, true);
  return asked[0];
}

const packetsOf = (table: Table, counter: number) => {
  const { rule, chain: of } = elementAt(counterOwners(table), counter);
  return (rule ?? of).packets;
};

interface Stepped {
  readonly table: Table;
  readonly next: Generation;
  /** Whether a part was enough. */
  readonly isPart: boolean;
  readonly tails?: Tails | undefined;
}

/** Whether what calls have met said how far they come, in all chains: with rules read behind one that went, or with none. */
type Tails = 'stays' | 'follows';

function tailsOf({ edit }: PlannedPart): Tails | undefined {
  if (edit?.kind !== 'rule' || !edit.chains.every(({ tail }) => tail)) return undefined;
  const own = edit.table.chains.filter(({ name }) => isBuiltinChain(name));
  const rules = own.reduce((sum, chain) => sum + chain.rules.length, 0);
  return rules === edit.packets.length ? 'stays' : 'follows';
}

/** The edited table. */
export function step(
  before: Table,
  old: StandingGeneration,
  text: string,
  packets: readonly Packet[] = PACKETS,
): Stepped | undefined {
  const kept = keptTable(before);
  const plan = (edit: KeptEdit) => planEdit(kept, edit);
  let edited: Edited;
  try {
    edited = editOf(before, text);
  } catch (error) {
    if (!(error instanceof TableError)) throw error;
    // It is refused alike, or left to who has the whole table.
    try {
      if (isBatch(text)) {
        const edit = linesEdit(before, text);
        expect(edit && plan(edit)).toBeUndefined();
      } else if (!text.startsWith('group')) expect(plan(editCommand(text))).toBeUndefined();
    } catch (refusal) {
      expect(refusal).toEqual(error);
    }
    return undefined;
  }
  const { table, edit, origins } = edited;
  const change = edit && plan(edit);
  const saved = change ? editText(kept.kept, change.text) : '';
  const bytes = () => Buffer.from(saved);
  const crowded = {
    ...old,
    words: old.words.slice(),
    summaries: old.summaries.slice(),
    header: { ...old.header, writtenNodes: CROWDED },
  };
  const draft = change && draftPart(old, [], { ...change, text: bytes });
  const whole = makeWhole(table);
  if (!change || !draft) return { table, next: whole, isPart: false };
  expect(saved).toBe(printSave(table));
  const next = draft.lay(PLACE);
  expect(textOf(next)).toBe(printSave(table));
  expect(originsOf(next)).toEqual(origins);
  expect(baseOf(next)).toEqual(
    origins.map((origin, n) => (origin === undefined ? packetsOf(table, n) : 0n)),
  );
  for (const hook of HOOKS)
    expect([hook.name, draft.needs(hook)]).toEqual([hook.name, isNeeded(hook, table)]);
  const [made, anew] = [standing(next), standing(whole)];
  expect(walk(made, packets)).toEqual(walk(anew, packets));
  expect(differences(made, anew)).toEqual([]);
  expect(factsOf(made)).toEqual(factsOf(anew));
  expect(made.summaries.length).toBe(made.header.nodes);
  expect(falseSummaries(made)).toEqual([]);
  expect(asked(made)).toEqual(asked(anew));
  if (change.edit?.kind === 'rule') {
    const draftAnew = draftPart(crowded, [], { ...change, text: bytes });
    if (!draftAnew) throw new TypeError('nothing is written anew');
    const rewritten = standing(draftAnew.lay(PLACE));
    expect(walk(rewritten, packets)).toEqual(walk(anew, packets));
    expect(differences(rewritten, anew)).toEqual([]);
    expect(factsOf(rewritten)).toEqual(factsOf(anew));
    expect(falseSummaries(rewritten)).toEqual([]);
    expect(rewritten.header.writtenNodes).toBe(anew.header.nodes);
    expect(rewritten.header.nodes).toBe(anew.header.nodes);
  }
  return { table, next, isPart: true, tails: tailsOf(change) };
}
