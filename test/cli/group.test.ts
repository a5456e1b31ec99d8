/** `sockfilter group` on a rule file. */
import { Workplace } from './command.js';

let place: Workplace;
beforeEach(() => {
  place = new Workplace({ SOCKFILTER_FILE: 'rules' });
  place.write('rules', '*socket\n-A BIND -m cgroup --id 5 -j DROP\nCOMMIT\n');
});
afterEach(() => place.remove());

test('add prints the id: the next that nothing uses', () => {
  expect(place.run(['group', 'add', 'web'])).toEqual({ status: 0, stdout: '1\n', stderr: '' });
  const { stdout } = place.run(['group', 'add', 'db', '--path', 'db.slice', '--id', '9']);
  expect(stdout).toBe('9\n');
  expect(place.run(['group', 'list']).stdout).toBe(
    ['NAME  ID  PATH', 'web   1   /sockfilter/web', 'db    9   /db.slice', ''].join('\n'),
  );
  expect(JSON.parse(place.run(['group', 'list', '--json']).stdout)).toEqual([
    { name: 'web', id: 1, path: '/sockfilter/web' },
    { name: 'db', id: 9, path: '/db.slice' },
  ]);
});

test('below another root', () => {
  const given = place.run(['group', 'add', 'web', '--root', '/tenants/a/', '--file', 'rules']);
  expect(given).toMatchObject({ status: 2 });
  expect(place.read('rules')).not.toContain('/tenants/a');
});

test.each([
  [['add', '3x'], 2, 'invalid group name `3x`'],
  [['add', 'a/b'], 2, 'say which control group it is with `--path`'],
  [['add', 'web', '--id', '0'], 2, 'invalid group id `0`'],
  [['add', 'web', '--path', '/a/../b'], 2, '`..`'],
  [['add', 'web', '--id', '7', '--id', '8'], 2, 'more than once'],
  [['add', 'web', '--root', '/a', '--path', '/b'], 1, 'not below the root `/a`'],
  [['add'], 2, '`group add` needs NAME'],
  [['delete', 'web'], 1, 'No group by the name `web`.'],
  [['move', 'web', '1'], 2, 'works on the live table only'],
  [['frobnicate'], 2, 'frobnicate'],
])('%p is refused', (args, status, message) => {
  const { stderr } = place.expectStatus(['group', ...args], status);
  expect(stderr).toContain(message);
});

test('delete is refused while rules name the group', () => {
  place.run(['group', 'add', 'web', '--id', '5']);
  const { stderr } = place.expectStatus(['group', 'delete', 'web'], 1);
  expect(stderr).toContain('  -A BIND -m cgroup --id 5 -j DROP\n');
  place.expectStatus(['group', 'delete', 'web', '--force'], 0);
  expect(place.read('rules')).toBe('*socket\n-A BIND -m cgroup --id 5 -j DROP\nCOMMIT\n');
});
