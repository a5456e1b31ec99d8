import { isIPv4, isIPv6 } from 'node:net';
import fc from 'fast-check';
import { printAddress, printEndpoint, readCallAddress } from './address.js';

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
      const again = readCallAddress(text);
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
  const read = readCallAddress(text);
  expect(read && printAddress(read.family, read.value)).toBe(printed);
});

test.each([
  '',
  '10.0.0',
  '10.0.0.256',
  '1:2',
  ':::',
  '1::2::3',
  '12345::',
  '::1.2.3',
  'host',
  '010.1.1.1',
  'fe80::1%lo',
])('`%s` is no address', (text) => {
  expect(readCallAddress(text)).toBeUndefined();
});

test('ends', () => {
  expect(printEndpoint(4, 0x0a000001n, 80)).toBe('10.0.0.1:80');
  expect(printEndpoint(6, 1n, 80)).toBe('[::1]:80');
});
