/** The architecture, held against the imports that the sources really have. */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { ARCHITECTURE } from './harness/architecture.js';
import { longFunctions } from './harness/functions.js';
import {
  architectureFaults,
  commandUses,
  importCycles,
  importsOf,
  readSources,
} from './harness/imports.js';

const TOP = join(__dirname, '..');
const PACKAGES = join(TOP, 'packages');

test('the repository has at its top what belongs there, and nothing large', () => {
  const files = execFileSync('git', ['ls-files', '-z'], { cwd: TOP, encoding: 'utf8' })
    .split('\0')
    .filter((path) => path !== '' && existsSync(join(TOP, path)));
  expect(files.length).toBeGreaterThan(500);
  const tops = new Set(files.map((path) => path.split('/')[0]));
  const shown = [...tops].filter((name) => !name?.startsWith('.'));
  const documents = ['CHANGELOG.md', 'CONTRIBUTING.md', 'LICENSE', 'README.md', 'SECURITY.md'];
  const settings = ['action.yml', 'biome.json', 'jest.config.js', 'knip.json', 'package-lock.json'];
  const others = ['package.json', 'tsconfig.base.json', 'tsconfig.json'];
  const folders = ['docs', 'packages', 'rules', 'site', 'test'];
  expect(shown.toSorted()).toEqual([...documents, ...settings, ...others, ...folders].toSorted());
  const isLarge = (path: string) => statSync(join(TOP, path)).size > 100_000;
  expect(files.filter((path) => path !== 'package-lock.json' && isLarge(path))).toEqual([]);
});

/** Files in which a line has the pattern, as git grep lists them. */
function filesWith(pattern: string): readonly string[] {
  const words = ['grep', '--name-only', '--extended-regexp', '-e', pattern];
  const { stdout, status } = spawnSync('git', words, { cwd: TOP, encoding: 'utf8' });
  if (status !== 0 && status !== 1) throw new Error(`git grep ends with ${status}`);
  return stdout.split('\n').filter((name) => name !== '');
}

test('no file has marks of a conflict that nobody settled', () => {
  const marks = ['<', '>'].map((mark) => mark.repeat(7)).join('|');
  expect(filesWith(`^(${marks}) `)).toEqual([]);
});

test('what is drawn by chance starts from the seed of the run', () => {
  expect(filesWith('Math[.]random[(]')).toEqual(['test/harness/runseed.ts']);
});

test('kernel and attack tests have no limit of time of their own, which a slower machine would not keep', () => {
  const limits = filesWith('^ *([}],? *)?[0-9_]{4,}([)];|,)$|jest[.]setTimeout');
  const isKernel = (name: string) => /^test\/(kernel|attack)\/.*\.test\.ts$/.test(name);
  expect(limits.filter(isKernel)).toEqual([]);
});

/** Lines of a function, at most. */
const MOST_LINES = 80;

describe('the packages', () => {
  const sources = readSources(PACKAGES);

  test('are read', () => {
    const withSource = readdirSync(PACKAGES).filter((name) =>
      existsSync(join(PACKAGES, name, 'src')),
    );
    expect(new Set(sources.map(({ path }) => path.split('/')[0]))).toEqual(new Set(withSource));
    expect(sources.flatMap(importsOf).length).toBeGreaterThan(50);
  });

  test('name no repository until there is one: a placeholder is a name that somebody else can have', () => {
    const manifests = readdirSync(PACKAGES).map((name) => join(PACKAGES, name, 'package.json'));
    const texts = manifests
      .filter((file) => existsSync(file))
      .map((file) => readFileSync(file, 'utf8'));
    expect(texts.length).toBeGreaterThan(10);
    expect(texts.filter((text) => /github\.com\/(?:OWNER|owner|example)\b/.test(text))).toEqual([]);
  });

  test('import only along the arrows', () => {
    expect(architectureFaults(sources, ARCHITECTURE)).toEqual([]);
  });

  test('have no import cycles', () => {
    expect(importCycles(sources)).toEqual([]);
  });

  test('have no function that is too long to be read at once', () => {
    expect(sources.flatMap((each) => longFunctions(each, MOST_LINES))).toEqual([]);
  });
});

describe('the check itself', () => {
  const at = (path: string, text: string) => ({ path, text });
  const faults = (path: string, text: string) => architectureFaults([at(path, text)], ARCHITECTURE);

  test.each([
    [
      'table/src/a.ts',
      `import { x } from '@sockfilter/iptables';`,
      'table may not import iptables',
    ],
    ['diagram/src/a.ts', `import type { X } from '@sockfilter/bpf';`, 'diagram may not import bpf'],
    ['kernel/src/a.ts', `export * from '@sockfilter/policy';`, 'kernel may not import policy'],
    ['bpf/src/a.ts', `const t = await import('@sockfilter/table');`, 'bpf may not import table'],
    ['bpf/src/a.ts', `type X = import('@sockfilter/table').X;`, 'bpf may not import table'],
    ['policy/src/a.ts', `import '@sockfilter/cli';`, 'nobody imports cli'],
    ['cli/src/a.ts', `import '@sockfilter/cli';`, 'imports its own package by name'],
    ['iptables/src/a.ts', `import '../../table/src/table.js';`, 'leaves its package by a path'],
    ['kernel/src/a.ts', `import '../../../test/harness/caller.js';`, 'leaves its package'],
    ['bpf/src/a.ts', `import './testing/kernelTests.js';`, 'is for tests only'],
    ['cli/src/a.ts', `import '@sockfilter/table/dist/x.js';`, 'reaches behind the index'],
    ['kernel/src/a.ts', `const k = require('koffi');`, 'koffi belongs to bpf'],
    ['kernel/src/a.ts', `createRequire(here)('koffi');`, 'koffi belongs to bpf'],
    ['kernel/src/a.ts', `import 'koffi/indirect';`, 'koffi belongs to bpf'],
    ['iptables/src/a.ts', `import { z } from 'zod/mini';`, 'zod belongs to'],
    ['policy/src/a.ts', `import yargs from 'yargs';`, 'yargs belongs to cli'],
    ['odd/src/a.ts', `import 'node:fs';`, 'package odd has no place'],
    ['cli/src/a.ts', `import '@sockfilter/odd';`, 'package odd has no place'],
    ['table/src/a.ts', 'console.log(1);', '`console.log`: only a command may do that'],
    ['kernel/src/a.ts', 'if (bad) process.exit(1);', '`process.exit`: only a command'],
    ['kernel/src/a.ts', 'process.stdout.write(text);', '`process.stdout`: only a command'],
    ['table/src/a.ts', `import { inspect } from 'node:util';`, 'a browser has no such thing'],
    ['policy/src/a.ts', `import { createHash } from 'crypto';`, '`crypto`: a browser has no'],
    ['diagram/src/a.ts', 'const x = Buffer.byteLength(text);', '`Buffer`: a browser has no'],
    ['iptables/src/a.ts', 'let timer: NodeJS.Timeout;', '`NodeJS`: a browser has no such'],
    ['language/src/a.ts', 'if (process.env.X) run({ process });', '`process`: a browser has no'],
  ])('%s: %s', (path, text, fault) => {
    const [found, ...more] = faults(path, text);
    expect(found).toContain(fault);
    expect(more).toEqual([]);
  });

  test.each([
    ['kernel/src/a.ts', `import '@sockfilter/bpf'; import './b.js'; import 'node:fs';`],
    ['cli/src/a.ts', `import '@sockfilter/kernel'; import 'zod'; process.exit(console.log());`],
    ['bpf/src/deep/a.ts', `import koffi from 'koffi'; import '../b.js';`],
    ['kernel/src/a.ts', `Buffer.alloc(process.pid);`],
    ['table/src/a.ts', `export interface A { process: string } const b = { module: a.global };`],
    ['table/src/a.ts', `// import '@sockfilter/cli'\nconst text = "console.log require('koffi')";`],
  ])('lets %s pass: %s', (path, text) => {
    expect(faults(path, text)).toEqual([]);
  });

  test('counts the lines of functions, of methods and of what has a name by its constant', () => {
    const text = [
      'function one() {\n\n}',
      'const two = () => {\n\n};',
      'class A { three() {\n\n} }',
      'all.map(() => {\n\n});',
      'function short() {\n}',
    ];
    const found = longFunctions(at('cli/src/a.ts', text.join('\n')), 2);
    expect(found.map((each) => each.replace('cli/src/a.ts ', ''))).toEqual([
      'one',
      'two',
      'three',
      'a function without a name',
    ]);
  });

  test('finds a loop once, and only one that is there at run time', () => {
    const loop = (back: string) => [
      at('table/src/a.ts', `import { b } from './b.js';`),
      at('table/src/b.ts', `export { c } from './deep/c.js';`),
      at('table/src/deep/c.ts', back),
      at('table/src/d.ts', `import './a.js';`),
    ];
    expect(importCycles(loop(`import { a } from '../a.js';`))).toEqual([
      'table/src/a.ts -> table/src/b.ts -> table/src/deep/c.ts -> table/src/a.ts',
    ]);
    expect(importCycles(loop(`import type { A } from '../a.js';`))).toEqual([]);
  });

  test('reads uses behind line breaks and optional chaining', () => {
    expect(commandUses(at('a.ts', 'process\n  .exit(); console?.warn();'))).toEqual([
      'process.exit',
      'console.warn',
    ]);
  });

  test.each([
    ['const { exit: end, pid } = process;', ['process.exit']],
    ['const { log } = console;', ['console.log']],
    ['globalThis.console.log(1);', ['console.log']],
    [`import { stdout, pid } from 'node:process';`, ['process.stdout']],
    [`import everything from 'node:process';`, ['process.exit']],
    [`import * as all from 'console';`, ['console.log']],
    [`import { pid } from 'node:process'; const { exit } = door;`, []],
  ])('reads uses by other names: %s', (text, uses) => {
    expect(commandUses(at('a.ts', text))).toEqual(uses);
  });
});
