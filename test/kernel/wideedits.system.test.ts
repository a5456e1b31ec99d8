/**
 * Edits of tables with many rules, as a user makes them: after each, what the nodes in the kernel do with calls that rules
 * are about is what evaluate() says of the text that is in force.
 */
import { printSave } from '@sockfilter/iptables';
import { applyEdit } from '@sockfilter/language';
import { type Decision, evaluator, type Packet, type Table } from '@sockfilter/table';
import fc from 'fast-check';
import { COUNTERS_PER_PAGE } from '../../packages/kernel/src/layout.js';
import { Workplace } from '../cli/command.js';
import { editCommand } from '../harness/kepttable.js';
import { describeKernel } from '../harness/kernel.js';
import { forLength } from '../harness/length.js';
import { Policy, tableOf } from '../harness/policy.js';
import { Testbed } from '../harness/testbed.js';

/** What a rule is about, in numbers, each of as many as one table has rules. */
interface Words {
  readonly address: number;
  readonly port: number;
  readonly group: number;
  readonly verdict: 'ACCEPT' | 'DROP' | 'LOG';
  /** What of it a rule says. */
  readonly says: (typeof SAYS)[number];
}

const SAYS = ['all', 'all', 'all', 'address', 'port', 'group', 'network', 'ports'] as const;

const wordsOf = (most: number): fc.Arbitrary<Words> =>
  fc.record({
    address: fc.nat(most),
    port: fc.nat(most),
    group: fc.nat(most),
    verdict: fc.constantFrom('ACCEPT', 'DROP', 'DROP', 'LOG'),
    says: fc.constantFrom(...SAYS),
  });

/** Rules whose calls are looked at after each edit, all over the table, beside those of the edit and where it is. */
const LOOKED_AT = 40;
const FIRST_PORT = 1000;
const addressOf = (n: number) => `10.${n >> 12}.${(n >> 6) & 63}.${n & 63}`;

/** What rules say. */
interface Layout {
  readonly chain: (words: Words) => 'CONNECT' | 'U';
  /** Matches and target. */
  readonly rule: (words: Words) => string;
}

const endpoint = ({ address, port }: Words) =>
  `-d ${addressOf(address)}/32 -p udp -m udp --dport ${FIRST_PORT + port}`;

function mixed(words: Words): string {
  const { address, port, group, says } = words;
  const forms: Readonly<Record<Words['says'], string>> = {
    all: `${endpoint(words)} -m cgroup --id ${1 + group}`,
    address: `-d ${addressOf(address)}/32`,
    port: `-p udp -m udp --dport ${FIRST_PORT + port}`,
    group: `-m cgroup --id ${1 + group} -p udp -m udp --dport ${FIRST_PORT + port}`,
    network: `-d ${addressOf(address & ~7)}/29 -p udp -m udp --dport ${FIRST_PORT + port}`,
    ports: `-d ${addressOf(address)}/32 -p udp -m udp --dport ${FIRST_PORT + port}:${FIRST_PORT + 5 + port}`,
  };
  return forms[says];
}

const inOneChain = (matches: (words: Words) => string): Layout => ({
  chain: () => 'CONNECT',
  rule: (words) => `${matches(words)} -j ${words.verdict}`,
});

const ALL_GROUPS = inOneChain(endpoint);

/** A third of the rules are in a chain that a quarter of the others call. */
const CALLING: Layout = {
  chain: ({ address }) => (address % 3 === 0 ? 'U' : 'CONNECT'),
  rule(words) {
    const calls = CALLING.chain(words) === 'CONNECT' && words.port % 4 === 0;
    const target = words.port % 7 === 0 ? 'RETURN' : words.verdict;
    return `${mixed(words)} -j ${calls ? 'U' : target}`;
  },
};

const LAYOUTS: Readonly<Record<string, Layout>> = {
  'of all groups': ALL_GROUPS,
  'group first': inOneChain((words) => `${endpoint(words)} -m cgroup --id ${1 + words.group}`),
  mixed: inOneChain(mixed),
  'in two chains': CALLING,
};

interface Edit {
  readonly does: (typeof EDITS)[number];
  /** Where, as a part of the rules that there are. */
  readonly at: number;
  readonly words: Words;
}

const EDITS = ['A', 'I', 'I first', 'D', 'D by words', 'R', 'P'] as const;

const editOf = (most: number): fc.Arbitrary<Edit> =>
  fc.record({
    does: fc.constantFrom(...EDITS),
    at: fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
    words: wordsOf(most),
  });

const single = (most: number) => editOf(most).map((edit) => [edit]);
const batch = (most: number) =>
  fc.array(
    editOf(most).filter(({ does }) => does !== 'P'),
    { minLength: 2, maxLength: 10 },
  );

/** The words of the command; `lines` are those of the table as it is printed. */
function argumentsOf({ does, at, words }: Edit, lines: readonly string[], layout: Layout): string {
  const chain = layout.chain(words);
  const rules = lines.filter((line) => line.startsWith(`-A ${chain} `));
  const number = 1 + Math.floor(at * rules.length);
  const there = rules[number - 1];
  const rule = layout.rule(words);
  if (there === undefined) return `-A ${chain} ${rule}`;
  const forms: Readonly<Record<Edit['does'], string>> = {
    A: `-A ${chain} ${rule}`,
    I: `-I ${chain} ${number} ${rule}`,
    'I first': `-I ${chain} ${rule}`,
    D: `-D ${chain} ${number}`,
    'D by words': there.replace('-A', '-D'),
    R: `-R ${chain} ${number} ${rule}`,
    P: `-P CONNECT ${words.verdict === 'DROP' ? 'DROP' : 'ACCEPT'}`,
  };
  return forms[does];
}

/** The lines of a batch of edits of rules, each of the table that those before it leave. */
function batchOf(edits: readonly Edit[], before: string, layout: Layout): readonly string[] {
  let table = tableOf(before);
  return edits.map((edit) => {
    const line = argumentsOf(edit, printSave(table).split('\n'), layout);
    table = applyEdit(table, editCommand(line));
    return line;
  });
}

/** The calls that the words are about, and such as miss a little of it. */
function packetsOf(words: readonly Words[]): readonly Packet[] {
  return words.flatMap(({ address, port, group }, n) => {
    const other = words[(n * 7 + 1) % words.length] ?? words[n];
    const packet = (toAddress: number, toPort: number, of: number): Packet => ({
      chain: 'CONNECT',
      group: 1 + of,
      family: 4,
      protocol: 17,
      source: 0n,
      destination:
        0x0a00_0000n +
        BigInt(((toAddress >> 12) << 16) + (((toAddress >> 6) & 63) << 8) + (toAddress & 63)),
      sourcePort: 0,
      destinationPort: FIRST_PORT + toPort,
      flags: 0,
      uid: 0,
      gid: 0,
      mark: 0,
    });
    return [
      packet(address, port, group),
      packet(other?.address ?? 0, port, group),
      packet(address, other?.port ?? 0, other?.group ?? 0),
    ];
  });
}

const essence = ({ errno, decider, counted }: Decision) => ({
  errno,
  decider,
  counted: counted.toSorted((a, b) => a - b),
});

function walkAll(policy: Policy, packets: readonly Packet[]) {
  return policy.use((firewall) =>
    packets.map((packet) => {
      const walk = firewall.explain(packet);
      if (!walk) throw new Error('nothing is in force');
      return essence(walk(() => false));
    }),
  );
}

const evaluateAll = (table: Table, packets: readonly Packet[]) => {
  const evaluate = evaluator(table);
  return packets.map((packet) => essence(evaluate(packet)));
};

describeKernel('edits of tables with many rules', () => {
  let bed: Testbed;
  let policy: Policy;
  let place: Workplace;
  beforeAll(async () => {
    bed = await Testbed.create();
    policy = new Policy(bed.cgroups.path);
    place = new Workplace({ SOCKFILTER_ROOT: bed.cgroups.path });
  });
  afterAll(async () => {
    policy?.teardown();
    place?.remove();
    await bed?.close();
  });

  /** Makes a table of the rules, edits it, and compares after each edit; of many calls, some. */
  function follow(
    layout: Layout,
    first: readonly Words[],
    edits: readonly (readonly Edit[])[],
  ): void {
    const lines = first.map((words) => `-A ${layout.chain(words)} ${layout.rule(words)}`);
    policy.enforce(`-P CONNECT DROP\n-N U\n${lines.join('\n')}`);
    for (const together of edits) {
      const before = policy.use((firewall) => firewall.read())?.text ?? '';
      const words = batchOf(together, before, layout).join('\n');
      const run = words.includes('\n')
        ? place.run(['-', '--atomic'], { input: words })
        : place.run(words.split(' '));
      expect({ words, ...run }).toEqual({
        words,
        status: 0,
        stdout: '',
        stderr: '',
      });
      const text = policy.use((firewall) => firewall.read())?.text ?? '';
      const table = tableOf(text);
      expect(printSave(table)).toBe(text);
      expect({ words, differences: policy.use((firewall) => firewall.verify(table)) }).toEqual({
        words,
        differences: [],
      });
      const near = together.flatMap(({ at, words: own }) => [
        own,
        ...first.slice(Math.floor(at * first.length)).slice(0, 5),
      ]);
      const every = Math.ceil(first.length / LOOKED_AT);
      const about = [...near, ...first.filter((_, n) => n % every === 0)];
      const packets = packetsOf(about);
      expect({ words, walks: walkAll(policy, packets) }).toEqual({
        words,
        walks: evaluateAll(table, packets),
      });
    }
  }

  const tablesOf = (sizes: { readonly min: number; readonly max: number }, edits: number) =>
    fc
      .integer(sizes)
      .chain((most) =>
        fc.tuple(
          fc.array(wordsOf(most), { minLength: most, maxLength: most }),
          fc.array(fc.oneof(single(most), batch(most)), { minLength: edits, maxLength: edits }),
        ),
      );

  test.each(Object.entries(LAYOUTS))('rules %s', (_, layout) => {
    fc.assert(
      fc.property(
        tablesOf({ min: 10, max: forLength({ long: 1500, short: 150 }) }, 10),
        ([first, edits]) => follow(layout, first, edits),
      ),
      { numRuns: forLength({ long: 60, short: 3 }), endOnFailure: true },
    );
  });

  test('nodes and counters on many pages', () => {
    const most = COUNTERS_PER_PAGE + 100;
    fc.assert(
      fc.property(tablesOf({ min: most, max: most }, 3), ([first, edits]) =>
        follow(ALL_GROUPS, first, edits),
      ),
      { numRuns: forLength({ long: 10, short: 1 }), endOnFailure: true },
    );
  });
});
