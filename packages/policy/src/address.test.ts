import { fullMask } from '@sockfilter/table';
import fc from 'fast-check';
import { printAddressRange } from './address.js';
import { coveringNetworks } from './network.js';

const address = fc.oneof(
  fc.bigInt({ min: 0n, max: 2n ** 32n - 1n }).map((value) => ({ family: 4 as const, value })),
  fc
    .oneof(
      fc.bigInt({ min: 0n, max: 2n ** 128n - 1n }),
      // Runs of zeros, wherever they stand.
      fc
        .array(fc.constantFrom<bigint>(0n, 0n, 1n, 0xffffn), { minLength: 8, maxLength: 8 })
        .map((pieces) => pieces.reduce((sum, piece) => (sum << 16n) | piece, 0n)),
    )
    .filter((value) => value >> 32n !== 0xffffn)
    .map((value) => ({ family: 6 as const, value })),
);

test('ranges', () => {
  expect(printAddressRange(4, [0x0a000000n, 0x0affffffn])).toBe('10.0.0.0/8');
  expect(printAddressRange(4, [0x0a000001n, 0x0a000002n])).toBe('10.0.0.1-10.0.0.2');
  expect(printAddressRange(6, [0n, 2n ** 128n - 1n])).toBe('::/0');
});

test('networks cover a range, each once', () => {
  fc.assert(
    fc.property(address, address, (a, b) => {
      fc.pre(a.family === b.family);
      const [from, to] = a.value < b.value ? [a.value, b.value] : [b.value, a.value];
      let next = from;
      for (const { value, mask } of coveringNetworks(a.family, [from, to])) {
        if (value !== next) return false;
        next += fullMask(a.family) - mask + 1n;
      }
      return next === to + 1n;
    }),
  );
});
