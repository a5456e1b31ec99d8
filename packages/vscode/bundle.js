/** Makes dist/extension.cjs, all of the client but `vscode`, which the editor gives, and dist/LICENSES.txt. */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { licensesOf } from '../cli/packaging/licenses.js';

const here = fileURLToPath(new URL('.', import.meta.url));

const built = await build({
  absWorkingDir: here,
  entryPoints: ['src/extension.ts'],
  outfile: 'dist/extension.cjs',
  bundle: true,
  format: 'cjs',
  platform: 'node',
  target: 'node20',
  external: ['vscode'],
  minify: true,
  legalComments: 'none',
  metafile: true,
  logLevel: 'warning',
});
writeFileSync(`${here}dist/LICENSES.txt`, licensesOf([built], here));
