import { draw, escapeLines, escapeUnseen, renderDiagnostics, writeJson } from './index.js';

/** What moves a cursor, breaks a line, turns the direction or is not seen at all. */
const HOSTILE = /[^\P{Cc}\t]|[\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u;

const EVERY = Array.from({ length: 0x11000 }, (_, code) => String.fromCodePoint(code));

test('of all characters none is left that a reader acts on and does not see', () => {
  expect(EVERY.filter((character) => HOSTILE.test(escapeUnseen(character)))).toEqual([]);
  expect(escapeUnseen('a\x1b[2Jb\x9bc\u202ed\u2028e\ud800')).toBe(
    'a\\u{1b}[2Jb\\u{9b}c\\u{202e}d\\u{2028}e\\u{d800}',
  );
  expect(escapeUnseen('tab\tümlaut 漢字 🙂')).toBe('tab\tümlaut 漢字 🙂');
  expect(escapeLines('a\x07\nb\n')).toBe('a\\u{7}\nb\n');
});

test('JSON says the same, and is as safe to look at', () => {
  const value = { text: EVERY.join(''), flag: '\u{e0041}' };
  const written = writeJson(value);
  expect(JSON.parse(written)).toEqual(value);
  expect(written.replaceAll('\n', '')).not.toMatch(HOSTILE);
});

const span = { source: 'a\u202e.rules', line: 1, column: 1, length: 1 };
const drawing = { span, label: 'error', style: 'error', message: 'bad', remarks: [] } as const;

test('carets stand below the place though escapes are wider, and tabs stay', () => {
  const line = `\u202e\t🙂${'\x1b'.repeat(2)}word`;
  const [head, excerpt = '', carets = ''] = draw(
    { ...drawing, span: { ...span, column: line.indexOf('word') + 1, length: 4 } },
    line,
  ).split('\n');
  expect(head).toBe(`a\\u{202e}.rules:1:${line.indexOf('word') + 1}: error: bad`);
  expect(carets.indexOf('^')).toBe(excerpt.indexOf('word'));
  expect(carets).toContain('\t');
  expect(carets.trimEnd().endsWith('^^^^')).toBe(true);
});

test.each([54, 55, 56, 57])('a long line is cut between characters: %s', (column) => {
  const drawn = draw({ ...drawing, span: { ...span, column } }, '🙂'.repeat(200));
  expect(drawn).not.toContain('\\u{d');
});

test('a word of thousands of letters is cut in the message, not in the help', () => {
  const word = 'x'.repeat(5000);
  const diagnostic = {
    code: 'bad-argument',
    message: `bad argument \`${word}\``,
    help: `write \`${word}\``,
    span,
    exit: 2,
  } as const;
  const drawn = renderDiagnostics([diagnostic], { name: 'x', text: word });
  expect(drawn.split('\n')[0]?.length).toBeLessThan(200);
  expect(drawn).toContain(`help: write \`${word}\``);
});
