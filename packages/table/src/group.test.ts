import { appendRules } from './edit.js';
import { TableError } from './error.js';
import {
  addGroup,
  deleteGroup,
  groupAt,
  groupConflict,
  idsInRules,
  nextGroupId,
  pathsInRules,
  registerPaths,
  requireGroup,
} from './group.js';
import { EMPTY_TABLE, type Group, groupsBelow, isBelow, type Rule, type Table } from './table.js';
import type { Value } from './value.js';

const web: Group = { name: 'web', id: 3, path: '/web.slice' };
const worker: Group = { name: 'worker', id: 4, path: '/web.slice/worker' };
const loose: Group = { name: 'loose', id: 9, path: undefined };
const groups = [web, worker, loose];
const table: Table = { ...EMPTY_TABLE, groups };

const cgroupRule = (name: 'id' | 'path', value: Value): Rule => ({
  matches: [{ name: 'cgroup', options: [{ name, negated: false, value }] }],
  target: { kind: 'accept' },
  packets: 0n,
});
const byId = (from: number, to = from) => cgroupRule('id', { kind: 'groupRange', from, to });
const byPath = (path: string) => cgroupRule('path', { kind: 'groupPath', path });

test('isBelow holds for the path itself and for what is below it', () => {
  expect(isBelow('/web', '/web')).toBe(true);
  expect(isBelow('/web/a', '/web')).toBe(true);
  expect(isBelow('/website', '/web')).toBe(false);
  expect(isBelow('/', '/web')).toBe(false);
  expect(isBelow('/web', '/')).toBe(true);
  expect(isBelow('/', '/')).toBe(true);
});

test('groupsBelow leaves out what has no path', () => {
  expect(groupsBelow(groups, '/web.slice')).toEqual([web, worker]);
  expect(groupsBelow(groups, '/web.slice/worker/deep')).toEqual([]);
  expect(groupsBelow(groups, '/')).toEqual([web, worker]);
});

test('a control group belongs to its own group or to its nearest ancestor that has one', () => {
  expect(groupAt(groups, '/web.slice')).toBe(web);
  expect(groupAt(groups, '/web.slice/other/deep')).toBe(web);
  expect(groupAt(groups, '/web.slice/worker/deep')).toBe(worker);
  expect(groupAt(groups.toReversed(), '/web.slice/worker/deep')).toBe(worker);
  expect(groupAt(groups, '/web.slices')).toBeUndefined();
  const root: Group = { name: 'all', id: 1, path: '/' };
  expect(groupAt([...groups, root], '/elsewhere')).toBe(root);
  expect(groupAt([...groups, root], '/web.slice')).toBe(web);
});

test.each([
  ['nothing', { name: 'db', id: 5, path: '/db' }, undefined],
  ['no path in both', { name: 'db', id: 5, path: undefined }, undefined],
  ['the name', { name: 'web', id: 5, path: '/x' }, 'group `web` exists already (id 3)'],
  ['the id', { name: 'db', id: 4, path: '/x' }, 'id 4 belongs to group `worker` already'],
  [
    'the path',
    { name: 'db', id: 5, path: '/web.slice' },
    'path `/web.slice` belongs to group `web` (id 3) already',
  ],
])('conflict about %s', (_, group, conflict) => {
  expect(groupConflict(groups, group)).toBe(conflict);
  if (conflict === undefined) expect(addGroup(table, group).groups.at(-1)).toBe(group);
  else expect(() => addGroup(table, group)).toThrow(new TableError(conflict));
});

test('groups are found and deleted by name', () => {
  expect(requireGroup(table, 'worker')).toBe(worker);
  expect(deleteGroup(table, 'worker').groups).toEqual([web, loose]);
  expect(() => deleteGroup(table, 'nope')).toThrow('No group by the name `nope`.');
});

test('the rules name ids and paths', () => {
  const named = appendRules(table, 'BIND', [byId(7), byId(20, 30), byPath('/a'), byPath('/a')]);
  expect(idsInRules(named)).toEqual([7, 7, 20, 30]);
  expect(pathsInRules(named)).toEqual(['/a']);
});

describe('the next id', () => {
  test.each([
    ['of an empty table', EMPTY_TABLE, 0, 1],
    ['above the groups', table, 0, 10],
    ['above what the host remembers', table, 41, 42],
    ['above the rules', appendRules(table, 'BIND', [byId(20, 30)]), 0, 31],
    ['above a range without an end', appendRules(table, 'BIND', [byId(20, 2 ** 32 - 1)]), 0, 21],
    ['the last one', EMPTY_TABLE, 2 ** 32 - 3, 2 ** 32 - 2],
  ])('%s', (_, given, highMark, id) => {
    expect(nextGroupId(given, highMark)).toBe(id);
  });

  test('ends', () => {
    expect(() => nextGroupId(EMPTY_TABLE, 2 ** 32 - 2)).toThrow('every group id has been used');
  });
});

test('paths in rules become groups, those that are there stay', () => {
  const rules = [byPath('/web.slice'), byPath('/a'), byPath('/b'), byId(50)];
  const registered = registerPaths(appendRules(table, 'BIND', rules), 60);
  expect(registered.groups.slice(3)).toEqual([
    { name: '/a', id: 61, path: '/a' },
    { name: '/b', id: 62, path: '/b' },
  ]);
  expect(registerPaths(registered, 60).groups).toEqual(registered.groups);
});
