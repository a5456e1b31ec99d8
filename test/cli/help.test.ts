/** Help, versions, completion, and what a command loads. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ended, program, Workplace } from './command.js';

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

test('completion', () => {
  expect(place.expectStatus(['completion'], 0).stdout).toContain('--get-yargs-completions');
  const { stdout } = place.expectStatus(['--get-yargs-completions', 'sockfilter', 'g'], 0);
  expect(stdout.split('\n')).toContain('group');
});

test('a reader that goes away is no failure', async () => {
  const child = place.start(['-S']);
  const end = ended(child);
  child.stdout?.destroy();
  expect(await end).toMatchObject({ status: 0, stderr: '' });
});

test.each([
  [['-C', 'BIND', '-j', 'ACCEPT'], []],
  [['save', '-f', '/dev/null'], ['yargs']],
])('%p loads no more than %p', (args, loaded) => {
  place.write(
    'loaded.cjs',
    `process.on('exit', () => {
      const files = Object.keys(require.cache).join(' ');
      const known = ['yargs', 'koffi'].filter((name) => files.includes(name));
      process.stderr.write(JSON.stringify(known));
    });`,
  );
  const env = { NODE_OPTIONS: `--require ${place.path('loaded.cjs')}` };
  const { status, stderr } = place.runAlone(args, { env });
  expect([status, JSON.parse(stderr)]).toEqual([0, loaded]);
});
