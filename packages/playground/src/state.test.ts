import { deflateRawSync } from 'node:zlib';
import fc from 'fast-check';
import { packState, unpackState } from './state.js';

const text = fc.string({ unit: 'grapheme', maxLength: 200 });
const spoilt = (value: unknown) =>
  deflateRawSync(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');

test('what is packed is unpacked, whatever was typed', async () => {
  await fc.assert(
    fc.asyncProperty(fc.record({ rules: text, call: text, query: text }), async (state) => {
      const fragment = await packState(state);
      expect(fragment).toMatch(/^[\w-]*$/);
      expect(await unpackState(fragment)).toEqual(state);
    }),
    { numRuns: 30 },
  );
});

test.each([
  ['no base64', '%%%'],
  ['nothing deflated', 'AAAA'],
  ['no JSON', spoilt('{')],
  ['another kind of JSON', spoilt([1])],
  ['a number for rules', spoilt({ rules: 1 })],
  ['more than anybody types', spoilt({ rules: 'x'.repeat(3_000_000) })],
])('an address with %s is none', async (_, fragment) => {
  const read = await unpackState(fragment);
  expect(read === undefined || read.rules === '').toBe(true);
});
