/**
 * A part that is compiled alone, and put among nodes that stand, says what the whole says: after any sequence of edits
 * every call comes to the same, and the header, the text and the counters are those of a table that is compiled anew.
 */
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
import fc from 'fast-check';
import { editLines } from '../../packages/cli/src/keptbatch.js';
import { planEdit } from '../../packages/cli/src/keptedit.js';
import type { KeptEdit, PlannedPart } from '../../packages/cli/src/opentable.js';
import { followCounters, originsAfter } from '../../packages/cli/src/origins.js';
import type { Generation, StandingGeneration } from '../../packages/kernel/src/generation.js';
import { HOOKS, isNeeded } from '../../packages/kernel/src/hooks.js';
import { draftPart } from '../../packages/kernel/src/partchange.js';
import { editText } from '../harness/editedtext.js';
import { editCommand, keptTable, soundTable } from '../harness/kepttable.js';
import { propertyRuns } from '../harness/length.js';
import {
  asked,
  baseOf,
  bytesOf,
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
import {
  batch,
  command,
  downBatch,
  downCommand,
  downLine,
  firstLine,
  GROUPS,
} from './partcommands.js';

/** The rules sorted by chains, as the text has them. */
const tableOf = (lines: readonly string[]) =>
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
const isBatch = (text: string) => text.includes('\n');

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
function step(
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

type Example = [lines: string[], commands: string[]];

/** What had refused nothing refuses, and the other way round. */
const POLICIES: Example = [
  ['-A CONNECT -d 10.0.0.1 -j ACCEPT'],
  ['-P CONNECT DROP', '-A CONNECT -d 10.0.0.2 -j ACCEPT', '-P CONNECT ACCEPT'],
];

/** Each kind of edit, where parts are enough. */
const EVERY_LINE = ['-A CONNECT -m cgroup --id 4 -j REJECT', '-A CONNECT -p udp -j DROP'];
const EVERY_COMMAND = [
  '-A CONNECT -m cgroup --id 4 -d 10.0.0.1 -j ACCEPT',
  '-I CONNECT 1 -m cgroup --id 5 -j DROP',
  '-R CONNECT 1 -m cgroup --id 5 -j ACCEPT',
  '-D CONNECT 1',
  '-P BIND DROP',
  '-P CONNECT DROP',
  '-P CONNECT ACCEPT',
  '-P BIND ACCEPT',
  '-Z',
  '-Z CONNECT 2',
  '-X W',
  '-N W',
  'group add a',
  'group delete b',
];

/** The policy decides as the last rule did, and nothing asks whose the call is any more. */
const COUNTED_LINE = ['-A CONNECT -m cgroup --id 0 -j LOG'];
const LAST_DECIDER_GOES = [
  '-A CONNECT -m cgroup --id 0 -m owner --uid-owner 7 -j ACCEPT',
  '-D CONNECT 2',
  '-A CONNECT -j RETURN',
  '-A CONNECT -p udp -j DROP',
];

/** What a comment says names no address. */
const COMMENTED: Example = [
  ['-A CONNECT -d 10.0.0.1 -j ACCEPT', '-A CONNECT -m comment --comment "of -d 10.0.0.9 " -j DROP'],
  ['-D CONNECT 1'],
];
/** What is traced is reported up to the policy. */
const TRACED: Example = [['-A CONNECT -j TRACE'], ['-A CONNECT -d 10.0.0.1 -j DROP']];
/** The rules of a loop need not meet. */
const LOOPING: Example = [['-A U -d 10.0.0.1 -j W'], ['-A W -d 10.0.0.2 -j U']];
/** Calls that a rule sends to the policy come to none behind it. */
const LEAVING: Example = [
  ['-A CONNECT -d 10.0.0.1 -j DROP'],
  ['-I CONNECT 1 -p tcp -j RETURN', '-D CONNECT 1', '-I CONNECT 1 -p tcp -g W'],
];
/** What is behind the policy's counter is that of a chain that was called before. */
const BEHIND_POLICY: Example = [
  ['-A RECVFROM -p udp -j U', '-A U -p udp -j DROP'],
  ['-A RECVFROM -j ACCEPT'],
];
/** What the rule says differs between chains: of some it asks the other port. */
const OF_CHAINS: Example = [
  ['-A CONNECT -m socket --remote-port 80 -j REJECT', '-A CONNECT -p udp -j DROP'],
  ['-D CONNECT 1', '-I CONNECT 1 -m socket --remote-port 80 -j ACCEPT'],
];
/** What is the same again lies below more pieces than two diagrams are first tried with. */
const DEEP: Example = [
  ['-A CONNECT -s 10.0.0.9 -d 10.0.0.1 -p tcp --dport 80 -m owner --uid-owner 7 -j DROP'],
  ['-I CONNECT 1 -m cgroup --id 4 -j LOG', '-D CONNECT 1'],
];
/** A hook is needed for one rule, which goes. */
const UNHOOKED: Example = [['-A RECVFROM -d 10.0.0.1 -j DROP'], ['-D RECVFROM 1']];

it('makes what a compiling of the whole makes', () => {
  let [parts, all] = [0, 0];
  const kinds = new Set<string>();
  const tails = { stays: 0, follows: 0 };
  const edits = <T>(line: fc.Arbitrary<T>, each: fc.Arbitrary<T>) =>
    fc.tuple(fc.array(line, { maxLength: 12 }), fc.array(each, { minLength: 4, maxLength: 8 }));
  fc.assert(
    fc.property(
      fc.oneof(
        edits(firstLine, command),
        edits(downLine, downCommand),
        edits(firstLine, batch),
        edits(downLine, downBatch),
      ),
      ([lines, commands]) => {
        let table = tableOf(lines);
        let old = standing(makeWhole(table));
        for (const each of commands) {
          const stepped = step(table, old, each);
          if (!stepped) continue;
          table = stepped.table;
          old = standing(stepped.next);
          all++;
          if (!stepped.isPart) continue;
          if (stepped.tails) tails[stepped.tails]++;
          parts++;
          kinds.add(isBatch(each) ? 'batch' : each.replace(/^(-[A-Z]|group \w+).*/, '$1'));
        }
      },
    ),
    {
      numRuns: propertyRuns(240),
      examples: [
        [[EVERY_LINE, EVERY_COMMAND]],
        [[COUNTED_LINE, LAST_DECIDER_GOES]],
        [COMMENTED],
        [TRACED],
        [LOOPING],
        [LEAVING],
        [BEHIND_POLICY],
        [DEEP],
        [UNHOOKED],
        [POLICIES],
        [OF_CHAINS],
      ],
    },
  );
  expect(parts / all).toBeGreaterThan(0.4);
  expect(tails.stays / all).toBeGreaterThan(0.15);
  expect(tails.follows / all).toBeGreaterThan(0.03);
  expect([...kinds].sort()).toEqual(
    ['-A', '-D', '-I', '-N', '-P', '-R', '-X', '-Z', 'batch', 'group add', 'group delete'].sort(),
  );
});

const RULES = [
  '-A CONNECT -d 10.0.0.1 -j DROP',
  '-A CONNECT -p tcp -j ACCEPT',
  '-A CONNECT -p udp -j DROP',
  '-A CONNECT -p tcp -j ACCEPT',
  '-A CONNECT -p udp -j LOG',
];

it.each([
  ['rules between two that go', ['-D CONNECT 1', '-D CONNECT 2']],
  ['the same line twice', ['-D CONNECT -p tcp -j ACCEPT', '-D CONNECT -p tcp -j ACCEPT']],
  ['a line that has come', ['-A CONNECT -j DROP', '-D CONNECT 6']],
  ['what has come, by its words', ['-I CONNECT 1 -p udp -j DROP', '-D CONNECT -p udp -j DROP']],
  ['another for one that has come', ['-I CONNECT 3 -j DROP', '-R CONNECT 3 -p tcp -j LOG']],
  ['several chains', ['-A BIND -p tcp -j DROP', '-I CONNECT 2 -j LOG', '-D CONNECT 4']],
  ['a chain that others call', ['-A U -p tcp -j DROP', '-I CONNECT 2 -p tcp -j U']],
  ['several rules by a line', ['-I CONNECT 2 -d 10.0.0.1,10.0.0.2 -j DROP', '-D CONNECT 3']],
  ['neighbours', ['-D CONNECT 2', '-D CONNECT 2', '-I CONNECT 2 -p udp -j LOG']],
])('takes a batch as one edit: %s', (_, commands) => {
  const table = tableOf(RULES);
  const stepped = step(table, standing(makeWhole(table)), commands.join('\n'));
  expect(stepped?.isPart).toBe(true);
});

/** Groups, addresses and ports enough for nodes of many edges. */
const WIDE = 40;
const wideRule = (n: number, port = n) =>
  `-d 10.0.0.${n} -p tcp --dport ${1000 + port} -m cgroup --id ${n}`;
const WIDE_PACKETS: readonly Packet[] = Array.from(
  { length: WIDE + 2 },
  (_, group) => group,
).flatMap((group) =>
  [group, (group + 1) % WIDE, 20].flatMap((address) =>
    [group, 20].map(
      (port): Packet => ({
        chain: 'CONNECT',
        group,
        family: 4,
        protocol: 6,
        source: 0n,
        destination: 0x0a000000n + BigInt(address),
        sourcePort: 0,
        destinationPort: 1000 + port,
        flags: 2,
        uid: 0,
        gid: 0,
        mark: 0,
      }),
    ),
  ),
);

it.each([
  ['rules of all groups', (n: number) => `-d 10.0.0.${n} -p tcp --dport ${1000 + n}`],
  ['a rule of each group', (n: number) => wideRule(n)],
  [
    'addresses of one group',
    (n: number) => `-d 10.0.0.${n} -p tcp --dport ${1000 + n} -m cgroup --id 20`,
  ],
])('keeps what wide nodes lead to that an edit leaves alone: %s', (_, words) => {
  const lines = Array.from(
    { length: WIDE },
    (_, n) => `-A CONNECT ${words(n)} -j ${n % 2 ? 'DROP' : 'ACCEPT'}`,
  );
  let table = tableOf(lines);
  let old = standing(makeWhole(table));
  const commands = [
    `-A CONNECT ${wideRule(20, 21)} -j ACCEPT`,
    `-I CONNECT 10 ${wideRule(5)} -j REJECT`,
    `-I CONNECT 1 -d 10.0.0.7 -p tcp -j LOG`,
    `-D CONNECT 1`,
    `-R CONNECT 30 ${wideRule(39, 20)} -j ACCEPT`,
    `-D CONNECT 20`,
    `-A CONNECT -p tcp --dport 1020 -j DROP`,
  ];
  for (const each of commands) {
    const stepped = step(table, old, each, WIDE_PACKETS);
    expect(stepped?.isPart).toBe(true);
    if (!stepped) continue;
    table = stepped.table;
    old = standing(stepped.next);
  }
});

/** So many peers that a SWITCH leads to others. */
const PEERS = 1600;
const peerAt = (n: number) => `10.0.${(n * 3) >> 8}.${(n * 3) & 255}`;
const peerRule = (n: number) =>
  `-A CONNECT -d ${peerAt(n)} -p tcp --dport ${1 + (n % 9)} -j ${n % 3 ? 'DROP' : 'ACCEPT'}`;

const amongPeers: fc.Arbitrary<string> = fc
  .record({
    verb: fc.constantFrom('-A CONNECT', '-I CONNECT 500', '-R CONNECT 1200', '-D CONNECT 900'),
    // Also where what a SWITCH leads to begins and ends.
    peer: fc.oneof(
      fc.integer({ min: 0, max: 3 * PEERS }),
      fc.nat({ max: 40 }).map((n) => 128 * (n >> 1) + 127 + (n & 1)),
    ),
    prefix: fc.constantFrom(32, 32, 32, 30, 24, 20),
    port: fc.constantFrom('', ' --dport 1', ' --dport 2:7'),
    target: fc.constantFrom('ACCEPT', 'DROP', 'REJECT', 'LOG'),
  })
  .map(({ verb, peer, prefix, port, target }) =>
    verb.startsWith('-D')
      ? verb
      : `${verb} -d 10.0.${peer >> 8}.${peer & 255}/${prefix} -p tcp${port} -j ${target}`,
  );

const PEER_PACKETS: readonly Packet[] = Array.from({ length: 200 }, (_, n) => ({
  ...elementAt(WIDE_PACKETS, 0),
  destination: 0x0a000000n + BigInt((n * 47) % (3 * PEERS)),
  destinationPort: 1 + (n % 9),
}));

it('makes it of what an edit among many peers comes to, and leaves the others', () => {
  const table = tableOf(Array.from({ length: PEERS }, (_, n) => peerRule(n)));
  const whole = makeWhole(table);
  const added: number[] = [];
  fc.assert(
    fc.property(fc.array(amongPeers, { minLength: 6, maxLength: 6 }), (commands) => {
      let [before, old] = [table, standing(whole)];
      for (const each of commands) {
        const stepped = step(before, old, each, PEER_PACKETS);
        expect(stepped?.isPart).toBe(true);
        if (!stepped) continue;
        const next = standing(stepped.next);
        added.push(next.header.nodes - old.header.nodes);
        [before, old] = [stepped.table, next];
      }
    }),
    { numRuns: propertyRuns(5) },
  );
  // Of some 9,000 an edit writes one SWITCH of those that tell the peers apart, and the one that leads to it.
  const few = added.filter((nodes) => nodes < 2500);
  expect(few.length / added.length).toBeGreaterThan(0.7);
});

it('leaves opaque tests their states where no rule is another', () => {
  const table = soundTable(
    '*socket\n-A CONNECT -m limit --limit 5/s -j ACCEPT\n-A CONNECT -m time --timestart 8:00 -j DROP\nCOMMIT\n',
  );
  const slots = [7, 0];
  const whole = makeWhole(table, slots);
  const groups = [{ name: 'web', id: 3, path: '/web' }];
  const text = Buffer.from(printSave({ ...table, groups }));
  const old = standing(whole);
  for (const edit of [undefined, { kind: 'zero', at: 0, count: 1 } as const]) {
    const draft = draftPart(old, slots, { text: () => text, groups, edit });
    expect(draft).toMatchObject({ stateful: [true, false], testOrigins: [0, 1] });
    const made = draft?.lay({ ...PLACE, slots });
    if (!made) throw new TypeError('nothing is laid out');
    expect(standing(made).words).toEqual(old.words);
    expect([...new Uint32Array(bytesOf(made, made.header.slotPage, 8).buffer)]).toEqual(slots);
  }
  const policy = { kind: 'policy', chain: 'CONNECT', counter: 2, errno: 1, table } as const;
  expect(draftPart(old, slots, { text: () => text, groups, edit: policy })).toBeUndefined();
});
