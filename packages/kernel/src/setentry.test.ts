/** Elements as entries of their maps: what is written is read, and the kernel's order of bits is kept. */
import { elementKey, type NamedSet, type SetElement } from '@sockfilter/table';
import fc from 'fast-check';
import { setOf } from '../../../test/arbitrary/set.js';
import {
  commentKey,
  decode,
  decodeComment,
  encodeComment,
  encodeKey,
  encodeValue,
  KINDS,
  kindOf,
  readWord,
} from './setentry.js';

const NS = 1_000_000_000n;
const NOW = 5n * NS + 7n;
const entryOf = (set: NamedSet, element: SetElement) => ({
  key: encodeKey(set, element),
  value: encodeValue(set, element, NOW),
});

test('what is written is read', () => {
  fc.assert(
    fc.property(setOf('s', [1, 2 ** 31]), (set) => {
      for (const element of set.elements) {
        const read = decode(set, entryOf(set, element), NOW);
        const packets = set.counters ? (element.packets ?? 0n) : undefined;
        expect(read).toEqual({ ...element, packets, comment: undefined });
      }
    }),
  );
});

test('elements have the same key if they are the same one, and as long a key as their map', () => {
  fc.assert(
    fc.property(setOf('s', []), (set) => {
      const { keySize } = KINDS[kindOf(set)];
      const keys = new Map<string, string>();
      for (const element of set.elements) {
        const key = encodeKey(set, element);
        expect(key).toHaveLength(keySize);
        for (const bytes of [key, commentKey(set, element)])
          keys.set(`${bytes.length} ${Buffer.from(bytes).toString('hex')}`, elementKey(element));
      }
      const kinds = keySize === commentKey(set, NET).length ? 1 : 2;
      expect(keys.size).toBe(kinds * set.elements.length);
    }),
  );
});

const NET: SetElement = {
  address: 0x0a00_0000n,
  prefix: 8,
  protocol: 0,
  port: 0,
  timeout: undefined,
  nomatch: false,
  packets: undefined,
  comment: undefined,
};
const nets: NamedSet = {
  name: 's',
  type: 'net',
  family: 4,
  timeout: 0,
  maxelem: 9,
  counters: true,
  comments: false,
  elements: [],
};

test('a network is looked up by as many bits as its prefix has, behind all else', () => {
  const bytes = (family: 4 | 6, address: bigint, prefix: number) =>
    Buffer.from(encodeKey({ ...nets, family }, { ...NET, address, prefix })).toString('hex');
  // The bits that count, in the machine's order; port and protocol; the address in the network's.
  const nothing = '00000000';
  expect(bytes(4, 0x0a00_0000n, 8)).toBe(`88000000${nothing}${'00'.repeat(12)}0a000000`);
  expect(bytes(4, 0x0a01_0203n, 32)).toBe(`a0000000${nothing}${'00'.repeat(12)}0a010203`);
  expect(bytes(6, 0xfd00n << 112n, 16)).toBe(`30000000${nothing}fd00${'00'.repeat(14)}`);
  expect(bytes(6, 1n, 128)).toBe(`a0000000${nothing}${'00'.repeat(15)}01`);
});

test.each([
  [0n, 2],
  [1n, 2],
  [NS - 1n, 2],
  [NS, 1],
  [2n * NS - 1n, 1],
  [2n * NS, undefined],
  [9n * NS, undefined],
])('%i ns after it was put in for two seconds it has %p left', (later, left) => {
  const entry = entryOf(nets, { ...NET, timeout: 2 });
  expect(decode(nets, entry, NOW + later)?.timeout).toBe(left);
});

test('one without a timeout stays, and one that counts keeps what else its word says', () => {
  expect(decode(nets, entryOf(nets, NET), NOW + 10n ** 18n)?.timeout).toBeUndefined();
  const packets = 2n ** 48n - 1n;
  const value = encodeValue(nets, { ...NET, nomatch: true, packets }, NOW);
  expect(readWord(value)).toEqual({ keyBits: 128 + 8, nomatch: true, packets });
  expect(readWord(encodeValue(nets, NET, NOW))).toEqual({
    keyBits: 128 + 8,
    nomatch: false,
    packets: 0n,
  });
});

test('comments end where their zeros begin', () => {
  const whole = `${'ü'.repeat(127)}x`;
  for (const comment of ['a b', 'ü', whole]) {
    expect(decodeComment(encodeComment(comment))).toBe(comment);
    expect(encodeComment(comment)).toHaveLength(256);
  }
});
