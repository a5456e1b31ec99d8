import { createHash } from 'node:crypto';
import { sha256 } from './sha256.js';

/** The examples of FIPS 180-4. */
test.each([
  ['', 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'],
  ['abc', 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'],
])('%j', (text, expected) => {
  expect(sha256(Buffer.from(text))).toBe(expected);
});

test('bytes that lie in a larger buffer, of any length, and megabytes', () => {
  const all = Uint8Array.from({ length: 4_000_003 }, (_, n) => (n * 31) ^ (n >> 7));
  for (const part of [...Array.from({ length: 140 }, (_, n) => all.subarray(n, 2 * n)), all])
    expect(sha256(part)).toBe(createHash('sha256').update(part).digest('hex'));
});
