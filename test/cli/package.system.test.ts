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
  const isPart = (name: string) => /^package\/dist\/[\w-]+-[A-Z0-9]{8}\.cjs$/.test(name);
  const files = contents.trim().split('\n');
  expect(files.filter((name) => !isPart(name)).toSorted()).toEqual([
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
    'package/start/keep.cjs',
    'package/start/start.cjs',
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

  // Scripts of packages may be forbidden: it starts later then.
  const installed = 'lib/node_modules/sockfilter';
  expect(existsSync(join(prefix, installed, 'dist/compiled'))).toBe(false);
  const other = join(folder, 'other');
  npm('install', '--global', '--prefix', other, '--prefer-offline', tarball);
  expect(existsSync(join(other, installed, 'dist/compiled'))).toBe(true);
  const listed = spawnSync(join(other, 'bin/sockfilter-save'), ['--file', rules]);
  expect(listed.status).toBe(0);
});

/** Kilobytes of ours that the command has node load. */
function loadedBy(words: string): number {
  const script = `
    const { statSync } = require('node:fs');
    const { dirname } = require('node:path');
    const bundle = require.resolve(${JSON.stringify(join(ROOT, 'packages/cli/dist/main.cjs'))});
    require(bundle).main(${JSON.stringify(words)}.split(' ')).then(() => {
      const files = Object.keys(require.cache).filter((file) => dirname(file) === dirname(bundle));
      console.error('loaded', files.reduce((sum, file) => sum + statSync(file).size, 0));
    });`;
  const { stderr } = spawnSync(process.execPath, ['-e', script], { cwd: folder, encoding: 'utf8' });
  return Number(/^loaded (\d+)$/m.exec(stderr)?.[1]) / 1000;
}

test.each([
  ['--version', 15],
  ['--help', 15],
  ['--file own.rules -S', 340],
  ['--file own.rules -A BIND -j DROP', 340],
  ['--file own.rules save', 400],
  // What reads a table in force loads nothing that makes, attaches or compiles.
  ['-S --root /sockfilter-nowhere', 510],
  ['check own.rules', 620],
  ['explain --file own.rules BIND', 1010],
  // YAML and what its shape is told by are of others, and large.
  ['test own.rules', 1440],
])('%s loads no more than it needs', (words, most) => {
  writeFileSync(join(folder, 'own.rules'), '*socket\nCOMMIT\n');
  writeFileSync(
    join(folder, 'own.test.yaml'),
    'invariants: [{ never: refuse, in: { chain: BIND } }]\n',
  );
  expect(loadedBy(words)).toBeLessThan(most);
});
