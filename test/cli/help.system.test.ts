/** Help, versions, completion, and what a command loads. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { COMMANDS } from '../../packages/cli/src/commandrow.js';
import { RULES, TESTS } from '../ci/repository.js';
import { ended, program, Workplace, writeStandIn } from './command.js';

let place: Workplace;
beforeAll(() => {
  place = new Workplace({ SOCKFILTER_FILE: 'rules' });
  place.write('rules', `*socket\n${'-A BIND -j ACCEPT\n'.repeat(20_000)}COMMIT\n`);
});
afterAll(() => place.remove());

test('help has examples first, and every option of the command line', () => {
  const { stdout } = place.expectStatus(['--help'], 0);
  expect(stdout).toContain('sockfilter -A BIND -m cgroup --id 3 -d 10.0.0.5 -j ACCEPT\n');
  expect(Math.max(...stdout.split('\n').map((line) => line.length))).toBeLessThanOrEqual(100);
  expect(place.run(['-h']).stdout).toBe(stdout);
  expect(place.run(['--root', '/x', 'help']).stdout).toBe(stdout);
});

test.each([
  [['restore', '--help'], '--noflush'],
  [['group', 'add', '-h'], '--path'],
  [['exec', '--help'], 'exec --group NAME -- COMMAND'],
])('%p', (args, text) => {
  expect(place.expectStatus(args, 0).stdout).toContain(text);
});

test('the version is that of the package', () => {
  const manifest: unknown = JSON.parse(
    readFileSync(join(__dirname, '../../packages/cli/package.json'), 'utf8'),
  );
  const { stdout } = place.expectStatus(['--version'], 0);
  expect(manifest).toMatchObject({ version: stdout.trim().replace(/^sockfilter v/, '') });
  expect(place.run(['-V']).stdout).toBe(stdout);
  for (const name of ['sockfilter-save', 'sockfilter-restore'] as const)
    for (const option of ['-V', '--version'])
      expect(place.runProgram(program(name), [option])).toEqual({ status: 0, stdout, stderr: '' });
});

test('completion is for a shell that is known', () => {
  expect(place.expectStatus(['completion', 'fish'], 0).stdout).toMatch(/^# fish completion/);
  const { stdout } = place.expectStatus(['completion'], 0, { env: { SHELL: '/usr/bin/zsh' } });
  expect(stdout).toMatch(/^#compdef sockfilter\n/);
  place.expectStatus(['completion'], 2);
  expect(place.expectStatus(['completion', 'nosuch'], 2).stderr).toContain(
    'SHELL is bash, zsh, fish, not `nosuch`',
  );
});

describe('what is missing, or nearly right, is named', () => {
  test.each([
    ['explain', '`explain` needs CHAIN', 'for example `sockfilter explain BIND '],
    ['group add', '`group add` needs NAME', 'for example `sockfilter group add web`'],
    ['group move web', '`group move` needs PID', 'for example'],
    ['query', '`query` needs VERDICT', 'for example'],
    ['check', '`check` needs PATHS', 'for example'],
    ['query acept', 'VERDICT is accept, refuse, not `acept`', 'did you mean `accept`?'],
    ['group del', 'unknown argument: `del`', 'did you mean `delete`?'],
    ['list', 'there is no command `list`', '`sockfilter group list`'],
    ['create web ip', '`create` begins a line of a rule file', '`sockfilter set create NAME'],
    ['-G web --id 3', '`-G` begins a line of a rule file', '`sockfilter group add NAME'],
    [':BIND DROP', '`:BIND` begins a line of a rule file', '`sockfilter -P CHAIN'],
    ['*socket', '`*socket` begins a line of a rule file', '`sockfilter restore FILE`'],
    ['chek', 'there is no command `chek`', 'did you mean `check`?'],
    ['check x --fial-on error', 'unknown argument: `fial-on`', 'did you mean `--fail-on`?'],
    ['review --gate sane', '`--gate` is report, no-new-access, same', 'did you mean `same`?'],
    ['check x --root /', '`check` takes no `--root`', 'works on the files that it is given'],
    ['--file rules simplify rules', '`simplify` takes no `--file`', 'works on the files'],
  ])('%s', (line, message, help) => {
    const { stderr } = place.expectStatus(line.split(' '), 2);
    expect(stderr).toContain(message);
    expect(stderr).toContain(help);
  });
});

describe('every example of a help works', () => {
  let shop: Workplace;
  beforeAll(() => {
    shop = new Workplace({ SOCKFILTER_FILE: 'live', SHELL: '/bin/bash' });
    mkdirSync(shop.path('rules'));
    const git = (...words: readonly string[]) =>
      execFileSync('git', ['-c', 'user.name=x', '-c', 'user.email=x@x', ...words], {
        cwd: shop.folder,
      });
    for (const name of ['live', 'web.rules', 'new.rules', 'rules/web.rules'])
      shop.write(name, RULES);
    shop.write('web.test.yaml', TESTS);
    shop.write('dump', '*filter\n:INPUT DROP [0:0]\n-A INPUT -i lo -j ACCEPT\nCOMMIT\n');
    shop.write('ruleset.json', '{"nftables": []}');
    shop.write('nginx.service', '[Service]\nSocketBindDeny=any\n');
    shop.write('policy.yaml', 'kind: NetworkPolicy\nspec: { podSelector: {} }\n');
    shop.write(
      'events.jsonl',
      '{"version":1,"kind":"lost","time":"2026-11-26T05:01:36.136829Z","count":1}\n',
    );
    shop.write('pods.yaml', '{ name: web, ip: 10.0.0.1, path: /web }\n');
    git('init', '-q');
    git('add', '-A');
    git('commit', '-qm', 'x');
    git('update-ref', 'refs/remotes/origin/main', 'HEAD');
    mkdirSync(shop.path('bin'));
    writeStandIn(shop.path('bin/sockfilter'));
  });
  afterAll(() => shop.remove());

  // The last refusal is the kernel's: test/kernel/trace.test.ts asks for it.
  const tried = COMMANDS.filter(({ scope }) => scope !== 'live')
    .flatMap(({ examples }) => examples)
    .filter((example) => example !== 'explain --last');
  test.each(tried)('sockfilter %s', (example) => {
    const needsShell = /[<>$]/.test(example);
    // A server keeps the process that would stand in.
    const command = example.startsWith('lsp') ? `node ${program('sockfilter')}` : 'bin/sockfilter';
    const { status, stdout, stderr } = needsShell
      ? shop.shell(`${command} ${example}`)
      : shop.run(example.split(' '));
    // 1 is an answer too: a finding, a group that is there already.
    expect([stdout + stderr, status === 0 || status === 1]).toEqual([stdout + stderr, true]);
  });
});

test('a reader that goes away is no failure', async () => {
  const child = place.start(['-S']);
  const end = ended(child);
  child.stdout?.destroy();
  expect(await end).toMatchObject({ status: 0, stderr: '' });
});

test.each([
  [['-C', 'BIND', '-j', 'ACCEPT'], []],
  [['save', '-f', '/dev/null'], []],
  [['save', '-cf', '/dev/null'], ['yargs']],
])('%p loads no more than %p', (args, loaded) => {
  place.write(
    'loaded.cjs',
    `const vm = require('node:vm');
    // What V8 has kept is no module of node's.
    const parts = [];
    vm.Script = class extends vm.Script {
      constructor(text, options) {
        super(text, options);
        parts.push(options.filename);
      }
    };
    process.on('exit', () => {
      const files = [...parts, ...Object.keys(require.cache)].join(' ');
      const known = ['yargs', 'koffi'].filter((name) => files.includes(name));
      process.stderr.write(JSON.stringify(known));
    });`,
  );
  const env = { NODE_OPTIONS: `--require ${place.path('loaded.cjs')}` };
  const { status, stderr } = place.runAlone(args, { env });
  expect([status, JSON.parse(stderr)]).toEqual([0, loaded]);
});
