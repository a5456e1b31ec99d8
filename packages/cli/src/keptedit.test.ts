/** Which edits are planned without the whole table: of the head, of one rule, or neither. */
import { editCommand, keptTable, soundTable } from '../../../test/harness/kepttable.js';
import { planEdit } from './keptedit.js';
import type { KeptTable } from './opentable.js';

/** Rules for so many addresses, which meet no call both, and those given. */
function keep(...rules: readonly string[]): KeptTable {
  const many = Array.from({ length: 20 }, (_, n) => `-A CONNECT -d 10.0.1.${n} -j DROP`);
  return keptTable(soundTable(['*socket', ...many, ...rules, 'COMMIT', ''].join('\n')));
}

test.each([
  ['-P BIND DROP', 'policy'],
  ['-Z CONNECT 20', 'zero'],
  ['-A CONNECT -d 10.0.0.1 -j ACCEPT', 'rule'],
  ['-D CONNECT 20', 'rule'],
])('%s', (words, kind) => {
  expect(planEdit(keep(), editCommand(words))?.edit?.kind).toBe(kind);
});

test('groups that rules name by their path take the whole table', () => {
  const groups = [{ name: 'web', id: 3, path: '/web' }];
  expect(planEdit(keep(), { kind: 'groups', groups })?.groups).toEqual(groups);
  const table = keep('-A BIND -m cgroup --path /web -j DROP');
  expect(planEdit(table, { kind: 'groups', groups })).toBeUndefined();
});

test.each(['-F', '-E U V', '-Z CONNECT 99'])(
  '%s takes the whole table, or is refused by it',
  (words) => {
    expect(planEdit(keep(), editCommand(words))).toBeUndefined();
  },
);
