/**
 * Makes the site in site/dist: docs/ and the other documents as pages, one playground, and what the libraries export.
 * `--short` leaves the last out. Links that lead nowhere, to a page or to a heading, fail it.
 */
import { execFileSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vitepress';
import { OUTLINE } from './.vitepress/outline.js';
import { deadLinks } from './links.js';

const here = fileURLToPath(new URL('.', import.meta.url));
const top = join(here, '..');
const content = join(here, 'content');
const dist = join(here, 'dist');
const isShort = process.argv.includes('--short');

const DOCUMENTS = [
  'CHANGELOG.md',
  'CONTRIBUTING.md',
  'README.md',
  'SECURITY.md',
  ...readdirSync(join(top, 'docs'), { recursive: true }).map((name) => `docs/${name}`),
  ...readdirSync(join(top, 'packages')).map((name) => `packages/${name}/README.md`),
].filter((path) => path.endsWith('.md') && existsSync(join(top, path)));

const listed = OUTLINE.flatMap(({ pages }) => pages.map((page) => `docs/${page}.md`));
const unlisted = DOCUMENTS.filter(
  (path) => /^docs\/(?!findings\/SF)/.test(path) && !listed.includes(path),
);
if (unlisted.length > 0) throw new Error(`not in outline.js: ${unlisted.join(', ')}`);

/** What is no page and is linked: rule files are put beside the pages; of sources the site has the names alone. */
function withoutSources(path, markdown) {
  return markdown.replace(/\[([^\]]*)\]\(([^)\s:#]+)(#[^)\s]*)?\)/g, (link, text, to) => {
    const target = posix.join(posix.dirname(path), to);
    if (DOCUMENTS.includes(target)) return link;
    return /^rules\/./.test(target) ? `[${text}](/${target}){target="_self"}` : text;
  });
}

/** A module for each package that others import, by its name, that exports what the sources of the package do. */
function writeEntries() {
  const folder = join(content, 'entries');
  return readdirSync(join(top, 'packages')).flatMap((name) => {
    const manifest = join(top, 'packages', name, 'package.json');
    if (!existsSync(manifest)) return [];
    const described = JSON.parse(readFileSync(manifest, 'utf8'));
    if (described.private) return [];
    const source = join(
      top,
      'packages',
      name,
      name === 'cli' ? 'src/api/index.ts' : 'src/index.ts',
    );
    const entry = join(folder, `${described.name}.ts`);
    mkdirSync(dirname(entry), { recursive: true });
    writeFileSync(entry, `export * from ${JSON.stringify(source)};\n`);
    return [entry];
  });
}

rmSync(content, { recursive: true, force: true });
for (const path of DOCUMENTS) {
  mkdirSync(dirname(join(content, path)), { recursive: true });
  writeFileSync(join(content, path), withoutSources(path, readFileSync(join(top, path), 'utf8')));
}
cpSync(join(here, 'home.md'), join(content, 'index.md'));
cpSync(join(top, 'rules'), join(content, 'public/rules'), { recursive: true });
const run = (program, ...words) =>
  execFileSync(process.execPath, [program, ...words], { cwd: here, stdio: 'inherit' });
run(join(top, 'packages/playground/build.js'), join(content, 'public/playground.html'));

await build(here, { outDir: dist });
if (!isShort) {
  const typedoc = join(here, 'node_modules/typedoc/bin/typedoc');
  run(typedoc, '--out', join(dist, 'api'), ...writeEntries());
}

const dead = deadLinks(dist, process.env.SITE_BASE ?? '/', isShort ? /^api\// : undefined);
for (const { page, href } of dead) console.error(`${page}: nothing is at ${href}`);
if (dead.length > 0) process.exitCode = 1;
