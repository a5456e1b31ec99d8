/** docs/kernel.md shows the runs on other kernels as they have written down what they came to. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { replacePart } from '../harness/documentpart.js';
import { printRuns, readRuns } from './document.js';

const path = resolve('docs/kernel.md');

test('the table of kernels is that of the runs (UPDATE=1 writes it)', () => {
  const document = readFileSync(path, 'utf8');
  const table = printRuns(readRuns(join(__dirname, 'results')));
  const now = replacePart(document, 'kernels', 'test/kernels', table);
  if (process.env.UPDATE === '1') writeFileSync(path, now);
  else expect(document).toBe(now);
});

test('a run that failed is told with what failed', () => {
  const [row = ''] = printRuns([
    {
      kernel: '6.1.0-1-amd64',
      what: 'test/attack',
      commit: '0123456789ab',
      passed: 3,
      failed: 1,
      skipped: 2,
      found: ['a socket that was made elsewhere'],
      minutes: 12.34,
    },
  ])
    .split('\n')
    .slice(2);
  expect(row).toBe(
    '| 6.1.0-1-amd64 | `test/attack` | 0123456789ab | 3 | 1 | 2 | a socket that was made elsewhere | 12 |',
  );
});
