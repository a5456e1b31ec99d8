/** `exec`: a command that runs in a group. */
import { CgroupTree } from '../harness/cgroups.js';
import { describeKernel } from '../harness/kernel.js';
import { ended, program, Workplace } from './command.js';

describeKernel('exec', () => {
  let cgroups: CgroupTree;
  let place: Workplace;
  beforeAll(async () => {
    cgroups = await CgroupTree.create();
    place = new Workplace({ SOCKFILTER_ROOT: cgroups.path });
  });
  afterEach(() => {
    place.run(['restore'], { input: '*socket\nCOMMIT\n' });
  });
  afterAll(async () => {
    place?.run(['teardown']);
    await cgroups?.remove();
    place?.remove();
  });

  const run = (line: string) => place.expectStatus(line.split(' '), 0).stdout;

  beforeEach(() => {
    run('group add web');
  });

  test('runs the command inside, and passes its exit status on', () => {
    const inside = run('exec --group web -- cat /proc/self/cgroup');
    expect(inside).toContain(`0::${cgroups.path}/sockfilter/web\n`);
    const shell = (script: string) =>
      place.run(['exec', '-g', 'web', '--', 'sh', '-c', script]).status;
    expect(shell('exit 7')).toBe(7);
    expect(shell('kill -KILL $$')).toBe(137);
    expect(place.run(['exec', '-g', 'web', '--', 'no-such-command']).status).toBe(127);
    expect(place.run(['exec', '-g', 'web', '--', '/etc/passwd']).status).toBe(126);
    expect(place.run(['exec', '-g', 'web']).status).toBe(2);
    const { stderr } = place.expectStatus(['exec', '-g', 'nobody', '--', 'true'], 1);
    expect(stderr).toContain('`sockfilter group add nobody`');
  });

  test('forwards signals', async () => {
    const script = 'trap "echo caught; exit 3" TERM; echo ready; while :; do sleep 0.05; done';
    const child = place.start(['exec', '-g', 'web', '--', 'sh', '-c', script]);
    const end = ended(child);
    await new Promise((resolve) => child.stdout?.once('data', resolve));
    child.kill('SIGTERM');
    expect(await end).toMatchObject({ status: 3, stdout: 'ready\ncaught\n' });
  });

  test('closes inherited sockets unless told otherwise', () => {
    // A listener as descriptor 3, a file as 40: of a socket-activated service, of a careless parent.
    const outer = `
      const server = require('node:net').createServer().listen(0, '127.0.0.1', () => {
        const stdio = ['inherit', 'inherit', 'inherit', server._handle.fd];
        while (stdio.length < 40) stdio.push('ignore');
        stdio.push(require('node:fs').openSync('/etc/passwd'));
        const child = require('node:child_process').spawn(process.execPath,
          process.argv.slice(1), { stdio });
        child.on('exit', (status) => process.exit(status));
      });`;
    const list = 'for fd in /proc/$$/fd/*; do echo $(basename $fd) $(readlink $fd); done';
    const told: boolean[] = [];
    const openIn = (...more: readonly string[]) => {
      const words = ['exec', '-g', 'web', ...more, '--', 'sh', '-c', list];
      const { status, stdout, stderr } = place.runNode([
        '-e',
        outer,
        '--',
        program('sockfilter'),
        ...words,
      ]);
      // Only what is told of the socket that stays.
      const said = /^(sockfilter: .* holds tcp .* \(outside of the root\): .*\n)?$/;
      expect([status, said.test(stderr)]).toEqual([0, true]);
      told.push(stderr !== '');
      return stdout.split('\n').filter((line) => /^([3-9]|\d\d+) (socket:|.*passwd)/.test(line));
    };
    expect(openIn()).toEqual([]);
    expect(openIn('--keep-sockets')).toEqual([expect.stringMatching(/^3 socket:/)]);
    expect(told).toEqual([false, true]);
  });
});
