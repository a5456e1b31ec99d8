/** A page of 500 groups in headless Chromium, beside an empty page: opening it, and a key in a filter. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { median, printTable } from './figures.js';
import { isInstalled } from './place.js';

const SOCKFILTER = fileURLToPath(new URL('../../packages/cli/bin/sockfilter.cjs', import.meta.url));
const BROWSER = fileURLToPath(new URL('../report/browser.ts', import.meta.url));
const GROUPS = 500;
const ROUNDS = 7;

/** No two groups alike: each has a row of its own. */
function rules() {
  const numbers = Array.from({ length: GROUPS }, (_, n) => n);
  const chains = ['BIND', 'CONNECT', 'SENDTO'];
  return [
    '*socket',
    ...numbers.map((n) => `-G g${n} --id ${1000 + n}`),
    ...numbers.flatMap((n) =>
      chains.map(
        (chain) =>
          `-A ${chain} -d 10.0.${n % 9}.0/24 -m owner --uid-owner ${n} -m cgroup --id ${1000 + n} -j DROP`,
      ),
    ),
    'COMMIT',
    '',
  ].join('\n');
}

/** From the start of the navigation until it has been drawn once, in ms. */
const OPENED = `new Promise((done) => requestAnimationFrame(() => setTimeout(() => done(performance.now()))))`;

/** From a key in the box of groups until what it leaves has been laid out, in ms. */
const KEY = `(() => {
  const box = document.getElementById('groups');
  box.value = box.value === 'g4' ? 'g49' : 'g4';
  const start = performance.now();
  box.dispatchEvent(new Event('input'));
  document.body.getBoundingClientRect();
  return performance.now() - start;
})()`;

async function loadBrowser(folder) {
  const outfile = join(folder, 'browser.mjs');
  await build({ entryPoints: [BROWSER], outfile, bundle: true, platform: 'node', format: 'esm' });
  return import(pathToFileURL(outfile).href);
}

export async function pageBench() {
  if (!isInstalled('chromium')) {
    console.log('  skipped: there is no chromium');
    return;
  }
  const folder = mkdtempSync(join(tmpdir(), 'sockfilter-bench-'));
  let browser;
  try {
    const [empty, page] = ['empty.html', 'page.html'].map((name) => join(folder, name));
    writeFileSync(empty, '<!doctype html><title>empty</title>');
    writeFileSync(join(folder, 'many.rules'), rules());
    const words = ['query', 'refuse', 'many.rules', '--report', page];
    const start = performance.now();
    const { status, stderr } = spawnSync(process.execPath, [SOCKFILTER, ...words], { cwd: folder });
    if (status !== 0) throw new Error(String(stderr));
    const made = performance.now() - start;
    const { Browser } = await loadBrowser(folder);
    browser = new Browser('chromium');
    const opened = async (file) => {
      await browser.open(file);
      return Number(await browser.evaluate(OPENED));
    };
    const times = { empty: [], page: [], key: [] };
    for (let round = 0; round < ROUNDS; round++) {
      times.empty.push(await opened(empty));
      times.page.push(await opened(page));
      for (let key = 0; key < 4; key++) times.key.push(Number(await browser.evaluate(KEY)));
    }
    const ms = (values) => median(values).toFixed(1);
    printTable(
      ['ms', 'median'],
      [
        [`page of ${GROUPS} groups made`, made.toFixed(0)],
        ['empty page opened', ms(times.empty)],
        ['page opened', ms(times.page)],
        ['ratio', (median(times.page) / median(times.empty)).toFixed(1)],
        ['a key in a filter', ms(times.key)],
      ],
    );
  } finally {
    await browser?.close();
    rmSync(folder, { recursive: true, force: true });
  }
}
