/**
 * Makes the npm package's dist/ from the sources: main.cjs, with which each command starts; index.cjs, which programs import; the files that
 * these load when they are needed; and of others yargs.cjs, which only the commands that are words load, yaml.cjs and zod.cjs, which only those load
 * that read YAML, and languageserver.cjs, which `lsp` loads. Everything is bundled but koffi, which is native. All is made of
 * the sources: types need not be checked first.
 */
import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import {
  LATE_ENTRIES,
  loadLate,
  loadOursLate,
  loadTogether,
  nameByContents,
  toCommonJs,
} from './packaging/chunks.js';
import { importDirectly } from './packaging/direct.js';
import { licensesOf } from './packaging/licenses.js';

const here = fileURLToPath(new URL('.', import.meta.url));
const dist = join(here, 'dist');
mkdirSync(dist, { recursive: true });

const packages = join(here, '..');

/** How code may look that runs. */
const RUNNING = {
  target: 'node20',
  // In the single executable there is no import() at run time.
  supported: { 'dynamic-import': false },
  minifySyntax: true,
  minifyWhitespace: true,
  logLevel: 'warning',
};

/** The index of each package, by which others import it. */
const INDEXES = Object.fromEntries(
  readdirSync(packages).map((name) => [
    `@sockfilter/${name}`,
    join(packages, name, 'src/index.ts'),
  ]),
);

/** Packages of which commands need parts: of the others each needs nearly all, and a file of its own for each part would cost more. */
const IN_PARTS = ['bpf', 'diagram', 'events', 'kernel'].map((name) => `@sockfilter/${name}`);

const options = {
  absWorkingDir: here,
  bundle: true,
  format: 'cjs',
  platform: 'node',
  ...RUNNING,
  alias: {
    '@sockfilter/policy/words': join(packages, 'policy/src/words.ts'),
    'nftables-json/plain': join(packages, 'nftables-json/src/plain.ts'),
    'nftables-json': join(packages, 'nftables-json/src/index.ts'),
    ...INDEXES,
  },
  define: { 'import.meta.url': 'moduleUrl' },
  banner: { js: "const moduleUrl = require('node:url').pathToFileURL(__filename).href;" },
  legalComments: 'none',
  metafile: true,
  write: false,
};

/** What few commands need is in a file of its own. */
const SEPARATE = {
  yargs: 'yargs',
  yaml: 'yaml',
  zod: 'zod',
  languageserver: 'vscode-languageserver/node',
};

const separate = {
  name: 'separate',
  setup: ({ onResolve }) =>
    onResolve({ filter: /^[a-z]/ }, ({ path }) => {
      const [name] = Object.entries(SEPARATE).find(([, entry]) => entry === path) ?? [];
      return name && { path: `./${name}.cjs`, external: true };
    }),
};

/** What tells these programs from another build's, by the code that makes them. */
async function findDigest() {
  const { outputFiles } = await build({
    ...options,
    stdin: { contents: "export { programDigest } from '@sockfilter/kernel';", resolveDir: here },
    external: ['koffi'],
  });
  const made = { exports: {} };
  new Function('module', 'exports', 'require', '__filename', outputFiles[0].text)(
    made,
    made.exports,
    createRequire(import.meta.url),
    fileURLToPath(import.meta.url),
  );
  return made.exports.programDigest();
}

const digest = await findDigest();
const unit = (name) => JSON.stringify(readFileSync(join(here, 'systemd', name), 'utf8'));

const [own, ...others] = await Promise.all([
  build({
    ...options,
    format: 'esm',
    splitting: true,
    // What is loaded later is told by it; made CommonJS afterwards.
    supported: { 'dynamic-import': true },
    banner: {},
    define: {
      ...options.define,
      PROGRAM_DIGEST: String(digest),
      SERVICE_UNIT: unit('sockfilter.service'),
      JOURNAL_UNIT: unit('sockfilter-journal.service'),
    },
    entryPoints: { ...LATE_ENTRIES, main: 'src/main.ts', index: 'src/api/index.ts' },
    outdir: dist,
    external: ['koffi'],
    // The CommonJS of jsonc-parser loads its parts in a way that can't be bundled.
    mainFields: ['module', 'main'],
    plugins: [
      importDirectly(Object.fromEntries(IN_PARTS.map((name) => [name, INDEXES[name]]))),
      loadTogether(join(here, 'src')),
      loadLate,
      loadOursLate(packages),
      separate,
    ],
  }),
  ...Object.entries(SEPARATE).map(([name, entry]) =>
    build({
      ...options,
      entryPoints: [entry],
      outfile: join(dist, `${name}.cjs`),
      // A module that imports CommonJS has all of its exports as the default.
      ...(name === 'yargs' && { footer: { js: 'module.exports = module.exports.default;' } }),
    }),
  ),
]);

/** Each file is replaced at once: commands may be running meanwhile. Those that others load come first. */
const files = new Map();
for (const { path, text } of others.flatMap(({ outputFiles }) => outputFiles))
  files.set(basename(path), text);
for (const { path, text } of own.outputFiles.toReversed())
  files.set(basename(path).replace(/\.js$/, '.cjs'), await toCommonJs(text, RUNNING));
nameByContents(files);
// Names for node, which finds what can be imported without running anything.
const { exports } = own.metafile.outputs['dist/index.js'];
files.set(
  'index.cjs',
  `${files.get('index.cjs')}0 && (module.exports = { ${exports.join(', ')} });\n`,
);
files.set('LICENSES.txt', licensesOf([own, ...others], here));
for (const [name, text] of files) {
  const next = join(dist, `.${name}.${process.pid}`);
  writeFileSync(next, text);
  renameSync(next, join(dist, name));
}
for (const entry of readdirSync(dist, { withFileTypes: true }))
  if (entry.isFile() && !entry.name.startsWith('.') && !files.has(entry.name))
    rmSync(join(dist, entry.name));

/** Completion as files, so that a shell starts nothing to have it. */
const COMPLETIONS = { bash: 'sockfilter.bash', zsh: '_sockfilter', fish: 'sockfilter.fish' };
mkdirSync(join(dist, 'completion'), { recursive: true });
for (const [shell, name] of Object.entries(COMPLETIONS)) {
  const script = execFileSync(process.execPath, [
    join(here, 'bin/sockfilter.cjs'),
    'completion',
    shell,
  ]);
  const next = join(dist, 'completion', `.${name}.${process.pid}`);
  writeFileSync(next, script);
  renameSync(next, join(dist, 'completion', name));
}

execFileSync(process.execPath, [join(here, 'start/keep.cjs')]);
if (!existsSync(join(dist, 'compiled'))) throw new Error('what V8 compiles could not be kept');
