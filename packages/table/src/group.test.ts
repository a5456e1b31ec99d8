import fc from 'fast-check';
import { appendRules } from './edit.js';
import { TableError } from './error.js';
import {
  addGroup,
  deleteGroup,
  groupAt,
  groupConflict,
  nextGroupId,
  pathsInRules,
  registerPaths,
  requireGroup,
} from './group.js';
import { commonPath, escapePath, isBelow, unescapePath } from './grouppath.js';
import { groupsBelow } from './groupsbelow.js';
import { EMPTY_TABLE, type Group, type Rule, type Table } from './table.js';
import type { Value } from './value.js';
import { readPath } from './words/path.js';
import { pathDoubt } from './words/pathdoubt.js';

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

test('the rules name paths', () => {
  const named = appendRules(table, 'BIND', [byId(7), byId(20, 30), byPath('/a'), byPath('/a')]);
  expect(pathsInRules(named)).toEqual(['/a']);
});

describe('the next id', () => {
  test.each([
    ['of an empty table', EMPTY_TABLE, 0, 1],
    ['skips groups, which do not move it', table, 2, 5],
    ['after the last that was given', table, 41, 42],
    ['skips ranges', appendRules(table, 'BIND', [byId(5, 8), byId(20, 30)]), 2, 10],
    ['not one up to the top', appendRules(table, 'BIND', [byId(20, 2 ** 32 - 1)]), 20, 21],
    [
      'not moved by a group near the top',
      { ...EMPTY_TABLE, groups: [{ ...web, id: 2 ** 32 - 2 }] },
      0,
      1,
    ],
    ['the last one', EMPTY_TABLE, 2 ** 32 - 3, 2 ** 32 - 2],
  ])('%s', (_, given, highMark, id) => {
    expect(nextGroupId(given, highMark)).toBe(id);
    expect(nextGroupId(EMPTY_TABLE, highMark, given)).toBe(id);
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

describe('patterns', () => {
  const units: Group = { name: 'units', id: 6, path: '/s/docker-*.scope' };

  test.each([
    ['/s/docker-*.scope', '/s/docker-1.scope', true],
    ['/s/docker-*.scope', '/s/docker-.scope', true],
    ['/s/docker-*.scope', '/s/docker-1.scope/init', true],
    ['/s/docker-*.scope', '/s/docker-*.scope', true],
    ['/s/docker-*.scope', '/s/docker-1*.scope', false],
    ['/s/docker-*.scope', '/s/docker-\\*.scope', true],
    ['/s/docker-*.scope', '/s/docker-1.service', false],
    ['/s/docker-*.scope', '/s/docker-1/x.scope', false],
    ['/s/docker-*.scope', '/t/docker-1.scope', false],
    ['/s/a*a', '/s/a', false],
    ['/s/\\**', '/s/\\*x', true],
    ['/s/\\**', '/s/x', false],
    ['/s/\\*', '/s/x', false],
    ['/*', '/s/x', true],
    ['/s/dev\\x2d*', '/s/dev\\x2dsda', true],
    ['/s/dev\\x2d*', '/s/dev-sda', false],
  ])('%s covers %s: %s', (pattern, path, covers) => {
    expect(isBelow(path, pattern)).toBe(covers);
  });

  test('a path beats a pattern, and what is deeper beats both', () => {
    const exact: Group = { name: 'one', id: 7, path: '/s/docker-1.scope' };
    const inner: Group = { name: 'in', id: 8, path: '/s/docker-2.scope/x*' };
    for (const groups of [
      [units, exact, inner],
      [inner, exact, units],
    ]) {
      expect(groupAt(groups, '/s/docker-1.scope/init')).toBe(exact);
      expect(groupAt(groups, '/s/docker-2.scope')).toBe(units);
      expect(groupAt(groups, '/s/docker-2.scope/x1/y')).toBe(inner);
    }
  });

  test.each([
    ['/s/d*', '/s/docker-.scope'],
    ['/s/*.scope', '/s/docker-.scope'],
    ['/s/docker-1*', '/s/docker-1.scope'],
    ['/s/*', '/s/docker-.scope'],
    ['/s/x*', undefined],
    ['/s/*.service', undefined],
    ['/t/docker-*.scope', undefined],
    ['/s/docker-1.scope', undefined],
  ])('beside /s/docker-*.scope, %s: a common path %s', (path, common) => {
    const conflict = groupConflict([units], { name: 'other', id: 9, path });
    if (common === undefined) expect(conflict).toBeUndefined();
    else {
      expect(conflict).toContain(`\`${path}\` of group \`other\``);
      expect(conflict).toContain('`/s/docker-*.scope` of group `units` (id 6)');
      expect(conflict).toContain(`both match \`${common}\``);
    }
  });

  test('two patterns have a common path if and only if some path matches both', () => {
    const text = fc.array(fc.constantFrom('a', 'b', '*', '\\'), { maxLength: 3 });
    const literal = text.map((all) => all.join(''));
    const pattern = fc
      .tuple(literal, literal)
      .map(([a, b]) => `/s/${escapePath(a)}*${escapePath(b)}`);
    fc.assert(
      fc.property(pattern, pattern, literal, (a, b, name) => {
        const common = commonPath(a, b);
        if (common !== undefined)
          expect([isBelow(common, a), isBelow(common, b)]).toEqual([true, true]);
        const path = `/s/${escapePath(name)}`;
        if (name !== '' && isBelow(path, a) && isBelow(path, b)) expect(common).toBeDefined();
        expect(unescapePath(escapePath(name))).toBe(name);
      }),
    );
  });

  test('a rule of a path means the groups of patterns below it, and those within its pattern', () => {
    const exact: Group = { name: 'one', id: 7, path: '/s/docker-1.scope' };
    const groups = [units, exact];
    expect(groupsBelow(groups, '/s')).toEqual(groups);
    expect(groupsBelow(groups, '/s/docker-*.scope')).toEqual(groups);
    expect(groupsBelow(groups, '/s/docker-1.scope')).toEqual([exact]);
  });
});

test.each([
  ['/sys/fs/cgroup/system.slice/nginx.service', 'write `/system.slice/nginx.service`'],
  ['sys/fs/cgroup/unified/a/', 'write `/a`'],
  ['/sys/fs/cgroup', 'write `/`'],
  ['0::/system.slice/nginx.service', 'write `/system.slice/nginx.service`'],
  ['1:name=systemd:/user.slice', 'write `/user.slice`'],
  ['/sys/fs/cgroup/systemd/user.slice', 'write what `/proc/PID/cgroup` has after `0::`'],
  ['/sys/fs/cgroup/cpu,cpuacct/web', 'write what `/proc/PID/cgroup` has after `0::`'],
  ['/web/cgroup.procs', 'write `/web`'],
  ['/web/?', '`\\?` is the character itself'],
  ['/web/[ab]', '`\\[` is the character itself'],
  ['/web/**', "a control group's id holds for all below it"],
  ['/web/a*b*', '`\\*` is the character itself'],
  ['/web-*/x', "a control group's id holds for all below it"],
])('%s is no path: %s', (text, help) => {
  const read = readPath(text);
  expect('fault' in read && read.fault.help).toContain(help);
  if (!('fault' in read)) return;
  // What the help says to write instead is a path.
  const [, instead] = /^write `(.*)`$/.exec(read.fault.help ?? '') ?? [];
  if (instead !== undefined) expect(readPath(instead)).toEqual({ path: instead });
});

test.each(['/s/\\**', '/s/*\\*', '/s/\\?\\[*', '/*', '/dev\\x2dsda', '/s/a\\'])(
  '%s is a path',
  (path) => {
    expect(readPath(path)).toEqual({ path });
  },
);

describe('doubt', () => {
  test.each([
    ['/mnt/cgroup2/web', '/web'],
    ['/run/cilium/cgroupv2/web', '/web'],
    ['/host/sys/fs/cgroup/unified/web', '/web'],
    ['/proc/1/root/sys/fs/cgroup', '/'],
    ['/web (deleted)', '/web'],
    ['/system.slice:docker:1f', '/system.slice/docker-1f.scope'],
    ['/user-7.slice:cri:1f', '/user.slice/user-7.slice/cri-1f.scope'],
    ['/system.slice/dev-diskx2dby.device', '/system.slice/dev-disk\\x2dby.device'],
    ['/u.slice/app-gnome-fooax2dbar-1.scope', '/u.slice/app-gnome-fooa\\x2dbar-1.scope'],
    ['/system.slice/backup@ax2db.service', '/system.slice/backup@a\\x2db.service'],
    ['/s.slice/a\\\\x2db\\\\x2dc.mount', '/s.slice/a\\x2db\\x2dc.mount'],
    ['/user-1000.slice', '/user.slice/user-1000.slice'],
    ['/user-1000.slice/session-*.scope', '/user.slice/user-1000.slice/session-*.scope'],
    ['/a.slice/a-b-c.slice/x', '/a.slice/a-b.slice/a-b-c.slice/x'],
    ['/nginx.service', '/system.slice/nginx.service'],
    ['/docker-*.scope', '/system.slice/docker-*.scope'],
  ])('%s, and none about what may be meant, %s', (path, instead) => {
    expect(readPath(path)).toEqual({ path });
    expect(pathDoubt(path)?.help).toBe(instead);
    expect(readPath(instead)).toEqual({ path: instead });
    expect(pathDoubt(instead)).toBeUndefined();
  });

  test.each([
    '/',
    '/web',
    '/init.scope',
    '/web.slice',
    '/-.slice',
    '/a--b.slice',
    '/cgroups/web',
    '/system.slice/dev\\x2dsda.mount',
    '/games/box2dgame',
    '/system.slice/box2dgame.service',
    '/system.slice/box2dgame@1.service',
    '/docker/1f2d',
    '/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod1_2.slice/cri-containerd-1f.scope',
    '/user.slice/user-1000.slice/user@1000.service/app.slice/app-x.slice/x.service',
  ])('none about %s', (path) => {
    expect(pathDoubt(path)).toBeUndefined();
  });
});

test('names of 255 bytes are paths, longer ones are not', () => {
  expect(readPath(`/${'é'.repeat(127)}a`)).toHaveProperty('path');
  expect(readPath(`/${'é'.repeat(128)}`)).toHaveProperty('fault');
});

describe('of many groups', () => {
  const name = fc.constantFrom('a', 'b', 'ab', 'a*', '*b', 'a\\*', '!', 'a!');
  const paths = fc
    .array(name, { maxLength: 3 })
    .map((names) => `/${names.map((each) => each.replace(/(?<!\\)\*/, '')).join('/')}`)
    .chain((folder) =>
      name.map((last) => (folder === '/' ? `/${last}` : `${folder.replace(/\/+$/, '')}/${last}`)),
    );
  const lists = fc
    .array(fc.option(paths, { nil: undefined }), { maxLength: 30, size: 'max' })
    .map((all) => all.map((path, n): Group => ({ name: `g${n}`, id: n + 1, path })));

  test('those below a path are those for which isBelow holds, also when there are more', () => {
    fc.assert(
      fc.property(lists, lists, fc.array(paths, { minLength: 1 }), (first, more, asked) => {
        const growing = [...first];
        for (const path of asked) {
          const below = growing.filter(
            (each) => each.path !== undefined && isBelow(each.path, path),
          );
          expect(new Set(groupsBelow(growing, path))).toEqual(new Set(below));
          const next = more[growing.length - first.length];
          if (next) growing.push(next);
        }
      }),
    );
  });

  test('of several patterns in a folder each can collide', () => {
    const [a, b, c] = ['/s/a*', '/s/b*', '/s/c*'].map(
      (path, n): Group => ({ name: path, id: n + 1, path }),
    );
    const all = [a, b, c].flatMap((each) => each ?? []);
    for (const each of all)
      expect(groupConflict(all, { name: 'other', id: 9, path: `${each.path}x` })).toContain(
        `and \`${each.path}\` of group`,
      );
  });

  test('what collides is what collides with one of them', () => {
    fc.assert(
      fc.property(lists, paths, (all, path) => {
        const distinct: Group[] = [];
        for (const each of all) if (!groupConflict(distinct, each)) distinct.push(each);
        const other: Group = { name: 'other', id: 99, path };
        const found = groupConflict(distinct, other);
        const one = distinct.map((each) => groupConflict([each], other)).filter(Boolean);
        expect(one.length > 0).toBe(found !== undefined);
        if (found !== undefined) expect(one).toContain(found);
      }),
    );
  });

  test('ids are given as one after the other, each the next that is free', () => {
    const ranges = fc.array(fc.tuple(fc.integer({ min: 1, max: 40 }), fc.nat(9)), { maxLength: 8 });
    fc.assert(
      fc.property(ranges, ranges, fc.nat(20), fc.nat(8), (own, others, last, count) => {
        const rulesOf = (all: readonly (readonly [number, number])[]) =>
          all.map(([from, more]) => byId(from, from + more));
        const wanted = Array.from({ length: count }, (_, n) => byPath(`/p${n}`));
        const before = appendRules(EMPTY_TABLE, 'BIND', [...rulesOf(own), ...wanted]);
        const other = appendRules(EMPTY_TABLE, 'BIND', rulesOf(others));
        let expected: Table = before;
        let given = last;
        for (let n = 0; n < count; n++) {
          given = nextGroupId(expected, given, other);
          expected = addGroup(expected, { name: `/p${n}`, id: given, path: `/p${n}` });
        }
        expect(registerPaths(before, last, other)).toEqual(expected);
        const isUsed = (id: number) =>
          [...own, ...others].some(([from, more]) => from <= id && id <= from + more);
        const free = Array.from({ length: 200 }, (_, n) => last + 1 + n).filter(
          (id) => !isUsed(id),
        );
        expect(expected.groups.map(({ id }) => id)).toEqual(free.slice(0, count));
      }),
    );
  });
});
