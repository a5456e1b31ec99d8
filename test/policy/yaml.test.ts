/** Files that people write in YAML: whatever is wrong with one, it is told with its place, in our words. */
import { readExpectations, readIntended } from '@sockfilter/policy';
import fc from 'fast-check';

const CASE = '{ chain: BIND, dst: 10.0.0.5, dport: 80 }';

const warned: string[] = [];
const listen = (warning: Error) => warned.push(String(warning));
beforeAll(() => process.on('warning', listen));
afterAll(() => process.off('warning', listen));

async function faults(text: string): Promise<readonly string[]> {
  const read = await readExpectations(text, 'x.test.yaml');
  const lines = text.split('\n');
  if (read.ok) return [];
  return read.findings.map(({ code, message, place }) => {
    expect(code).toBe('SF103');
    const { line, column } = place;
    expect(line).toBeGreaterThan(0);
    expect(line).toBeLessThanOrEqual(lines.length);
    expect(column).toBeGreaterThan(0);
    expect(column).toBeLessThanOrEqual((lines[line - 1] ?? '').length + 1);
    return `${line}:${column}: ${message}`;
  });
}

test.each([
  ['cases: *nowhere\n', '1:8: no anchor `&nowhere` comes before'],
  ['cases: &a [*a]\n', '1:12: `&a` would contain itself'],
  ['? [a, b]\n: c\n', '1:3: a key must be a word, not a list or a mapping'],
  ['? { a: b }\n: c\n', '1:3: a key must be a word, not a list or a mapping'],
  [': c\n', '1:1: a key is missing'],
  ['cases: []\ncases: []\n', '2:1: this key stands twice in one mapping'],
  ['cases: []\n---\ncases: []\n', '2:1: the file has one document: another one starts here'],
  ['cases: !!binary aGk=\n', '1:17: there is no such tag'],
  ['cases: !!set { x }\n', '1:14: there is no such tag'],
  ['cases: !mine x\n', '1:8: there is no such tag'],
  ['cases: \0\n', '1:8: this is a control character'],
  ['cases:\n\t- x\n', '2:1: tabs cannot indent: write blanks'],
  ['<<: { cases: [] }\n', '1:1: there is no `<<` here'],
  ['__proto__: 1\n', '1:1: there is no `__proto__` here'],
  ['1: 2\n', '1:1: there is no `1` here'],
  ['cases: "\\q"\n', '1:9: there is no such escape in double quotes'],
  ['cases: [\n', '2:1: this is not indented as what it belongs to'],
  [`cases: ${'['.repeat(10_000)}\n`, '1:58: this is nested too deeply'],
  [`${'- '.repeat(10_000)}x\n`, '1:1: this is nested too deeply'],
  [
    Array.from({ length: 2000 }, (_, n) => `${' '.repeat(n)}a:\n`).join(''),
    '501:1: this is nested too deeply',
  ],
  ['cases: 1\n', '1:8: `cases`: this must be a list'],
  ['- a\n', '1:1: this must be a mapping'],
  ['cases: [{ expect: accept }]\n', '1:9: `cases.0.call`: this is missing'],
  [`cases: [{ call: ${CASE}, expect: maybe }]\n`, '1:68: `cases.0.expect`: this must be one of '],
  ['invariants: [{ never: accept, in: { remote: -1 } }]\n', 'this must not be negative'],
])('fault %#', async (text, fault) => {
  const told = await faults(text);
  expect(told.join('\n')).toContain(fault);
  // A file of our own mistakes has none of the parser's or the schema's words.
  for (const line of told) expect(line).not.toMatch(/invalid|received|YAML|implicit|node/i);
});

test('aliases that grow without end', async () => {
  const lines = Array.from(
    { length: 10 },
    (_, n) =>
      `k${n}: &k${n} [${Array(10)
        .fill(n === 0 ? 'x' : `*k${n - 1}`)
        .join(', ')}]`,
  );
  expect(await faults(lines.join('\n'))).toEqual([
    '2:10: aliases of aliases would make this too large',
  ]);
});

test('anchors and aliases that mean something are taken', async () => {
  const text = `cases:\n  - { call: &c ${CASE}, expect: refuse }\n  - { call: *c, expect: EPERM }\n`;
  expect(await faults(text)).toEqual([]);
  expect(await faults(`\uFEFF${text}`)).toEqual([]);
  expect(await faults(text.replaceAll('\n', '\r\n'))).toEqual([]);
  expect(await faults('')).toEqual([]);
});

/** Pieces that YAML gives a meaning, and ours. */
const piece = fc.oneof(
  fc.constantFrom(
    ...[
      'cases',
      'invariants',
      'call',
      'expect',
      'never',
      'in',
      'only',
      'chain',
      'remote',
      'accept',
    ],
    ...[
      ': ',
      ':\n  ',
      '\n',
      '\n- ',
      '\n  - ',
      '- ',
      '? ',
      '[',
      ']',
      '{',
      '}',
      ', ',
      ',',
      '\t',
      ' ',
    ],
    ...[
      '&a ',
      '*a',
      '!!set ',
      '!!str ',
      '!x ',
      '"',
      "'",
      '|\n',
      '>\n',
      '---\n',
      '...\n',
      '%YAML 1.2\n',
    ],
    ...[
      '<<',
      '# ',
      '\r\n',
      '\uFEFF',
      '\0',
      '~',
      '.nan',
      '1e999',
      '-1',
      '!',
      '@',
      '`',
      '\u2028',
      'é',
    ],
  ),
  fc.string({ maxLength: 3 }),
);

test('whatever the text, it is taken or its faults are told', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(piece, { maxLength: 25 }), async (pieces) => {
      const text = pieces.join('');
      await faults(text);
      await readIntended(text, 'x.yaml');
    }),
    { numRuns: 3000 },
  );
  expect(warned).toEqual([]);
});
