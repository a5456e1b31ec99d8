/** docs/security.md shows the attack table as it is run. */
import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { printThemes, replacePart } from './document.js';
import { THEMES } from './techniques.js';

const path = resolve('docs/security.md');

test('the table in docs/security.md is the one that is run (UPDATE=1 writes it)', () => {
  const document = readFileSync(path, 'utf8');
  const now = replacePart(document, 'attacks', printThemes(THEMES));
  if (process.env.UPDATE === '1') writeFileSync(path, now);
  else expect(document).toBe(now);
});

test('a row stands once, and has a cell for each column', () => {
  const rows = THEMES.flatMap(({ techniques }) => techniques);
  const names = rows.map(({ chain, name }) => `${chain} ${name}`);
  expect(names).toEqual([...new Set(names)]);
  expect(printThemes(THEMES)).not.toMatch(/undefined|\|\|/);
  for (const row of printThemes(THEMES).split('\n'))
    if (row.startsWith('|')) expect(row.split('|')).toHaveLength(7);
});
