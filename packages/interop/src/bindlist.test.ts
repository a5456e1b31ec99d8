import { printRule } from '@sockfilter/iptables';
import { EMPTY_TABLE, evaluator, type Packet, type Table } from '@sockfilter/table';
import fc from 'fast-check';
import { PACKET } from '../../../test/arbitrary/ordinary.js';
import {
  addBindable,
  type BindList,
  deleteBindable,
  listBindable,
  readBindable,
} from './bindlist.js';

const LIST: BindList = { family: 4, group: 3 };
const TABLE: Table = { ...EMPTY_TABLE, groups: [{ name: 'web', id: 3, path: '/web' }] };

const bind = (destination: bigint, more: Partial<Packet> = {}): Packet => ({
  ...PACKET,
  chain: 'BIND',
  group: 3,
  flags: 0,
  destination,
  ...more,
});

const rulesOf = (table: Table) =>
  table.chains.flatMap(({ name, rules }) => rules.map((rule) => printRule(name, rule)));

test('the first address makes the list, as rules that can stand beside others', () => {
  expect(rulesOf(addBindable(TABLE, LIST, 0x0a000005n))).toEqual([
    '-A BIND -4 -m cgroup --id 3 -j network.ipv4-3',
    '-A network.ipv4-3 -d 0.0.0.0/32 -j RETURN',
    '-A network.ipv4-3 -d 10.0.0.5/32 -j RETURN',
    '-A network.ipv4-3 -j DROP',
  ]);
});

test('what is listed and the unspecified address can be bound, by the group alone', () => {
  const decide = evaluator(addBindable(TABLE, LIST, 5n));
  expect(decide(bind(5n)).errno).toBe(0);
  expect(decide(bind(0n)).errno).toBe(0);
  expect(decide(bind(6n)).errno).toBe(1);
  expect(decide(bind(6n, { group: 0 })).errno).toBe(0);
  expect(decide(bind(6n, { family: 6 })).errno).toBe(0);
});

test('any additions and deletions leave the list that a set would be, in the order of addition', () => {
  const steps = fc.array(fc.tuple(fc.boolean(), fc.bigInt({ min: 1n, max: 6n })), { minLength: 1 });
  fc.assert(
    fc.property(steps, (all) => {
      let table = addBindable(TABLE, LIST, 0n);
      const listed = new Set<bigint>();
      for (const [isAdded, address] of all) {
        if (isAdded) {
          table = addBindable(table, LIST, address);
          listed.add(address);
        } else if (listed.delete(address)) table = deleteBindable(table, LIST, address);
        else expect(() => deleteBindable(table, LIST, address)).toThrow('Invalid argument');
        expect(listBindable(table, LIST)).toEqual([...listed]);
      }
    }),
  );
});

test('a group without a list has none to print or to delete from', () => {
  expect(listBindable(TABLE, LIST)).toBeUndefined();
  expect(() => deleteBindable(TABLE, LIST, 5n)).toThrow('Invalid argument');
  expect(listBindable(addBindable(TABLE, LIST, 5n), { family: 6, group: 3 })).toBeUndefined();
});

test.each([
  ['10.0.0.5', 4, 0x0a000005n],
  ['0x0100007f', 4, 0x7f000001n],
  ['0500000A', 4, 0x0a000005n],
  ['::ffff:10.0.0.5', 4, 0x0a000005n],
  ['fd00::5', 6, (0xfd00n << 112n) + 5n],
  ['10.0.0.0/8', 4, undefined],
  ['fd00::5', 4, undefined],
  ['10.0.0.5', 6, undefined],
  ['0x01', 4, undefined],
  ['', 4, undefined],
] as const)('%s is, as an IPv%d address, %s', (text, family, value) => {
  expect(readBindable(text, family)?.value).toBe(value);
});
