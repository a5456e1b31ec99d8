/**
 * A part that is compiled alone, and put among nodes that stand, says what the whole says: after any sequence of edits
 * every call comes to the same, and the header, the text and the counters are those of a table that is compiled anew.
 */
import { printSave } from '@sockfilter/iptables';
import { elementAt, type Packet } from '@sockfilter/table';
import fc from 'fast-check';
import { draftPart } from '../../packages/kernel/src/partchange.js';
import { soundTable } from '../harness/kepttable.js';
import { propertyRuns } from '../harness/length.js';
import { bytesOf, makeWhole, PLACE, standing } from './madegeneration.js';
import { batch, command, downBatch, downCommand, downLine, firstLine } from './partcommands.js';
import { isBatch, step, tableOf } from './partstep.js';

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
