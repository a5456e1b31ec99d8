/** The site's build fails for links that lead nowhere: which are found, and which are none. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { runShell } from '../cli/command.js';
import { REPOSITORY } from '../harness/documents.js';

const PAGES = {
  'index.html': '<h2 class="x" id="here">',
  'docs/index.html': '',
  'docs/a.html': `<a href="../index.html#here"><a class="y" href="/base/docs/"><a href="#top"><p id="top">
    <a href="https://example.com/x"><a href="/base/rules/a.rules"><a href="/base/docs/a">
    <a href="b.html"><a href="../index.html#gone"><a href="/docs/a.html"><a href="#gone"><a href="/base/api/x.html">`,
  'rules/a.rules': '',
};

test('links that lead nowhere are found', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sockfilter-links-'));
  try {
    for (const [name, text] of Object.entries(PAGES)) {
      mkdirSync(dirname(join(folder, name)), { recursive: true });
      writeFileSync(join(folder, name), text);
    }
    const script = `import { deadLinks } from ${JSON.stringify(pathToFileURL(join(REPOSITORY, 'site/links.js')))};
      const found = deadLinks(${JSON.stringify(folder)}, '/base/', /^api\\//);
      console.log(JSON.stringify(found.map(({ page, href }) => page + ' ' + href)));`;
    writeFileSync(join(folder, 'run.mjs'), script);
    const place = { cwd: folder, env: {} };
    const { stdout, stderr } = runShell([process.execPath, 'run.mjs'], place);
    expect(stderr).toBe('');
    expect(JSON.parse(stdout)).toEqual(
      ['b.html', '../index.html#gone', '/docs/a.html', '#gone'].map(
        (href) => `docs/a.html ${href}`,
      ),
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
});
