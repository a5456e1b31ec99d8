/**
 * Commands of all kinds on tables of all kinds: after each, nodes, hooks and the ids of control groups in the kernel are what the
 * text in force says, whichever way the command took: a part compiled alone, the head changed, or the whole.
 */
import { parseSave, printSave } from '@sockfilter/iptables';
import { NO_NAMES } from '@sockfilter/language';
import { elementAt, type Table } from '@sockfilter/table';
import fc from 'fast-check';
import { opaqueTables } from '../arbitrary/opaque.js';
import { setTables } from '../arbitrary/set.js';
import { tables } from '../arbitrary/table.js';
import { Workplace } from '../cli/command.js';
import { describeKernel } from '../harness/kernel.js';
import { forLength } from '../harness/length.js';
import { Policy, tableOf } from '../harness/policy.js';
import { Testbed } from '../harness/testbed.js';

const REWRITING = [
  '-I CONNECT -d 10.0.0.5/32 -p tcp -m tcp --dport 80 -j DNAT --to-destination 10.0.0.6:81',
  '-I CONNECT -d 10.0.0.6/32 -p tcp -j DNAT --to-destination 10.0.0.7-10.0.0.9:90-92 --persistent',
  '-I BIND -p tcp -m tcp --dport 80 -j REDIRECT --to-ports 8080',
  '-A SENDTO -d 2001:db8::1/128 -p udp -j DNAT --to-destination 2001:db8::2',
  '-I CONNECT -m mark --mark 0x1 -j MARK --set-xmark 0x10/0xf0',
];

/** Without the lines that are none, as those of rules that match nothing in their chain. */
function sound(text: string): string {
  const { diagnostics } = parseSave(text, 'rules', { names: NO_NAMES });
  if (diagnostics.length === 0) return text;
  const faulty = new Set(diagnostics.map(({ span }) => span.line));
  const lines = text.split('\n').filter((_, n) => !faulty.has(n + 1));
  return sound(lines.join('\n'));
}

const ruleFiles = (table: fc.Arbitrary<Table>, more: readonly string[] = []) =>
  fc
    .tuple(table, fc.subarray([...more]))
    .map(([each, lines]) => printSave(each).replace(/^COMMIT$/m, [...lines, 'COMMIT'].join('\n')))
    .map(sound);

/** Rule files. */
const KINDS: Readonly<Record<string, fc.Arbitrary<string>>> = {
  plain: ruleFiles(tables(4)),
  'with opaque tests': ruleFiles(opaqueTables(tables(3))),
  'that rewrite': ruleFiles(tables(2), REWRITING),
  'with named sets': ruleFiles(setTables(tables(3))),
};

/** The text with all paths below the root. */
const below = (root: string, text: string) =>
  text.replace(/--path ("?)\/([^"\s]*)/g, (_, quote: string, rest: string) =>
    rest === '' ? `--path ${quote}${root}` : `--path ${quote}${root}/${rest}`,
  );

const RULES = [
  '-d 10.0.0.5 -p tcp --dport 80 -j DROP',
  '-m cgroup --id 3 -d 10.0.0.0/24 -j ACCEPT',
  '-m cgroup --id 1 -p udp -j DROP',
  '-m cgroup ! --id 7 -j LOG',
  '-p tcp --dport 1000:2000 -j REJECT',
  '-m mark --mark 0x10 -j RETURN',
  '-j DROP',
  '-j TRACE',
  '-j ACCEPT --audit',
];

/** What is drawn for a command; where it is, and of what, the table that is in force says. */
interface Draw {
  readonly does: (typeof COMMANDS)[number];
  readonly at: number;
  readonly to: number;
  readonly rule: string;
}

const COMMANDS = [
  ...['-A', '-A', '-A copy', '-I', '-I copy', '-D', '-D', '-D rule', '-R', '-R copy'],
  ...['-P', '-P', '-P audit', '-Z', '-Z one', '-N', '-X', '-E', '-F'],
  ...['group add', 'group delete', 'batch', 'batch', 'undo'],
] as const;

const nth = <T>(list: readonly T[], part: number): T | undefined =>
  list[Math.floor(part * list.length)];

/** A line as words of a shell; rules that are printed have quotes. */
const wordsOf = (line: string) =>
  [...line.matchAll(/(?:[^\s"]|"(?:[^"\\]|\\.)*")+/g)].map(([word]) =>
    word.replace(/"((?:[^"\\]|\\.)*)"/g, (_, inner: string) => inner.replace(/\\(.)/g, '$1')),
  );

/** The line of the command on the table of the text. */
function lineOf({ does, at, to, rule }: Draw, text: string, root: string): string {
  const lines = text.split('\n');
  const rules = lines.filter((line) => line.startsWith('-A '));
  const chains = lines.flatMap((line) => /^:(\S+)/.exec(line)?.[1] ?? []);
  const [builtin, own] = [chains.slice(0, 5), chains.slice(5)];
  const chain = nth(chains, to) ?? 'BIND';
  const count = rules.filter((line) => line.startsWith(`-A ${chain} `)).length;
  const number = 1 + Math.floor(at * count);
  const [, from = 'BIND', copied = rule] = /^-A (\S+) (.*)$/.exec(nth(rules, at) ?? '') ?? [];
  const place =
    1 + rules.filter((line) => line.startsWith(`-A ${from} `)).indexOf(nth(rules, at) ?? '');
  switch (does) {
    case '-A':
      return `-A ${chain} ${rule}`;
    case '-A copy':
      return `-A ${chain} ${copied}`;
    case '-I':
      return `-I ${chain} ${number} ${rule}`;
    case '-I copy':
      return `-I ${chain} ${number} ${copied}`;
    case '-D':
      return `-D ${from} ${place}`;
    case '-D rule':
      return `-D ${from} ${copied}`;
    case '-R':
      return `-R ${from} ${place} ${rule}`;
    case '-R copy':
      return `-R ${chain} ${number} ${copied}`;
    case '-P':
      return `-P ${nth(builtin, at)} ${to < 0.5 ? 'DROP' : 'ACCEPT'}`;
    case '-P audit':
      return `-P ${nth(builtin, at)} DROP --audit`;
    case '-Z':
      return '-Z';
    case '-Z one':
      return `-Z ${from} ${place}`;
    case '-N':
      return '-N made';
    case '-X':
      return `-X ${nth(own, to) ?? 'made'}`;
    case '-E':
      return `-E ${nth(own, to) ?? 'made'} renamed`;
    case '-F':
      return `-F ${chain}`;
    case 'group add':
      return `group add of${Math.floor(10 * at)} --path ${root}/${elementAt(['web', 'web/a', 'db', 'more'], Math.floor(4 * to))}`;
    case 'group delete':
      return `group delete ${
        nth(
          [...text.matchAll(/^-G (\S+)/gm)].map(([, name]) => name),
          to,
        ) ?? 'none'
      }`;
    default:
      return does;
  }
}

const draws: fc.Arbitrary<readonly Draw[]> = fc.array(
  fc.record({
    does: fc.constantFrom(...COMMANDS),
    at: fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
    to: fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
    rule: fc.constantFrom(...RULES),
  }),
  { minLength: 6, maxLength: 12 },
);

describeKernel('what is in force is what its text says', () => {
  let bed: Testbed;
  let policy: Policy;
  let place: Workplace;
  beforeAll(async () => {
    bed = await Testbed.create();
    for (const name of ['web', 'web/a', 'web/b', 'db', 'webs', 'more']) bed.cgroups.child(name);
    policy = new Policy(bed.cgroups.path);
    place = new Workplace({ SOCKFILTER_ROOT: bed.cgroups.path });
  });
  afterAll(async () => {
    policy?.teardown();
    place?.remove();
    await bed?.close();
  });

  const textInForce = () => policy.use((firewall) => firewall.read())?.text ?? '';

  /** Runs the command; tells whether it did something. */
  function run(
    draw: Draw,
    others: readonly Draw[],
  ): { readonly line: string; readonly done: boolean } {
    const text = textInForce();
    if (draw.does !== 'batch') {
      const line = lineOf(draw, text, policy.root);
      const { status } = place.run(wordsOf(line));
      expect({ line, isBug: status === 3 }).toEqual({ line, isBug: false });
      return { line, done: status === 0 };
    }
    const line = others
      .filter(({ does }) => does.startsWith('-'))
      .slice(0, 3)
      .map((each) => lineOf(each, text, policy.root))
      .join('\n');
    const { status } = place.run(['-', '--atomic'], { input: `${line}\n` });
    return { line, done: status === 0 };
  }

  function requireSame(after: string): void {
    const table = tableOf(textInForce());
    const differences = policy.use((firewall) => firewall.verify(firewall.fill(table)));
    expect({ after, differences }).toEqual({ after, differences: [] });
  }

  test.each(Object.entries(KINDS))('of tables %s', (_, arbitrary) => {
    let [all, done] = [0, 0];
    fc.assert(
      fc.property(arbitrary, draws, (text, commands) => {
        place.write('rules', below(policy.root, text));
        place.expectStatus(['restore', 'rules'], 0);
        requireSame('restore');
        commands.forEach((command, n) => {
          const { line, done: hasDone } = run(command, commands.slice(n + 1));
          all++;
          if (hasDone) done++;
          requireSame(line);
        });
      }),
      { numRuns: forLength({ long: 60, short: 4 }), endOnFailure: true },
    );
    expect(done / all).toBeGreaterThan(0.4);
  });

  test.each([
    ['-D CONNECT 9', 1, 'Index of deletion too big.'],
    ['-A CONNECT -j none', 2, 'No chain/target/match by that name.'],
  ])('a batch with %s among its lines changes nothing, and names the line', (line, exit, said) => {
    place.write('rules', '*socket\n-A CONNECT -p tcp -j DROP\nCOMMIT\n');
    place.expectStatus(['restore', 'rules'], 0);
    const before = textInForce();
    const input = ['-A CONNECT -p udp -j DROP', '# ours', '-D CONNECT 1', line, ''].join('\n');
    const { status, stderr } = place.run(['-', '--atomic'], { input });
    expect(status).toBe(exit);
    expect(stderr).toContain('standard input:4:');
    expect(stderr).toContain(said);
    expect(textInForce()).toBe(before);
  });
});
