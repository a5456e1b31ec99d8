/** Tables on trial, revisions, the history and `undo`: what the commands do shows in real calls. */
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Caller } from '../harness/caller.js';
import { describeKernel } from '../harness/kernel.js';
import { Testbed } from '../harness/testbed.js';
import { ended, Workplace } from './command.js';

describeKernel('trials and history', () => {
  let bed: Testbed;
  let place: Workplace;
  let caller: Caller;
  beforeAll(async () => {
    bed = await Testbed.create();
    place = new Workplace({ SOCKFILTER_ROOT: bed.cgroups.path });
    caller = await bed.caller('in');
  });
  afterEach(() => {
    place.run(['teardown']);
  });
  afterAll(async () => {
    await bed?.close();
    place?.remove();
  });

  const rules = (port: number, errno: string, id = 3) => `*socket
-G in --id ${id} --path ${bed.cgroups.childPath('in')}
-A CONNECT -p udp -m cgroup --id ${id} -m udp --dport ${port} -j REJECT --reject-with ${errno}
-A CONNECT -p udp -m udp --dport 7003 -j DROP
COMMIT
`;
  const run = (line: string, input?: string) =>
    place.expectStatus(line.split(' '), 0, input === undefined ? {} : { input });

  async function connect(port: number, from = caller): Promise<string> {
    const fd = await from.socket('inet', 'dgram');
    const outcome = await from.connect(fd, { address: '127.0.0.1', port });
    await from.close(fd);
    return outcome;
  }
  const outcomes = async () => [await connect(7001), await connect(7002), await connect(7003)];
  const OLD = ['EACCES', 'ok', 'EPERM'];
  const NEW = ['ok', 'ECONNREFUSED', 'EPERM'];

  test('past its deadline the kernel itself walks the table before, whoever has died', async () => {
    run('restore', rules(7001, 'EACCES'));
    const child = place.start(['restore', '--confirm', '8']);
    child.stdin?.end(rules(7002, 'ECONNREFUSED', 4));
    const { stderr } = await ended(child);
    const begin = Date.now();
    expect(stderr).toContain('`sockfilter confirm` keeps it');
    expect(await outcomes()).toEqual(NEW);
    // A second administrator changes nothing, and sees what is in force and for how long.
    const refused = place.expectStatus(['-P', 'BIND', 'DROP'], 4);
    expect(refused.stderr).toContain('`sockfilter undo`');
    place.expectStatus(['restore'], 4, { input: rules(7001, 'EPERM') });
    expect(run('status').stdout).toMatch(/on trial +for [1-8] s more/);
    // A control group that is made meanwhile has the id of each table.
    const young = await bed.caller('in/young');
    expect(await connect(7002, young)).toBe('ECONNREFUSED');
    while (Date.now() - begin < 8200) await sleep(50);
    expect(await outcomes()).toEqual(OLD);
    expect(await connect(7001, young)).toBe('EACCES');
    expect(run('-S').stdout).toContain('--dport 7001');
    expect(run('status').stdout).not.toContain('on trial');
    place.expectStatus(['confirm'], 1);
    // Counts go on where they were: those of the trial were the tried table's.
    const count = () => Number(/-c (\d+) 0 -j REJECT/.exec(run('-S CONNECT -v').stdout)?.[1]);
    const before = count();
    await connect(7001);
    expect(count()).toBe(before + 1);
    run('-P BIND DROP');
    expect(await outcomes()).toEqual(OLD);
    expect(count()).toBe(before + 2);
  });

  test('confirm keeps a trial with its counts, undo ends it at once', async () => {
    run('restore', rules(7001, 'EACCES'));
    run('restore --confirm 60', rules(7002, 'ECONNREFUSED', 4));
    expect(await outcomes()).toEqual(NEW);
    run('confirm');
    expect(await outcomes()).toEqual(NEW);
    expect(run('-S CONNECT -v').stdout).toContain('-c 2 0 -j REJECT');
    expect(run('status').stdout).not.toContain('on trial');
    run('restore --confirm 60', rules(7001, 'EACCES'));
    expect(await outcomes()).toEqual(OLD);
    run('undo');
    expect(await outcomes()).toEqual(NEW);
    run('-P BIND ACCEPT');
    expect(place.expectStatus(['restore', '--confirm', '0'], 2).stderr).toContain('seconds');
  });

  test('a first restore on trial is followed by nothing', async () => {
    run('restore --confirm 60', rules(7001, 'EACCES'));
    expect(await outcomes()).toEqual(OLD);
    run('undo');
    expect(await outcomes()).toEqual(['ok', 'ok', 'ok']);
    expect(run('status').stdout).toContain('not installed');
    run('restore --confirm 1', rules(7001, 'EACCES'));
    await sleep(1500);
    expect(await outcomes()).toEqual(['ok', 'ok', 'ok']);
    expect(run('status').stdout).toContain('not installed');
    run('restore', rules(7002, 'ECONNREFUSED'));
    expect(await outcomes()).toEqual(NEW);
  });

  test('a label is in save and status, goes with the text, and is the git revision by default', () => {
    run('restore --label v1.2', rules(7001, 'EACCES'));
    const saved = run('save').stdout;
    expect(saved).toMatch(/^# revision: v1\.2 sha256:[0-9a-f]{64}\n\*socket\n/);
    expect(run('status').stdout).toMatch(/revision +v1\.2\n/);
    run('-A BIND -j ACCEPT');
    expect(run('status').stdout).toMatch(/revision +v1\.2, edited since\n/);
    run('restore', saved);
    expect(run('save').stdout).toBe(saved);
    run('restore', rules(7001, 'EACCES'));
    expect(run('save').stdout).toMatch(/^\*socket/);
    const repository = place.path('repository');
    const git = (...words: readonly string[]) =>
      spawnSync('git', ['-C', repository, '-c', 'user.name=a', '-c', 'user.email=a@b', ...words], {
        encoding: 'utf8',
      });
    spawnSync('git', ['init', '-q', repository]);
    place.write('repository/web.rules', rules(7001, 'EACCES'));
    run('restore repository/web.rules');
    expect(run('save').stdout).toMatch(/^\*socket/);
    git('add', '.');
    git('commit', '-q', '-m', 'rules');
    const commit = git('rev-parse', '--short=12', 'HEAD').stdout.trim();
    run('restore repository/web.rules');
    expect(run('save').stdout).toContain(`# revision: ${commit} sha256:`);
    place.write('repository/web.rules', rules(7002, 'EACCES'));
    run('restore repository/web.rules');
    expect(run('save').stdout).toContain(`# revision: ${commit}-dirty sha256:`);
    place.expectStatus(['restore', '--label', 'a\nb'], 2, { input: rules(7001, 'EACCES') });
  });

  test('undo goes back one, again one, and as far as the history reaches', async () => {
    run('restore --label one', rules(7001, 'EACCES'));
    run('restore --label two', rules(7002, 'ECONNREFUSED'));
    await connect(7003);
    run('-A CONNECT -p udp --dport 7001 -j DROP');
    expect((await outcomes())[0]).toBe('EPERM');
    run('undo');
    expect(await outcomes()).toEqual(NEW);
    expect(run('-S CONNECT -v').stdout).toContain('--dport 7003 -c 3 0 -j DROP');
    expect(run('undo').stdout).toContain('revision one');
    expect(await outcomes()).toEqual(OLD);
    expect(run('save').stdout).toContain('# revision: one');
    const state = place.path('state/history');
    const [instance = ''] = readdirSync(state);
    const entries = readdirSync(`${state}/${instance}`).sort();
    const last = place.read(`state/history/${instance}/${entries.at(-1)}`);
    expect(last).toMatch(/^# when: 20.*\n# who: uid 0.*\n# command: \["undo"\]\n# revision: one /);
    const first = run('status').stdout;
    run(`restore ${state}/${instance}/${entries.at(-1)}`);
    expect(/text .*/.exec(run('status').stdout)?.[0]).toBe(/text .*/.exec(first)?.[0]);
  });

  test('at boot, what can not be restored leaves the machine closed, or what is in force', async () => {
    const bad = '*socket\n-A BIND -j NOWHERE\nCOMMIT\n';
    place.write('bad.rules', bad);
    const failed = place.expectStatus(['restore', '--fail-closed', 'bad.rules'], 2);
    expect(failed.stderr).toContain('NOWHERE');
    expect(failed.stderr).toContain('all calls but bind(2) and those of loopback are refused');
    const fd = await caller.socket('inet', 'dgram');
    expect(await caller.connect(fd, { address: '10.1.2.3', port: 1 })).toBe('EPERM');
    expect(await connect(7001)).toBe('ok');
    run('restore', rules(7001, 'EACCES'));
    place.expectStatus(['restore', '--fail-closed', 'absent.rules'], 2);
    expect(await outcomes()).toEqual(OLD);
    const unit = run('install-service --fail closed --print').stdout;
    expect(unit).toContain('Before=network-pre.target');
    expect(unit).toMatch(/^ExecStart=.*--root .* restore --fail-closed \/etc\/sockfilter\/rules$/m);
    expect(run('install-service --fail open --print').stdout).not.toContain('--fail-closed /');
    place.expectStatus(['install-service'], 2);
  });
});
