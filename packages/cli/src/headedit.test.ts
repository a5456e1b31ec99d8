/** What leaves the rules as they are is planned from their text alone, or left to who has the whole table. */
import { addGroup, TableError } from '@sockfilter/table';
import { editText, wholeText } from '../../../test/harness/editedtext.js';
import { editCommand, keptTable, soundTable } from '../../../test/harness/kepttable.js';
import { planHead } from './headedit.js';
import type { KeptTable } from './opentable.js';

/** Counters: BIND 0, ACCEPT 1, CONNECT 2 to 4, SENDTO 5, RECVFROM 6, and 7 is U's only rule. */
const RULES = ['-A CONNECT -j U', '-A CONNECT -d 10.0.0.1 -j DROP', '-A U -j DROP'];

function keep(...rules: readonly string[]): KeptTable {
  const chains = ['BIND', 'ACCEPT', 'CONNECT', 'SENDTO', 'RECVFROM'].map(
    (name) => `:${name} ACCEPT`,
  );
  const users = ['U', 'V', 'W'].map((name) => `:${name} -`);
  const lines = ['*socket', ...chains, ...users, '-G web --id 3', ...rules, 'COMMIT', ''];
  return keptTable(soundTable(lines.join('\n')));
}

const plan = (table: KeptTable, words: string) => planHead(table, editCommand(words));

test.each([
  ['-Z', { at: 0, count: 8 }],
  ['-Z BIND', { at: 0, count: 1 }],
  ['-Z CONNECT', { at: 2, count: 3 }],
  ['-Z CONNECT 1', { at: 2, count: 1 }],
  ['-Z CONNECT 2', { at: 3, count: 1 }],
  ['-Z U', { at: 7, count: 1 }],
  ['-Z V', { at: 8, count: 0 }],
])('%s clears counters, and no letter of the text', (words, counters) => {
  expect(plan(keep(...RULES), words)).toEqual({
    text: [],
    groups: undefined,
    edit: { kind: 'zero', ...counters },
  });
});

test.each([
  ['-P CONNECT DROP', 'CONNECT', 4, 1],
  ['-P BIND ACCEPT', 'BIND', 0, 0],
])('%s turns what the policy of its chain decides', (words, chain, counter, errno) => {
  const planned = plan(keep(...RULES), words);
  expect(planned?.edit).toMatchObject({ kind: 'policy', chain, counter, errno });
});

test.each([
  ['-N X', ':W - [0:0]\n', ':W - [0:0]\n:X - [0:0]\n'],
  ['-X W', ':W - [0:0]\n', ''],
  ['-P ACCEPT DROP', ':ACCEPT ACCEPT', ':ACCEPT DROP'],
])('%s changes its line alone', (words, old, now) => {
  const table = keep(...RULES);
  const planned = plan(table, words);
  expect(planned && editText(table.kept, planned.text)).toBe(
    wholeText(table.kept).replace(old, now),
  );
});

test.each([
  ['a rule that is not there', '-Z CONNECT 3'],
  ['the number of a policy', '-Z BIND 1'],
  ['all chains that are empty', '-X'],
  ['a policy that reports', '-P CONNECT DROP --audit'],
  ['a rule', '-A CONNECT -d 10.0.0.1 -j ACCEPT'],
])('%s is left to others: %s', (_, words) => {
  expect(plan(keep(...RULES), words)).toBeUndefined();
});

test.each([
  ['is called', '-A CONNECT -j W'],
  ['is gone to', '-A CONNECT -g W'],
  ['has rules', '-A W -j DROP'],
])('a chain that %s is left to who has the table, and says why it stays', (_, rule) => {
  expect(plan(keep(rule), '-X W')).toBeUndefined();
});

test.each(['-X NONE', '-Z NONE', '-N U'])('%s is refused', (words) => {
  expect(() => plan(keep(...RULES), words)).toThrow(TableError);
});

test('groups come and go where no rule names one by its path', () => {
  const { groups } = addGroup(keep().head, { name: 'db', id: 4, path: '/db' });
  const edit = { kind: 'groups', groups } as const;
  const table = keep(...RULES);
  const planned = planHead(table, edit);
  expect(planned).toMatchObject({ groups, edit: undefined });
  expect(planned && soundTable(editText(table.kept, planned.text)).groups).toEqual(groups);
  expect(planHead(keep('-A BIND -m cgroup --path /db -j DROP'), edit)).toBeUndefined();
});
