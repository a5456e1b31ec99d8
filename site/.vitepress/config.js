/** Pages lie as their documents do in the repository, so that links between these hold: build.js has put them in content/. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitepress';
import { anchorOf } from '../anchor.js';
import { OUTLINE } from './outline.js';

const TOP = fileURLToPath(new URL('../..', import.meta.url));
const CONTENT = fileURLToPath(new URL('../content', import.meta.url));
const grammar = JSON.parse(
  readFileSync(join(TOP, 'packages/vscode/syntaxes/sockfilter-rules.tmLanguage.json'), 'utf8'),
);

const titleOf = (path) =>
  /^# (.*)$/m.exec(readFileSync(join(CONTENT, path), 'utf8'))?.[1].replaceAll('`', '');
const link = (path) => ({ text: titleOf(path), link: `/${path.replace(/(index)?\.md$/, '')}` });
const findings = readdirSync(join(CONTENT, 'docs/findings')).filter((name) => name !== 'index.md');
const libraries = readdirSync(join(CONTENT, 'packages')).map(
  (name) => `packages/${name}/README.md`,
);

const sections = OUTLINE.map(({ text, pages }) => ({
  text,
  items: pages.map((page) => {
    const item = link(`docs/${page}.md`);
    return page === 'findings/index'
      ? { ...item, collapsed: true, items: findings.map((name) => link(`docs/findings/${name}`)) }
      : item;
  }),
}));

export default defineConfig({
  title: 'sockfilter',
  description: 'An iptables-style firewall for socket calls',
  base: process.env.SITE_BASE ?? '/',
  srcDir: 'content',
  cleanUrls: false,
  // The API of the libraries, the playground and rule files are put beside the pages; build.js looks whether links to them hold.
  ignoreDeadLinks: [/\/(?:api|playground|rules)\b/],
  markdown: {
    // Text between angle brackets is text.
    html: false,
    anchor: { slugify: anchorOf },
    languages: [{ ...grammar, name: 'rules' }],
    languageAlias: { console: 'shellsession' },
  },
  themeConfig: {
    search: { provider: 'local' },
    outline: [2, 3],
    nav: [
      { text: 'Tutorial', link: '/docs/tutorial' },
      { text: 'Language', link: '/docs/language' },
      { text: 'Findings', link: '/docs/findings/' },
      { text: 'Playground', link: '/playground.html', target: '_self' },
      { text: 'API', link: '/api/index.html', target: '_self' },
    ],
    sidebar: [
      ...sections,
      { text: 'Libraries', collapsed: true, items: libraries.map(link) },
      { text: 'Project', items: ['CHANGELOG.md', 'CONTRIBUTING.md', 'SECURITY.md'].map(link) },
    ],
  },
});
