/** docs/security.md shows the attack table as it is run. */
import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { replacePart } from '../harness/documentpart.js';
import { printThemes, printTrusts } from './document.js';
import { THEMES } from './techniques.js';
import { TRUSTS } from './trusts.js';

const path = resolve('docs/security.md');

test('the tables in docs/security.md are those that are run (UPDATE=1 writes them)', () => {
  const document = readFileSync(path, 'utf8');
  const attacks = replacePart(document, 'attacks', 'test/attack', printThemes(THEMES));
  const now = replacePart(attacks, 'trust', 'test/attack', printTrusts(TRUSTS));
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
