/**
 * Each file of tests with all that it imports of the repository in one, made on this machine: where each instruction is
 * emulated, the loading of hundreds of modules takes longer than most tests.
 */
import { execFileSync } from 'node:child_process';
import { readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const REPOSITORY = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');
const PACKAGES = join(REPOSITORY, 'packages');
const SEED = 'test/harness/seed.ts';

/** A file that asks where it lies is told where it came from. */
const placed = {
  name: 'placed',
  setup: ({ onLoad }) =>
    onLoad({ filter: /\/test\/.*\.ts$/ }, async ({ path }) => {
      const contents = await readFile(path, 'utf8');
      if (!/\b(__dirname|require\.resolve)\b/.test(contents)) return undefined;
      const [file, folder] = [path, dirname(path)].map((each) => JSON.stringify(each));
      const head = [
        "import { createRequire as requireFrom } from 'node:module';",
        `const __dirname = ${folder};`,
        `const require = requireFrom(${file});`,
      ];
      return { contents: `${head.join(' ')}${contents}`, loader: 'ts' };
    }),
};

/** The files that the words select, as jest does. */
function filesFor(words) {
  const said = execFileSync(
    process.execPath,
    ['node_modules/jest/bin/jest.js', '--listTests', '--json', ...words],
    { cwd: REPOSITORY, encoding: 'utf8' },
  );
  return JSON.parse(said).map((path) => relative(REPOSITORY, path));
}

/** Writes them into the folder with a configuration for jest, by which the same words select them. */
export async function bundleTests(folder, words) {
  const entries = [SEED, ...filesFor(words)].map((name) => [name, join(REPOSITORY, name)]);
  await build({
    entryPoints: Object.fromEntries(entries),
    outdir: folder,
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    packages: 'external',
    alias: {
      '@sockfilter/policy/words': join(PACKAGES, 'policy/src/words.ts'),
      ...Object.fromEntries(
        readdirSync(PACKAGES).map((name) => [
          `@sockfilter/${name}`,
          join(PACKAGES, name, 'src/index.ts'),
        ]),
      ),
      'nftables-json/plain': join(PACKAGES, 'nftables-json/src/plain.ts'),
      'nftables-json': join(PACKAGES, 'nftables-json/src/index.ts'),
    },
    plugins: [placed],
    define: { 'import.meta.url': 'bundleUrl' },
    banner: { js: "const bundleUrl = require('node:url').pathToFileURL(__filename).href;" },
    logLevel: 'warning',
  });
  symlinkSync(join(REPOSITORY, 'node_modules'), join(folder, 'node_modules'));
  const configuration = {
    testMatch: ['<rootDir>/test/**/*.test.ts.js'],
    transform: {},
    setupFiles: [`<rootDir>/${SEED}.js`],
    reporters: ['default', join(REPOSITORY, 'test/harness/reporter.js')],
  };
  writeFileSync(join(folder, 'jest.config.json'), JSON.stringify(configuration));
}
