/** Files that are to accept calls, where rules rewrite them. */
import { learnedWords, type SeenCall } from '@sockfilter/interop';
import { parseSave, printSave } from '@sockfilter/iptables';
import { NO_NAMES } from '@sockfilter/language';
import {
  CHAINS,
  elementAt,
  enforced,
  evaluator,
  type Group,
  type Packet,
  type Rule,
  type Table,
} from '@sockfilter/table';
import fc from 'fast-check';
import { goesOnAs } from '../../../../test/arbitrary/decision.js';
import { PACKET } from '../../../../test/arbitrary/ordinary.js';
import { DRAWN, rewritingTables, smallSpace } from '../../../../test/arbitrary/smalltable.js';
import { propertyRuns } from '../../../../test/harness/length.js';
import { extend } from './extend.js';
import { allows } from './ruletext.js';

const EXACT = { 4: 32, 6: 128 } as const;
const GROUPS: readonly Group[] = [{ name: 'web', id: 3, path: undefined }];

/** To 1.2.3.4:80. */
const CALL: Packet = { ...PACKET, group: 3, destination: 0x01020304n };

const once = (packet: Packet): SeenCall => ({ packet, times: 1 });

function read(lines: readonly string[]): Table {
  const text = ['*socket', ...lines, 'COMMIT', ''].join('\n');
  const { table, diagnostics } = parseSave(text, 'rules', { names: NO_NAMES });
  expect(diagnostics).toEqual([]);
  return table;
}

function learnt(lines: readonly string[], calls: readonly Packet[]) {
  const before = read(lines);
  const { table, left } = extend(before, calls.map(once), { groups: GROUPS, prefix: EXACT });
  const old = printSave(before).split('\n');
  const rules = printSave(table).split('\n');
  return {
    left: left.map(({ reason }) => reason),
    added: rules.flatMap((line, at) =>
      old.includes(line)
        ? []
        : [`${line.replace(/ -m comment --comment "[^"]*"/, '')} before ${rules[at + 1]}`],
    ),
  };
}

const DNAT = '-A CONNECT -d 1.2.3.4/32 -p tcp -j DNAT --to-destination 10.0.0.5:8080';
const NEW = '-d 10.0.0.5/32 -p tcp -m cgroup --id 3 -m tcp --dport 8080 -j ACCEPT';
const ASKED = '-d 1.2.3.4/32 -p tcp -m cgroup --id 3 -m tcp --dport 80 -j ACCEPT';
const DROP = '-A CONNECT -j DROP';
const SOMETIMES_DROP = '-A CONNECT -m limit --limit 1/sec -j DROP';

test.each([
  ['behind the rule, with the address that it gives', [DNAT, DROP], 'CONNECT', NEW, DROP],
  ['of a policy: at the end', [':CONNECT DROP', DNAT], 'CONNECT', NEW, 'COMMIT'],
  ['a rule that is not met', [DROP, DNAT], 'CONNECT', ASKED, DROP],
  [
    'a mark is set before',
    ['-A CONNECT -j MARK --set-xmark 0x1/0xffffffff', DROP],
    'CONNECT',
    ASKED,
    DROP,
  ],
  [
    'in a chain that comes back',
    [
      ':nat -',
      '-A nat -d 1.2.3.4/32 -p tcp -j DNAT --to-destination 10.0.0.5:8080',
      '-A CONNECT -j nat',
      DROP,
    ],
    'CONNECT',
    NEW,
    DROP,
  ],
  [
    'in a chain that does not',
    [
      ':nat -',
      '-A nat -d 1.2.3.4/32 -p tcp -j DNAT --to-destination 10.0.0.5:8080',
      '-A nat -j DROP',
      '-A CONNECT -j nat',
    ],
    'nat',
    NEW,
    '-A nat -j DROP',
  ],
  [
    'in a chain that is gone to, by a policy',
    [
      ':CONNECT DROP',
      ':nat -',
      '-A nat -d 1.2.3.4/32 -p tcp -j DNAT --to-destination 10.0.0.5:8080',
      '-A CONNECT -g nat',
    ],
    'nat',
    NEW,
    'COMMIT',
  ],
  [
    'before what goes elsewhere',
    [':CONNECT DROP', ':end -', DNAT, '-A CONNECT -g end'],
    'CONNECT',
    NEW,
    '-A CONNECT -g end',
  ],
  [
    'before what leaves the chain',
    [':CONNECT DROP', DNAT, '-A CONNECT -p tcp -j RETURN', '-A CONNECT -j ACCEPT'],
    'CONNECT',
    NEW,
    '-A CONNECT -p tcp -j RETURN',
  ],
  ['before all that may refuse it', [DNAT, SOMETIMES_DROP, DROP], 'CONNECT', NEW, SOMETIMES_DROP],
  [
    'behind a chain that one goes to from another',
    [
      ':a -',
      ':b -',
      '-A b -d 1.2.3.4/32 -p tcp -j DNAT --to-destination 10.0.0.5:8080',
      '-A a -g b',
      '-A CONNECT -j a',
      DROP,
    ],
    'CONNECT',
    NEW,
    DROP,
  ],
  [
    'in the chain that was learned',
    [
      ':web-connect -',
      DNAT,
      '-A CONNECT -m cgroup --id 3 -j web-connect',
      '-A web-connect -j DROP',
    ],
    'web-connect',
    NEW.replace('-m cgroup --id 3 ', ''),
    '-A web-connect -j DROP',
  ],
])('%s', (_, lines, chain, words, next) => {
  expect(learnt(lines, [CALL])).toEqual({
    left: [],
    added: [`-A ${chain} ${words} before ${next}`],
  });
});

const SOMETIMES = '-m limit --limit 1/s -j DNAT --to-destination 10.0.0.5';
const ALWAYS = '-p tcp -j DNAT --to-destination 10.0.0.5';

test.each([
  [
    'one of several destinations',
    [DNAT.replace('5:8080', '5-10.0.0.9'), DROP],
    'rule 1 of CONNECT gives them one of several destinations',
  ],
  [
    'by a limit',
    [`-A CONNECT ${SOMETIMES}`, DROP],
    'what rule 1 of CONNECT makes of them depends on a clock, a state or chance',
  ],
  [
    'a mark by a limit',
    ['-A CONNECT -m limit --limit 1/s -j MARK --set-mark 1', DROP],
    'what rule 1 of CONNECT makes of them depends on a clock, a state or chance',
  ],
  [
    'a chain that others call',
    [':nat -', `-A nat ${ALWAYS}`, '-A nat -j DROP', '-A CONNECT -j nat', '-A BIND -j nat'],
    'a rule for them in chain nat would be one for BIND too',
  ],
  [
    'a chain that is called twice',
    [':CONNECT DROP', ':nat -', `-A nat ${ALWAYS}`, '-A CONNECT -j nat', '-A CONNECT -g nat'],
    'they come to chain nat, which rewrites them, more than once',
  ],
])('left out: %s', (_, lines, reason) => {
  expect(learnt(lines, [CALL])).toEqual({ left: [reason], added: [] });
});

test('no rule for a call keeps another one from what rewrites it', () => {
  const lines = [
    '-A CONNECT -m owner --uid-owner 7 -j DROP',
    '-A CONNECT -p tcp -j DNAT --to-destination 10.0.0.5:8080',
    DROP,
  ];
  const { left, added } = learnt(lines, [{ ...CALL, uid: 7 }, CALL]);
  expect(left).toEqual([expect.stringContaining('accept others before those are rewritten')]);
  expect(added).toEqual([`-A CONNECT ${NEW} before ${DROP}`]);
});

const SAMPLE = 150;

/** The table that refuses nothing, and rewrites as before. */
function opened(table: Table): Table {
  const accept = ({ target, ...rule }: Rule): Rule =>
    target?.kind === 'drop' || target?.kind === 'reject'
      ? { ...rule, target: { kind: 'accept' } }
      : { ...rule, target };
  const chains = table.chains.map((chain) => ({
    ...chain,
    policy: chain.policy && ('ACCEPT' as const),
    rules: chain.rules.map(accept),
  }));
  return { ...table, chains };
}

test('a call that was learned passes as what rules make of it, and of those that were refused none else but its like', () => {
  let [placed, leftOut] = [0, 0];
  const wordsOf = ({ packet }: { readonly packet: Packet }) =>
    `${packet.chain} ${packet.group} ${learnedWords(packet, EXACT)}`;
  fc.assert(
    fc.property(
      rewritingTables,
      fc.array(fc.nat(), { minLength: 1, maxLength: 4 }),
      (table, picks) => {
        const isAllowed = allows(table);
        const whole = smallSpace(table).filter(({ chain }) => CHAINS[chain].refusal === 'errno');
        const space = whole.filter((_, n) => n % Math.ceil(whole.length / SAMPLE) === 0);
        const refused = space.filter((packet) => !isAllowed(packet));
        if (refused.length === 0) return;
        const calls = picks.map((n) => elementAt(refused, n % refused.length));
        const { table: grown, left } = extend(table, calls.map(once), {
          groups: [],
          prefix: EXACT,
        });
        const learned = calls.filter((call) => left.every(({ packet }) => packet !== call));
        placed += learned.length;
        leftOut += left.length;
        const [before, after, free] = [enforced(table), enforced(grown), opened(table)].map(
          evaluator,
        );
        if (!before || !after || !free) throw new Error('three tables');
        const words = new Set<string>();
        for (const call of learned)
          for (const drawn of DRAWN) {
            const { errno, packet } = after({ ...call, ...drawn });
            expect([errno, goesOnAs(packet)]).toEqual([
              0,
              goesOnAs(free({ ...call, ...drawn }).packet),
            ]);
            words.add(wordsOf({ packet }));
          }
        for (const packet of space)
          for (const drawn of DRAWN) {
            const now = after({ ...packet, ...drawn });
            if (now.errno === 0 && before({ ...packet, ...drawn }).errno !== 0)
              expect(words).toContain(wordsOf(now));
          }
      },
    ),
    { numRuns: propertyRuns(40) },
  );
  expect(placed).toBeGreaterThan(leftOut);
});
