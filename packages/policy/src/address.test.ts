import { isIPv4, isIPv6 } from 'node:net';
import fc from 'fast-check';
import {
  addressBits,
  parseAddress,
  parseNetwork,
  printAddress,
  printAddressRange,
  printEndpoint,
} from './address.js';
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

test('what is printed is an address, and read again', () => {
  fc.assert(
    fc.property(address, ({ family, value }) => {
      const text = printAddress(family, value);
      if (!(family === 4 ? isIPv4(text) : isIPv6(text))) throw new Error(text);
      const again = parseAddress(text);
      return again?.family === family && again.value === value;
    }),
  );
});

test.each([
  ['10.0.0.5', '10.0.0.5'],
  ['::ffff:10.0.0.5', '10.0.0.5'],
  ['::FFFF:a00:5', '10.0.0.5'],
  ['::', '::'],
  ['0:0:1::', '0:0:1::'],
  ['1:0:0:2:0:0:0:3', '1:0:0:2::3'],
  ['64:ff9b::192.0.2.1', '64:ff9b::c000:201'],
])('%s is %s', (text, printed) => {
  const read = parseAddress(text);
  expect(read && printAddress(read.family, read.value)).toBe(printed);
});

test.each(['', '10.0.0', '10.0.0.256', '1:2', ':::', '1::2::3', '12345::', '::1.2.3', 'host'])(
  '`%s` is no address',
  (text) => {
    expect(parseAddress(text)).toBeUndefined();
  },
);

test.each([
  ['10.0.0.0/8', 8],
  ['10.0.0.1', 32],
  ['::ffff:10.0.0.0/104', 8],
  ['fd00::/7', 7],
  ['10.0.0.0/33', undefined],
  ['::/129', undefined],
])('the prefix of %s is %s', (text, prefix) => {
  expect(parseNetwork(text)?.prefix).toBe(prefix);
});

test('ranges and ends', () => {
  expect(printAddressRange(4, [0x0a000000n, 0x0affffffn])).toBe('10.0.0.0/8');
  expect(printAddressRange(4, [0x0a000001n, 0x0a000002n])).toBe('10.0.0.1-10.0.0.2');
  expect(printAddressRange(6, [0n, 2n ** 128n - 1n])).toBe('::/0');
  expect(printEndpoint(6, 1n, 80)).toBe('[::1]:80');
});

test('networks cover a range, each once', () => {
  fc.assert(
    fc.property(address, address, (a, b) => {
      fc.pre(a.family === b.family);
      const [from, to] = a.value < b.value ? [a.value, b.value] : [b.value, a.value];
      let next = from;
      for (const { value, prefix } of coveringNetworks(a.family, [from, to])) {
        if (value !== next) return false;
        next += 1n << BigInt(addressBits(a.family) - prefix);
      }
      return next === to + 1n;
    }),
  );
});
