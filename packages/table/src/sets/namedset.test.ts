import { holdsElement, type NamedSet, type SetElement } from '../index.js';

const NETS: readonly (readonly [address: bigint, prefix: number, nomatch: boolean])[] = [
  [0x0aaa_0000n, 15, false],
  [0x0aab_0000n, 16, true],
];

const elementOf = ([address, prefix, nomatch]: (typeof NETS)[number]): SetElement => ({
  address,
  prefix,
  protocol: 0,
  port: 0,
  timeout: undefined,
  nomatch,
  packets: undefined,
  comment: undefined,
});

const set: NamedSet = {
  name: 's',
  type: 'net',
  family: 4,
  timeout: undefined,
  maxelem: 9,
  counters: false,
  comments: false,
  elements: NETS.map(elementOf),
};

test.each([
  ['the first address', 0x0aaa_0000n, 32, true, false],
  ['one before', 0x0aa9_ffffn, 32, false, false],
  ['the last before the exception', 0x0aaa_ffffn, 32, true, false],
  ['the first of the exception', 0x0aab_0000n, 32, false, true],
  ['the last of the exception', 0x0aab_ffffn, 32, false, true],
  ['one past', 0x0aac_0000n, 32, false, false],
  ['the network', 0x0aaa_0000n, 15, true, false],
  ['a network in it', 0x0aaa_8000n, 17, true, false],
  ['a wider one', 0x0aa8_0000n, 14, false, false],
])('%s of a network with an exception', (_, address, prefix, isHeld, isExcepted) => {
  const held = [false, true].map((nomatch) =>
    holdsElement(set, elementOf([address, prefix, nomatch])),
  );
  expect(held).toEqual([isHeld, isExcepted]);
});
