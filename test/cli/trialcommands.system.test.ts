/** What other commands do while a table is on trial, and what the terminal asks. */
import { CgroupTree } from '../harness/cgroups.js';
import { describeKernel } from '../harness/kernel.js';
import { Workplace } from './command.js';

const OLD = '*socket\n-A BIND -p udp -j ACCEPT\nCOMMIT\n';
const NEW = '*socket\n-A CONNECT -p udp -j ACCEPT\nCOMMIT\n';

describeKernel('commands during a trial', () => {
  let tree: CgroupTree;
  let place: Workplace;
  beforeAll(async () => {
    tree = await CgroupTree.create();
    place = new Workplace({ SOCKFILTER_ROOT: tree.path });
    place.write('old.rules', OLD);
    place.write('new.rules', NEW);
  });
  beforeEach(() => {
    place.expectStatus(['restore', 'old.rules'], 0);
  });
  afterEach(() => {
    place.run(['teardown']);
  });
  afterAll(async () => {
    await CgroupTree.removeAll();
    place?.remove();
  });

  const rules = () => place.expectStatus(['-S'], 0).stdout;

  test('groups are not changed, with the way out; teardown ends all', () => {
    place.expectStatus(['restore', '--confirm', '60', 'new.rules'], 0);
    const changes = [['group', 'add', 'web', '--path', `${tree.path}/web`], ['-F']];
    for (const change of changes) {
      const { status, stderr } = place.run(change);
      expect([change, status === 0]).toEqual([change, false]);
      expect(stderr).toContain('help: ');
      expect(rules()).toContain('-A CONNECT');
    }
    expect(place.run(['group', 'add', 'web', '--path', `${tree.path}/web`])).toMatchObject({
      status: 4,
      stderr: expect.stringContaining('`sockfilter undo` puts the one before back'),
    });
    place.expectStatus(['teardown'], 0);
    expect(place.expectStatus(['status'], 0).stdout).toContain('not installed');
  });

  test.each([
    ['y\n', 0, '-A CONNECT'],
    ['n\n', 1, '-A BIND'],
  ])('at the terminal %j is answered', (typed, status, stays) => {
    const ended = place.runAtTerminal('restore --confirm 20 new.rules', typed);
    expect(ended.stdout).toContain('Is all as it should be?');
    expect(ended.status).toBe(status);
    expect(rules()).toContain(stays);
    expect(place.expectStatus(['status'], 0).stdout).not.toContain('on trial');
  });
});
