import { readlinkSync } from 'node:fs';
import { SYSTEM_NAMES } from './systemnames.js';

test('a network namespace is looked up by where it is', () => {
  const [, inode] = /^net:\[(\d+)\]$/.exec(readlinkSync('/proc/self/ns/net')) ?? [];
  expect(SYSTEM_NAMES.netns('/proc/self/ns/net')).toBe(Number(inode));
});

test.each(['/proc/self/status', '/proc/self/ns/mnt', '/', '/nowhere/at/all'])(
  'no namespace: %s',
  (path) => {
    expect(SYSTEM_NAMES.netns(path)).toBeUndefined();
  },
);
