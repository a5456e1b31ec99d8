/**
 * Makes the playground, one HTML file that loads nothing: `node build.js [OUT]`, dist/playground.html if not said. Made of the
 * sources: nothing has to be compiled first.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { licensesOf } from '../cli/packaging/licenses.js';
import { pageOf } from './page.js';

const here = fileURLToPath(new URL('.', import.meta.url));
const packages = join(here, '..');
const out = process.argv[2] ?? join(here, 'dist/playground.html');
const { version } = JSON.parse(readFileSync(join(packages, 'cli/package.json'), 'utf8'));

const options = {
  absWorkingDir: here,
  bundle: true,
  platform: 'browser',
  target: 'es2023',
  alias: Object.fromEntries(
    readdirSync(packages).map((name) => [
      `@sockfilter/${name}`,
      join(packages, name, 'src/index.ts'),
    ]),
  ),
  define: { VERSION: JSON.stringify(version) },
  minify: true,
  legalComments: 'none',
  metafile: true,
  write: false,
  logLevel: 'warning',
};

/** What of the report's page the playground's own policy has to name, as its frame keeps to that too. */
async function readReport() {
  const { outputFiles } = await build({
    ...options,
    stdin: {
      contents: "export { PAGE_SCRIPT, PAGE_STYLE, policyHash } from '@sockfilter/policy';",
      resolveDir: here,
    },
    format: 'cjs',
    platform: 'node',
  });
  const made = { exports: {} };
  new Function('module', 'exports', 'require', outputFiles[0].text)(
    made,
    made.exports,
    createRequire(import.meta.url),
  );
  return made.exports;
}

const report = await readReport();
const built = await build({ ...options, entryPoints: ['src/main.ts'], format: 'iife' });
// Nothing in the script ends the element that it stands in, or lets its end be overlooked.
const script = built.outputFiles[0].text
  .replaceAll('</script', '<\\/script')
  .replaceAll('<!--', '<\\!--');
const style = `${report.PAGE_STYLE}\n${readFileSync(join(here, 'style.css'), 'utf8')}`;
const hashes = (...texts) => texts.map(report.policyHash).join(' ');

const policy = [
  "default-src 'none'",
  `script-src ${hashes(script, report.PAGE_SCRIPT)}`,
  `style-src ${hashes(style, report.PAGE_STYLE)}`,
  "base-uri 'none'",
  "form-action 'none'",
].join('; ');
const licenses = licensesOf([built], here).replaceAll('&', '&amp;').replaceAll('<', '&lt;');
const page = pageOf({ policy, style, script, licenses });
mkdirSync(dirname(out), { recursive: true });
writeFileSync(out, page);
console.log(`${out}: ${page.length} bytes`);
