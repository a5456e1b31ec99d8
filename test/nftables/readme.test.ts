/** The README's example runs, on the package as it is published, and prints what it says. */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const PACKAGE = join(__dirname, '../../packages/nftables-json');
const ZOD = join(__dirname, '../../node_modules/zod');

describe('the package', () => {
  let directory: string;
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'nftables-json-'));
    const packed: readonly { filename: string; files: readonly { path: string }[] }[] = JSON.parse(
      execFileSync('npm', ['pack', '--json', '--pack-destination', directory], {
        cwd: PACKAGE,
        encoding: 'utf8',
      }),
    );
    const [{ filename = '', files = [] } = {}] = packed;
    expect(files.map(({ path }) => path)).toEqual(
      expect.arrayContaining(['README.md', 'LICENSE', 'dist/index.js', 'dist/index.d.ts']),
    );
    expect(files.filter(({ path }) => /test|src\//.test(path))).toEqual([]);
    const modules = join(directory, 'node_modules');
    mkdirSync(join(modules, 'nftables-json'), { recursive: true });
    execFileSync('tar', ['-xzf', join(directory, filename), '--strip-components=1'], {
      cwd: join(modules, 'nftables-json'),
    });
    cpSync(ZOD, join(modules, 'zod'), { recursive: true });
  });
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  test('does what its README shows', () => {
    const readme = readFileSync(join(PACKAGE, 'README.md'), 'utf8');
    const [, program = ''] = /^```js\n([\s\S]*?)^```$/m.exec(readme) ?? [];
    const [, output = ''] = /^It prints\n\n```text\n([\s\S]*?)^```$/m.exec(readme) ?? [];
    writeFileSync(join(directory, 'example.mjs'), program);
    const printed = execFileSync('node', ['example.mjs'], { cwd: directory, encoding: 'utf8' });
    expect(printed).toBe(output);
    expect(output).not.toBe('');
  });
});
