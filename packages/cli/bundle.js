/**
 * Makes the npm package's dist/ from the sources: one file for each command and chunks that they
 * load when they need them. Everything is bundled but koffi, which is native.
 */
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const here = fileURLToPath(new URL('.', import.meta.url));
const dist = join(here, 'dist');
const COMMANDS = ['sockfilter', 'sockfilter-save', 'sockfilter-restore'];

for (const name of readdirSync(dist, { withFileTypes: true }))
  if (name.isFile()) rmSync(join(dist, name.name));

const { metafile } = await build({
  absWorkingDir: here,
  entryPoints: COMMANDS.map((name) => `src/${name}.ts`),
  outdir: dist,
  bundle: true,
  splitting: true,
  chunkNames: '[name]-[hash]',
  format: 'esm',
  platform: 'node',
  target: 'node20',
  external: ['koffi'],
  minifySyntax: true,
  minifyWhitespace: true,
  legalComments: 'none',
  metafile: true,
  logLevel: 'warning',
});

/** The packages of others that the bundle holds, each by its folder. */
const folders = new Set();
for (const input of Object.keys(metafile.inputs)) {
  const [folder] = /^.*node_modules\/(@[^/]+\/)?[^/]+/.exec(input) ?? [];
  if (folder !== undefined) folders.add(join(here, folder));
}

const licenses = [...folders].sort().map((folder) => {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const file = readdirSync(folder).find((entry) => /^licen[sc]e/i.test(entry));
  const text = file === undefined ? '' : `\n${readFileSync(join(folder, file), 'utf8').trim()}\n`;
  return `${name} ${version} (${license})\n${text}`;
});
writeFileSync(join(dist, 'LICENSES.txt'), licenses.join(`\n${'-'.repeat(80)}\n\n`));
