/** Quotes and backslashes in one line. */
import { lexLine } from './lexer.js';

test.each([
  ['a  b', ['a', 'b']],
  [`"a b" c`, ['a b', 'c']],
  [String.raw`"a\"b" "a\\"`, ['a"b', 'a\\']],
  [String.raw`'a\b' 'a\' c`, ['a\\b', 'a\\', 'c']],
  [`'a"b' "a'b"`, ['a"b', "a'b"]],
  // The closing quote ends the word.
  [`"a"b'c'd`, ['a', "b'c'd"]],
  [`'a'b`, ['a', 'b']],
  [String.raw`a\b`, [String.raw`a\b`]],
])('%s', (line, words) => {
  const { words: found, diagnostic } = lexLine(line, 'rules', 1);
  expect(diagnostic).toBeUndefined();
  expect(found.map(({ text }) => text)).toEqual(words);
});

test.each([
  [String.raw`"a\"`, 'no closing double quote'],
  [`'a"`, 'no closing single quote'],
])('%s has no end', (line, message) => {
  expect(lexLine(line, 'rules', 1).diagnostic?.message).toBe(message);
});
