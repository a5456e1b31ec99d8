/** Lines of sets in save files: what is printed is read, and what can't be is told at its place. */
import { NO_NAMES } from '@sockfilter/language';
import { EMPTY_TABLE, elementKey, type NamedSet, type Table } from '@sockfilter/table';
import fc from 'fast-check';
import { setOf } from '../../../test/arbitrary/set.js';
import { propertyRuns } from '../../../test/harness/length.js';
import { parseSave } from './restore.js';
import { printRuleFile, printSave } from './save.js';

const read = (text: string) => parseSave(text, 'f', { names: NO_NAMES });
const inOrder = ({ elements, ...set }: NamedSet) => ({
  ...set,
  elements: elements.toSorted((a, b) => (elementKey(a) < elementKey(b) ? -1 : 1)),
});

test('parse(print(set)) is the set; a file keeps what its elements have counted', () => {
  fc.assert(
    fc.property(setOf('s', [1, 2_147_483]), setOf('a"b', []), (...sets) => {
      const table: Table = { ...EMPTY_TABLE, sets };
      const forgotten = sets.map(
        (set): NamedSet => ({
          ...set,
          elements: set.elements.map((each) => ({ ...each, packets: undefined })),
        }),
      );
      for (const [text, wanted] of [
        [printRuleFile(table), sets],
        [printSave(table), forgotten],
      ] as const) {
        const { diagnostics, table: found } = read(text);
        expect(diagnostics).toEqual([]);
        expect(found.sets.map(inOrder)).toEqual(wanted.map(inOrder));
      }
    }),
    { numRuns: propertyRuns(100) },
  );
});

test.each([
  ['create s nets', 'no type of sets `nets`'],
  ['create s ip family inet5', 'a family is inet or inet6'],
  ['create s ip maxelem 0', '0'],
  ['create s ip|add s 10.0.0.300', 'invalid address `10.0.0.300`'],
  ['create s ip|add s fd00::1', 'is an IPv6 address, and set `s` has the family inet'],
  [
    'create s ip family inet6|add s 10.0.0.1',
    'is an IPv4 address, and set `s` has the family inet6',
  ],
  ['create s ip|add s 10.0.0.1 timeout 5', 'its elements stay'],
  ['create s ip|add s 10.0.0.1 nomatch', '`nomatch` is for networks'],
  ['create s ip|add s 10.0.0.1 packets 5', 'counters'],
  ['create s ip|add s 10.0.0.1 comment x', 'comment'],
  ['create s ip maxelem 2|add s 10.0.0.1-10.0.0.3', 'room for 2 elements'],
  [
    'create s ip,port maxelem 2|add s 10.0.0.1,tcp:80-82',
    'is 3 elements, and set `s` has room for 2',
  ],
  ['create s net|add s 10.0.0.0/255.0.255.0', '10.0.0.0/255.0.255.0'],
  ['create s port|add s 65536', '65536'],
  ['create s ip,port|add s 10.0.0.1', '10.0.0.1'],
  ['add t 10.0.0.1', "Set t doesn't exist."],
])('%s', (lines, message) => {
  const { diagnostics } = read(`*socket\n${lines.replace('|', '\n')}\nCOMMIT\n`);
  expect(diagnostics.map((each) => each.message).join('; ')).toContain(message);
  expect(diagnostics).toHaveLength(1);
  expect(diagnostics[0]?.span?.line).toBe(lines.split('|').length + 1);
});

test.each([
  ['net', '10.0.0.0-10.0.0.2', ['10.0.0.0/31', '10.0.0.2']],
  ['net', '10.0.0.1-10.0.0.4', ['10.0.0.1', '10.0.0.2/31', '10.0.0.4']],
  ['net', '0.0.0.0-255.255.255.255', ['0.0.0.0/0']],
  ['ip', '10.0.0.255-10.0.1.0', ['10.0.0.255', '10.0.1.0']],
  ['net', '10.0.0.255/24', ['10.0.0.0/24']],
  ['net', '255.255.255.255/1', ['128.0.0.0/1']],
  ['ip', '10.0.0.2/31', ['10.0.0.2', '10.0.0.3']],
  ['port', '65534-65535', ['65534', '65535']],
  ['ip,port', '10.0.0.1,udp:53-54', ['10.0.0.1,udp:53', '10.0.0.1,udp:54']],
])('in a set of type %s %s is %p', (type, word, elements) => {
  const { table, diagnostics } = read(`*socket\ncreate s ${type}\nadd s ${word}\nCOMMIT\n`);
  expect(diagnostics).toEqual([]);
  const added = printSave(table)
    .split('\n')
    .flatMap((line) => /^add s (.*)/.exec(line)?.[1] ?? []);
  expect(added).toEqual(elements);
});
