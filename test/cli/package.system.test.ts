/** What `npm pack` makes is what a user installs: it needs Node and nothing else. */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const ROOT = join(__dirname, '../..');

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sockfilter-package-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function npm(...args: readonly string[]): string {
  const quiet = ['--no-audit', '--no-fund', '--no-update-notifier'];
  return execFileSync('npm', [...args, ...quiet], { cwd: ROOT, encoding: 'utf8' });
}

test('the packed package installs and runs', () => {
  npm('pack', '-w', 'sockfilter', '--pack-destination', folder, '--silent');
  const tarball = join(folder, 'sockfilter-0.1.0.tgz');
  const contents = execFileSync('tar', ['-tzf', tarball], { encoding: 'utf8' });
  expect(contents.trim().split('\n').toSorted()).toEqual([
    'package/LICENSE',
    'package/README.md',
    'package/bin/sockfilter-restore.cjs',
    'package/bin/sockfilter-save.cjs',
    'package/bin/sockfilter.cjs',
    'package/dist/LICENSES.txt',
    'package/dist/completion/_sockfilter',
    'package/dist/completion/sockfilter.bash',
    'package/dist/completion/sockfilter.fish',
    'package/dist/index.cjs',
    'package/dist/languageserver.cjs',
    'package/dist/main.cjs',
    'package/dist/man/sockfilter-restore.8',
    'package/dist/man/sockfilter-save.8',
    'package/dist/man/sockfilter.8',
    'package/dist/yaml.cjs',
    'package/dist/yargs.cjs',
    'package/dist/zod.cjs',
    'package/index.d.cts',
    'package/package.json',
    'package/systemd/sockfilter-journal.service',
    'package/systemd/sockfilter.service',
  ]);

  const prefix = join(folder, 'prefix');
  npm('install', '--global', '--prefix', prefix, '--prefer-offline', '--ignore-scripts', tarball);
  expect(existsSync(join(prefix, 'share/man/man8/sockfilter.8'))).toBe(true);
  const rules = join(folder, 'rules');
  writeFileSync(rules, '*socket\nCOMMIT\n');
  const run = (program: string, args: string) => {
    const words = args.split(' ');
    const options = { cwd: folder, encoding: 'utf8' } as const;
    const { status, stdout, stderr } = spawnSync(join(prefix, 'bin', program), words, options);
    return { status, stdout, stderr };
  };
  const edit = '--file rules -A BIND -m cgroup --id 3 -d 10.0.0.5 -j ACCEPT';
  expect(run('sockfilter', edit)).toEqual({ status: 0, stdout: '', stderr: '' });
  expect(run('sockfilter-save', '--file rules').stdout).toContain(
    '-A BIND -d 10.0.0.5/32 -m cgroup --id 3 -j ACCEPT\n',
  );
  expect(run('sockfilter-restore', '--test rules')).toEqual({ status: 0, stdout: '', stderr: '' });
  // koffi loads where the kernel is asked, and says what is missing where it can't be.
  expect(run('sockfilter', 'status --root /sockfilter-nowhere').status).toBe(4);
});

test('a command loads no more than it needs', () => {
  writeFileSync(join(folder, 'own.rules'), '*socket\nCOMMIT\n');
  writeFileSync(
    join(folder, 'own.test.yaml'),
    'invariants: [{ never: refuse, in: { chain: BIND } }]\n',
  );
  // In one process, each after those that need less.
  const script = `
    const bundle = require.resolve(${JSON.stringify(join(ROOT, 'packages/cli/dist/main.cjs'))});
    const loaded = () => Object.keys(require.cache).map((file) => require('path').basename(file));
    (async () => {
      for (const words of ['--file own.rules -S', 'check own.rules', 'test own.rules']) {
        await require(bundle).main(words.split(' '));
        console.error(words, loaded().sort().join(' '));
      }
    })();`;
  const { stderr } = spawnSync(process.execPath, ['-e', script], { cwd: folder, encoding: 'utf8' });
  expect(stderr.split('\n')).toEqual([
    '--file own.rules -S main.cjs',
    'check own.rules main.cjs yargs.cjs',
    'test own.rules main.cjs yaml.cjs yargs.cjs zod.cjs',
    '',
  ]);
});
