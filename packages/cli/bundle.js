/**
 * Makes the npm package's dist/ from the sources: main.cjs; yargs.cjs, which only the commands that are
 * words load; yaml.cjs and zod.cjs, which only those load that read YAML; languageserver.cjs, which `lsp` loads; index.cjs, which programs import, and which
 * is the other face of main.cjs. CommonJS, because node needs a third less time to start it than ES modules.
 * Everything is bundled but koffi, which is native. All is made of the sources: types need not be checked first.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { licensesOf } from './packaging/licenses.js';

const here = fileURLToPath(new URL('.', import.meta.url));
const dist = join(here, 'dist');
mkdirSync(dist, { recursive: true });

const packages = join(here, '..');

const options = {
  absWorkingDir: here,
  bundle: true,
  format: 'cjs',
  platform: 'node',
  target: 'node20',
  // In the single executable there is no import() at run time.
  supported: { 'dynamic-import': false },
  alias: {
    'nftables-json/plain': join(packages, 'nftables-json/src/plain.ts'),
    'nftables-json': join(packages, 'nftables-json/src/index.ts'),
    ...Object.fromEntries(
      readdirSync(packages).map((name) => [
        `@sockfilter/${name}`,
        join(packages, name, 'src/index.ts'),
      ]),
    ),
  },
  define: { 'import.meta.url': 'moduleUrl' },
  banner: { js: "const moduleUrl = require('node:url').pathToFileURL(__filename).href;" },
  minifySyntax: true,
  minifyWhitespace: true,
  legalComments: 'none',
  metafile: true,
  write: false,
  logLevel: 'warning',
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

/** One bundle for the command and for programs: what only these need is not run for the command. */
const ENTRY = `
  export { main } from './src/main.ts';
  export const api = () => require('./src/api/index.ts');
`;

const digest = await findDigest();
const unit = (name) => JSON.stringify(readFileSync(join(here, 'systemd', name), 'utf8'));

const built = await Promise.all([
  build({
    ...options,
    define: {
      ...options.define,
      PROGRAM_DIGEST: String(digest),
      SERVICE_UNIT: unit('sockfilter.service'),
      JOURNAL_UNIT: unit('sockfilter-journal.service'),
    },
    stdin: { contents: ENTRY, resolveDir: here },
    outfile: join(dist, 'main.cjs'),
    external: ['koffi'],
    // The CommonJS of jsonc-parser loads its parts in a way that can't be bundled.
    mainFields: ['module', 'main'],
    plugins: [separate],
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

/** Each file is replaced at once: commands may be running meanwhile. */
const files = new Map(
  built.flatMap(({ outputFiles }) => outputFiles).map(({ path, text }) => [basename(path), text]),
);
/** What is exported there at run time, in lists of names. */
const EXPORTED = /^export \{([^}]*)\}/gm;
const lists = readFileSync(join(here, 'src/api/index.ts'), 'utf8').matchAll(EXPORTED);
const names = [...lists].flatMap(([, list]) =>
  list.split(',').flatMap((item) => /^\s*(?:\w+ as )?(\w+)\s*$/.exec(item)?.[1] ?? []),
);
// The list is for node, which finds names to import without running anything.
files.set(
  'index.cjs',
  `module.exports = require('./main.cjs').api();\n0 && (module.exports = { ${names.join(', ')} });\n`,
);
files.set('LICENSES.txt', licensesOf(built, here));
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
