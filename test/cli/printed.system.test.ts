/** Every command that a finding shows is run, and says of its call what the finding says. */
import { cpSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { printSave } from '@sockfilter/iptables';
import {
  Comparison,
  checkFile,
  type Finding,
  fileWithoutText,
  type Witness,
} from '@sockfilter/policy';
import {
  DETAIL_NAMES,
  errnoName,
  evaluate,
  type Packet,
  registerPaths,
  type Table,
} from '@sockfilter/table';
import fc from 'fast-check';
import { atPlace, typedPlace } from '../../packages/cli/src/globals.js';
import { type PacketWords, readPacket } from '../../packages/cli/src/packet.js';
import { tables } from '../arbitrary/table.js';
import { fileOf } from '../policy/rulefile.js';
import { program, Workplace } from './command.js';

const OPTIONS = [
  ...(['group', 'proto', 'src', 'dst', 'uid', 'gid', 'mark'] as const),
  ...DETAIL_NAMES,
];

/** The words of `sockfilter --file F explain CHAIN --OPTION VALUE...`. */
function wordsOf({ command }: Witness): PacketWords {
  const typed = command.split(' explain ')[1]?.match(/'[^']*'|\S+/g) ?? [];
  const [chain = '', ...rest] = typed.map((word) => word.replace(/^'(.*)'$/, '$1'));
  const words: Record<string, string | undefined> = {};
  for (let at = 0; at < rest.length; at += 2) {
    const option = OPTIONS.find((name) => rest[at] === `--${name}`);
    if (option === undefined) throw new Error(`${command}: what is ${rest[at]}?`);
    words[option] = rest[at + 1];
  }
  return { ...words, chain };
}

function witnesses(findings: readonly Finding[]): readonly Witness[] {
  return findings.flatMap(({ witness }) => witness ?? []);
}

test('whatever the table, the words of a witness are the call', () => {
  let run = 0;
  fc.assert(
    fc.property(tables(4), tables(4), (before, after) => {
      const [old, now] = [fileWithoutText('before', before), fileWithoutText('after', after)];
      const comparison = new Comparison(old, now);
      const found = [
        ...checkFile(now).findings,
        ...comparison.findings(comparison.describe()),
        ...comparison.findings(comparison.describe(), { noNewAccess: true }),
      ];
      for (const shown of witnesses(found)) {
        const read: Packet = readPacket(wordsOf(shown), registerPaths(after, 0));
        expect({ command: shown.command, ...read }).toEqual({
          command: shown.command,
          ...shown.packet,
        });
        run++;
      }
    }),
    { numRuns: 6 },
  );
  expect(run).toBeGreaterThan(20);
});

/** One rule each for what a call can be. */
const EVERY_CALL = [
  ':BIND DROP',
  ':ACCEPT DROP',
  ':CONNECT DROP',
  ':SENDTO DROP',
  ':RECVFROM DROP',
  '-A BIND -p udplite -j ACCEPT',
  '-A BIND -p udplite --dport 7 -j DROP',
  '-A ACCEPT -d ::1 -m owner ! --uid-owner 0-4294967293 -j ACCEPT',
  '-A ACCEPT -d ::1 -p tcp -m owner --uid-owner 4294967294 -j DROP',
  '-A CONNECT -p ipv6-icmp -j ACCEPT',
  '-A CONNECT -6 -p ipv6-icmp -j DROP',
  '-A CONNECT -m owner --gid-owner 33 -j REJECT --reject-with EACCES',
  '-A CONNECT -m cgroup --path /web/sub -j ACCEPT',
  '-A SENDTO -p udplite -s fd00::/64 -j ACCEPT',
  '-A RECVFROM -p udplite -m cgroup --id 3 -j ACCEPT',
  '-A RECVFROM -p udplite -m cgroup --id 3 --dport 9 -j DROP',
];

describe('the commands as they are printed', () => {
  let place: Workplace;
  beforeAll(() => {
    place = new Workplace();
  });
  afterAll(() => place.remove());

  function run(table: Table, { command, packet }: Witness): void {
    const [program, ...words] = command.split(' ');
    expect(program).toBe('sockfilter');
    const { stdout } = place.expectStatus([...words, '--json'], 0);
    const { errno } = evaluate(registerPaths(table, 0), packet);
    expect(JSON.parse(stdout)).toMatchObject(
      errno === 0
        ? { verdict: 'allowed', call: { chain: packet.chain, group: packet.group } }
        : { verdict: 'refused', errno, errnoName: errnoName(errno) },
    );
  }

  test('of every kind of call', () => {
    const file = fileOf(EVERY_CALL, 'every.rules');
    place.write('every.rules', printSave(file.table));
    const found = witnesses(checkFile(file).findings);
    const kinds = new Map(
      found.map((shown) => [`${shown.packet.chain} ${shown.packet.protocol}`, shown]),
    );
    expect(kinds.size).toBeGreaterThan(3);
    for (const shown of kinds.values()) run(file.table, shown);
  });

  /** The commands in the text, as lines of their own or as data. */
  function commandsIn(text: string): readonly string[] {
    const found = [...text.matchAll(/(?:^ +|"command": ")(sockfilter .*explain [^"\n]*)/gm)];
    return [...new Set(found.map(([, command]) => `${command}`))];
  }

  test('of expectations and of a comparison, as text and as data', () => {
    place.write('every.rules', printSave(fileOf(EVERY_CALL, 'every.rules').table));
    place.write('after.rules', printSave(fileOf(EVERY_CALL.slice(0, -2), 'after.rules').table));
    place.write(
      'every.test.yaml',
      [
        'cases:',
        '  - call: { chain: RECVFROM, group: 3, proto: udplite, src: 10.0.0.2, sport: 5, dst: 10.0.0.1, dport: 9 }',
        '    expect: drop',
        'invariants:',
        ...['BIND', 'ACCEPT', 'CONNECT', 'SENDTO', 'RECVFROM'].map(
          (chain) => `  - never: accept\n    in: { chain: ${chain} }`,
        ),
      ].join('\n'),
    );
    for (const words of [
      ['test', '--all', 'every.rules'],
      ['diff', 'every.rules', 'after.rules'],
    ]) {
      const text = commandsIn(place.expectStatus(words, 1).stdout);
      const data = commandsIn(place.expectStatus([...words, '--format', 'json'], 1).stdout);
      expect(text.length).toBeGreaterThan(words[0] === 'test' ? 4 : 0);
      expect(new Set(data)).toEqual(new Set(text));
      for (const command of text) place.expectStatus(command.split(' ').slice(1), 0);
    }
  });

  test.each([
    [['--file', 'web rules', 'group', 'move', 'db', '/x'], 'live table only'],
    [['--file', 'web rules', 'group', 'delete', 'db'], "--file 'web rules' group add db"],
    [['--file', 'gone away', '-S'], "printf '*socket\\nCOMMIT\\n' > 'gone away'"],
  ])('of a hint: %p', (words, hint) => {
    place.write('web rules', '*socket\nCOMMIT\n');
    const { stderr } = place.run(words);
    expect(stderr).toContain(hint);
    const [, command] = /help: .*?`((?:sockfilter|printf) [^`]+)`/.exec(stderr) ?? [];
    if (command === undefined) return;
    const node = `'${process.execPath}' '${program('sockfilter')}'`;
    const typed = command.replaceAll(/\bsockfilter /g, `${node} `);
    expect(place.shell(typed)).toMatchObject({ status: 0, stderr: '' });
    place.expectStatus(words, 0);
  });

  test('of the rule files', () => {
    const folder = join(__dirname, '../../rules');
    cpSync(folder, place.path('.'), { recursive: true });
    const files = readdirSync(folder).filter((name) => name.endsWith('.rules'));
    const { stdout } = place.run(['check', ...files]);
    const commands = commandsIn(stdout);
    expect(commands.length).toBeGreaterThan(0);
    for (const command of commands.slice(0, 12)) place.expectStatus(command.split(' ').slice(1), 0);
  });
});

describe('a command that we tell of works on the table that was meant', () => {
  test.each([
    ['-S', ''],
    ['--root /web status', '--root /web'],
    ['status --root=/web', '--root /web'],
    ['-w 5 --file a.rules -S', '--file a.rules'],
    ['exec --group x -- y --root /web', ''],
    ['status --root', ''],
  ])('%s', (line, place) => {
    expect(typedPlace(line.split(' '))).toBe(place);
  });

  test('all of the commands, and each once', () => {
    const text = 'run `sockfilter save > F && sockfilter restore F`, not `sockfilter --root / -S`';
    expect(atPlace(text, '--root /web')).toBe(
      'run `sockfilter --root /web save > F && sockfilter --root /web restore F`, not `sockfilter --root / -S`',
    );
    expect(atPlace(text, '')).toBe(text);
  });
});
