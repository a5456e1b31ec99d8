/**
 * The packages as developers import them: each is packed, installed in a project of its own, type-checked, and does what its
 * README shows, by import and by require, under the Node that runs this and, unless `--short`, under Node 24; then
 * publint and arethetypeswrong look at it. `npm run test:libraries` compiles first.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { fetchNode } from '../../packages/cli/packaging/node.js';

const top = fileURLToPath(new URL('../..', import.meta.url));
const packages = join(top, 'packages');
const isShort = process.argv.includes('--short');

const manifests = readdirSync(packages)
  .map((name) => join(packages, name))
  .flatMap((folder) => {
    const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    return manifest.private ? [] : [{ folder, ...manifest }];
  });

const project = mkdtempSync(join(tmpdir(), 'sockfilter-libraries-'));
const run = (command, ...words) =>
  execFileSync(command, words, {
    cwd: project,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });

function say(text) {
  console.log(text);
}

let failed = 0;
function expectEqual(what, found, wanted) {
  const isSame = found === wanted;
  say(`${isSame ? 'ok' : 'FAILED'}: ${what}`);
  if (isSame) return;
  failed++;
  say(`--- wanted\n${wanted}\n--- found\n${found}`);
}

function attempt(what, action) {
  try {
    action();
    say(`ok: ${what}`);
  } catch (error) {
    failed++;
    say(`FAILED: ${what}\n${error.stdout ?? ''}${error.message}`);
  }
}

try {
  const tarballs = manifests.map(({ folder }) => {
    const words = ['pack', folder, '--pack-destination', project, '--json'];
    const [{ filename, files, size }] = JSON.parse(run('npm', ...words).replace(/^[^[]*/, ''));
    const odd = files.filter(({ path }) =>
      /[.]test[.]|testing|[.]map$|^src\/|tsbuildinfo/.test(path),
    );
    expectEqual(`${filename}, ${size} bytes, has no tests and no sources`, odd.length, 0);
    return join(project, filename);
  });
  writeFileSync(join(project, 'package.json'), '{ "private": true, "type": "module" }\n');
  const quiet = ['--no-audit', '--no-fund', '--prefer-offline', '--ignore-scripts'];
  run('npm', 'install', '--silent', ...quiet, ...tarballs);

  const options = {
    module: 'nodenext',
    target: 'es2023',
    lib: ['es2023', 'dom'],
    strict: true,
    allowJs: true,
    checkJs: true,
    noEmit: true,
    noImplicitAny: false,
    types: ['node'],
    typeRoots: [join(top, 'node_modules/@types')],
  };
  writeFileSync(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions: options }));
  const nodes = [process.execPath];
  if (!isShort) {
    mkdirSync(join(project, 'node'));
    nodes.push(join(fetchNode('x64', join(project, 'node')), 'bin/node'));
  }
  const examples = manifests.map(({ name, folder }) => {
    const readme = readFileSync(join(folder, 'README.md'), 'utf8');
    const [, program = ''] = /^```js\n([\s\S]*?)^```$/m.exec(readme) ?? [];
    const [, output = ''] = /^It prints\n\n```text\n([\s\S]*?)^```$/m.exec(readme) ?? [];
    const base = name.replace(/\W/g, '_');
    writeFileSync(join(project, `${base}.mjs`), program);
    // The same by require().
    const required = program.replace(
      /^import (\{[^}]*\}) from ('[^']*');$/gm,
      (_, names, from) => `const ${names.replace(/ as /g, ': ')} = require(${from});`,
    );
    writeFileSync(join(project, `${base}.cjs`), required);
    return { name, base, output };
  });
  attempt('the examples type-check, and the types of all packages', () =>
    run(process.execPath, join(top, 'node_modules/typescript/bin/tsc'), '-p', project),
  );
  for (const node of nodes) {
    const version = run(node, '--version').trim();
    for (const { name, base, output } of examples)
      for (const kind of ['mjs', 'cjs']) {
        const found = run(node, '--no-warnings', `${base}.${kind}`);
        expectEqual(`${name}, ${kind}, ${version}`, found, output);
      }
  }
  if (!isShort)
    for (const [at, { name }] of manifests.entries()) {
      const npx = (tool, ...words) =>
        run('npm', 'exec', '--yes', `--package=${tool}`, '--', ...words);
      attempt(`publint ${name}`, () => npx('publint@0.3.25', 'publint', tarballs[at], '--strict'));
      const profile = name === 'sockfilter' ? 'node16' : 'esm-only';
      attempt(`arethetypeswrong ${name}`, () =>
        npx('@arethetypeswrong/cli@0.18.5', 'attw', tarballs[at], '--profile', profile),
      );
    }
  say(failed === 0 ? 'all is well' : `${failed} failed`);
  if (failed > 0) process.exitCode = 1;
} finally {
  rmSync(project, { recursive: true, force: true });
}
