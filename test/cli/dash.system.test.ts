/** `-` where a file is meant: standard input where one is read, standard output or a refusal where one is written. */
import { readdirSync } from 'node:fs';
import { COMMANDS } from '../../packages/cli/src/commandrow.js';
import { program, Workplace } from './command.js';

const place = new Workplace();
afterAll(() => place.remove());

const RULES = '*socket\n:BIND DROP [0:0]\n-A BIND -d 10.0.0.5 -j ACCEPT\nCOMMIT\n';
place.write('web.rules', RULES);
place.write('other.rules', '*socket\n:BIND DROP [0:0]\nCOMMIT\n');
place.write('none.jsonl', '');

/** For each command that is given files, words by which it reads this one. */
const READS: Readonly<Record<string, (file: string) => readonly string[]>> = {
  restore: (file) => ['--file', 'other.rules', 'restore', '--test', file],
  check: (file) => ['check', '--all', file],
  test: (file) => ['test', file],
  diff: (file) => ['diff', 'other.rules', file],
  query: (file) => ['query', 'accept', file, '--chain', 'BIND'],
  review: (file) => ['review', file],
  simplify: (file) => ['simplify', file],
  learn: (file) => ['learn', file],
  import: (file) => ['import', '--from', 'iptables-save', file],
  export: (file) => ['export', '--to', 'json', file],
};

/** Written files, by the command's words up to the option's value. */
const WRITES: Readonly<Record<string, readonly string[]>> = {
  'save --output': ['--file', 'web.rules', 'save', '--output'],
  'metrics --output': ['metrics', '--root', '/no-such-root', '--output'],
  'diff --report': ['diff', 'web.rules', 'other.rules', '--report'],
  'query --report': ['query', 'accept', 'web.rules', '--report'],
  'learn --into': ['learn', 'none.jsonl', '--into'],
  'import --report': ['import', '--from', 'iptables-save', 'web.rules', '--report'],
  'import --tests': ['import', '--from', 'iptables-save', 'web.rules', '--tests'],
  'export --report': ['export', '--to', 'json', 'web.rules', '--report'],
};

const anonymous = (text: string) =>
  text.replaceAll(/web\.rules|standard input|\/dev\/stdin/g, 'IT');

test('each command that is given files reads `-`', () => {
  const rows = COMMANDS.filter(({ args }) => args.some(({ filler }) => filler === 'file'));
  expect(rows.map(({ words }) => words).sort()).toEqual(Object.keys(READS).sort());
  for (const [name, words] of Object.entries(READS)) {
    const named = place.run(words('web.rules'));
    const dashed = place.run(words('-'), { input: RULES });
    if (name === 'test' || name === 'review') {
      // Expectations stand beside the rules, and what is read from here has no such place.
      expect(dashed).toMatchObject({ status: 2, stderr: expect.stringContaining('neither rules') });
      continue;
    }
    expect([name, dashed.status, anonymous(dashed.stdout)]).toEqual([
      name,
      named.status,
      anonymous(named.stdout),
    ]);
    expect(anonymous(dashed.stderr)).toBe(anonymous(named.stderr));
  }
  expect(place.run(['diff', '-', '-'], { input: RULES }).stderr).toContain('can be read once');
});

test('`-` is never written to, neither as a file nor as what standard input is read from', () => {
  const options = COMMANDS.flatMap(({ words, options }) =>
    Object.entries(options).flatMap(([name, filler]) =>
      filler === 'output' ? [`${words} --${name}`] : [],
    ),
  );
  expect(options.sort()).toEqual(Object.keys(WRITES).sort());
  const before = readdirSync(place.folder);
  for (const words of Object.values(WRITES)) {
    place.run([...words, '-'], { input: RULES });
    place.run([...words.slice(0, -1), `${words.at(-1)}=-`], { input: RULES });
  }
  for (const name of ['diff --report', 'learn --into']) {
    const words = [...(WRITES[name] ?? []), '-'].join(' ');
    place.shell(`${process.execPath} ${program('sockfilter')} ${words} < web.rules`);
  }
  expect(place.read('web.rules')).toBe(RULES);
  expect(readdirSync(place.folder)).toEqual(before);
});

test('`--file -` can not be written back', () => {
  for (const words of ['-S', '-A BIND -j DROP', 'save', 'group list'])
    expect(place.run(['--file', '-', ...words.split(' ')], { input: RULES }).stderr).toContain(
      '`--file` names a file',
    );
});
