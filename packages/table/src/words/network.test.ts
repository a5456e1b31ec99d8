import { printAddress } from './address.js';
import { readCallNetwork } from './network.js';

test.each([
  ['10.0.0.0/8', '10.0.0.0', '255.0.0.0'],
  ['10/8', '10.0.0.0', '255.0.0.0'],
  ['10.1/16', '10.1.0.0', '255.255.0.0'],
  ['0/0', '0.0.0.0', '0.0.0.0'],
  ['10.0.0.5/8', '10.0.0.5', '255.0.0.0'],
  ['10.0.0.5/255.0.255.0', '10.0.0.5', '255.0.255.0'],
  ['10.0.0.1', '10.0.0.1', '255.255.255.255'],
  ['::ffff:10.0.0.0/104', '10.0.0.0', '255.0.0.0'],
  ['::ffff:10.0.0.0/ffff:ffff:ffff:ffff:ffff:ffff:ff00:0', '10.0.0.0', '255.0.0.0'],
  ['fd00::/7', 'fd00::', 'fe00::'],
])('%s is %s, mask %s', (text, address, mask) => {
  const read = readCallNetwork(text);
  expect(
    read && [printAddress(read.family, read.value), printAddress(read.family, read.mask)],
  ).toEqual([address, mask]);
});

test.each([
  '10.0.0.0/33',
  '::/129',
  '10',
  '10.1',
  '010/8',
  '10.0.0.0/',
  '/8',
  '256/8',
  '::/255.0.0.0',
  '10.0.0.0/ff00::',
  '::ffff:10.0.0.0/64',
])('`%s` is no network', (text) => {
  expect(readCallNetwork(text)).toBeUndefined();
});
