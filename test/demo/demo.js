/** `npm run demo`: bundles main.ts and runs it, so that the demo is typed and needs no build step. */
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const here = fileURLToPath(new URL('.', import.meta.url));
const repository = join(here, '../..');
const bundle = join(repository, 'node_modules/.cache/sockfilter-demo/main.mjs');

await build({
  entryPoints: [join(here, 'main.ts')],
  outfile: bundle,
  bundle: true,
  platform: 'node',
  format: 'esm',
  packages: 'external',
  logLevel: 'warning',
});
const { demo } = await import(pathToFileURL(bundle).href);
process.exitCode = await demo(repository, process.argv.slice(2));
