import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { hexDigest, policyHash } from './digest.js';

test('digests are those of node', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (text) => {
      const hash = () => createHash('sha256').update(text);
      expect(hexDigest(text)).toBe(hash().digest('hex'));
      expect(policyHash(text)).toBe(`'sha256-${hash().digest('base64')}'`);
    }),
    { numRuns: 50 },
  );
});
