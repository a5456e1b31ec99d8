/** Goldens of diagnostics: diagnostics.golden holds each line and what is said about it. */
import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { exitStatus, NO_NAMES, renderDiagnostic } from '@sockfilter/language';
import { parseCommand, parseSave } from './index.js';
import { lexLine } from './lexer.js';

const path = resolve('packages/iptables/src/diagnostics.golden');

/** What is said about a command line; the golden separates lines of words with `> `. */
function drawn(line: string): string {
  const argv = lexLine(line, 'golden', 1).words.map(({ text }) => text);
  const { diagnostics, source } = parseCommand(argv, { names: NO_NAMES, groups: [] });
  return [
    `> ${line}\n`,
    ...diagnostics.map((diagnostic) => renderDiagnostic(diagnostic, source)),
    `exit ${exitStatus(diagnostics)}\n`,
  ].join('');
}

test('diagnostics are as in the golden (UPDATE=1 writes it)', () => {
  const golden = readFileSync(path, 'utf8');
  const lines = golden.split('\n').filter((line) => line.startsWith('> '));
  const now = lines.map((line) => drawn(line.slice(2))).join('\n');
  if (process.env.UPDATE === '1') writeFileSync(path, now);
  else expect(now).toBe(golden);
  expect(lines.length).toBeGreaterThan(20);
});

test('the place in a file, long lines, tabs and control characters', () => {
  const text = `*socket\n-A BIND\t-p tcp${' '.repeat(200)}--dprt\x1b 80\nCOMMIT\n`;
  const { diagnostics, document } = parseSave(text, 'web.rules', { names: NO_NAMES });
  const [first] = diagnostics;
  if (!first) throw new Error('no diagnostic');
  const drawing = renderDiagnostic(first, document.source);
  const [head, excerpt = '', carets = ''] = drawing.split('\n');
  expect(head).toMatch(/^web\.rules:2:\d+: error: unknown option/);
  expect(carets.indexOf('^')).toBe(excerpt.indexOf('--dprt'));
  expect(drawing).not.toContain('\x1b');
  expect(renderDiagnostic(first, document.source, { colour: true })).toContain(
    '\x1b[1;31merror:\x1b[0m',
  );
});
