/** The command on the table in force: what it does shows in real calls. */
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Caller } from '../harness/caller.js';
import { CgroupTree } from '../harness/cgroups.js';
import { DnsServer } from '../harness/dnsserver.js';
import { describeKernel } from '../harness/kernel.js';
import { NetworkNamespace } from '../harness/netns.js';
import { ended, program, Workplace } from './command.js';

describeKernel('the command', () => {
  let cgroups: CgroupTree;
  let network: NetworkNamespace;
  let place: Workplace;

  beforeAll(async () => {
    cgroups = await CgroupTree.create();
    network = await NetworkNamespace.create(['10.0.0.5/32', '10.0.0.6/32']);
    place = new Workplace({ SOCKFILTER_ROOT: cgroups.path });
  });
  // An empty table: a first commit takes a second, most of it the kernel's verifier.
  afterEach(() => {
    place.run(['restore'], { input: '*socket\nCOMMIT\n' });
  });
  afterAll(async () => {
    place?.run(['teardown']);
    await Caller.stopAll();
    await network?.remove();
    await cgroups?.remove();
    place?.remove();
  });

  const run = (line: string, input?: string) =>
    place.expectStatus(line.split(' '), 0, input === undefined ? {} : { input }).stdout;

  /** Binds a udp socket of a process in the group, and gives `ok` or the errno. */
  async function bind(group: string, address: string): Promise<string> {
    const caller = await Caller.start(cgroups.child(group), { netns: network.path });
    const outcome = await caller.bind(await caller.socket('inet', 'dgram'), { address });
    await caller.stop();
    return outcome;
  }

  test('a list of addresses that a group may bind', async () => {
    run('group add web --id 3');
    run('network.ipv4 web add 10.0.0.5');
    expect(await bind('sockfilter/web', '10.0.0.5')).toBe('ok');
    expect(await bind('sockfilter/web', '0.0.0.0')).toBe('ok');
    expect(await bind('sockfilter/web', '10.0.0.6')).toBe('EPERM');
    expect(await bind('other', '10.0.0.6')).toBe('ok');
    run('network.ipv4 web del 10.0.0.5');
    expect(await bind('sockfilter/web', '10.0.0.5')).toBe('EPERM');
  });

  test('edits of one group go on from what stands, as if all were restored', async () => {
    run('group add web --id 3');
    run('group add db --id 4');
    for (const group of [3, 4])
      for (const last of [5, 6]) run(`-A BIND -m cgroup --id ${group} -d 10.0.0.${last} -j ACCEPT`);
    run('-A BIND -d 10.0.0.0/24 -j DROP');
    expect(await bind('sockfilter/web', '10.0.0.6')).toBe('ok');
    run('-D BIND -m cgroup --id 3 -d 10.0.0.6 -j ACCEPT');
    expect(await bind('sockfilter/web', '10.0.0.6')).toBe('EPERM');
    expect(await bind('sockfilter/db', '10.0.0.6')).toBe('ok');
    run('-I BIND 2 -m cgroup --id 4 -d 10.0.0.6 -j REJECT --reject-with EACCES');
    expect(await bind('sockfilter/db', '10.0.0.6')).toBe('EACCES');
    run('-R BIND 2 -m cgroup --id 4 -d 10.0.0.6');
    expect(await bind('sockfilter/db', '10.0.0.6')).toBe('ok');
    expect(await bind('sockfilter/web', '10.0.0.5')).toBe('ok');
    expect(await bind('other', '10.0.0.5')).toBe('EPERM');
    const counted = [
      '[1:0] -A BIND -d 10.0.0.5/32 -m cgroup --id 3 -j ACCEPT',
      '[1:0] -A BIND -d 10.0.0.6/32 -m cgroup --id 4',
      '[0:0] -A BIND -d 10.0.0.5/32 -m cgroup --id 4 -j ACCEPT',
      '[2:0] -A BIND -d 10.0.0.6/32 -m cgroup --id 4 -j ACCEPT',
      '[2:0] -A BIND -d 10.0.0.0/24 -j DROP',
    ];
    const saved = run('save -c');
    expect(saved.split('\n').filter((line) => line.startsWith('['))).toEqual(counted);
    expect(run('-S BIND').split('\n').slice(1, -1)).toEqual(
      counted.map((line) => line.replace(/^\S+ /, '')),
    );
    run('restore -c', saved);
    expect(run('save -c')).toBe(saved);
    for (const group of ['web', 'db']) run(`group delete ${group} --force`);
  });

  test('the line as typed, before the group exists', async () => {
    run('-A BIND -m cgroup --id 3 -d 10.0.0.5 -j ACCEPT');
    run('-P BIND DROP');
    expect(run('group add web --id 3')).toBe('3\n');
    expect(await bind('sockfilter/web', '10.0.0.5')).toBe('ok');
    expect(await bind('sockfilter/web', '10.0.0.6')).toBe('EPERM');
    expect(await bind('other', '10.0.0.5')).toBe('EPERM');
    expect(run('-S BIND -v')).toBe(
      ['-P BIND DROP -c 2 0', '-A BIND -d 10.0.0.5/32 -m cgroup --id 3 -c 1 0 -j ACCEPT', ''].join(
        '\n',
      ),
    );
    expect(run('explain BIND --group web --dst 10.0.0.5:80')).toContain('allowed by rule 1');
    expect(run('explain BIND --group web --dst 10.0.0.6:80')).toContain('refused with EPERM');
    const caller = await Caller.start(cgroups.child('sockfilter/web'));
    const told = run(`explain BIND --pid ${caller.pid} --dst 10.0.0.5:80`);
    await caller.stop();
    expect(told).toContain('allowed by rule 1');
    const where = cgroups.childPath('sockfilter/web');
    expect(told).toContain(`[${caller.pid}] in ${where}, network namespace `);
    expect(run(`explain BIND --pid ${process.pid} --dst 10.0.0.5:80`)).toContain(
      `; not below ${cgroups.path}: its own sockets are not judged`,
    );
  });

  test('counters stay over edits, renames, saving and restoring', async () => {
    run('-N calls');
    run('-A calls -d 10.0.0.5 -j ACCEPT');
    run('-A BIND -j calls');
    await bind('other', '10.0.0.5');
    await bind('other', '10.0.0.6');
    run('-I BIND -d 10.0.0.9 -j DROP');
    run('-I calls -d 10.0.0.9 -j DROP');
    run('-E calls named');
    run('-P BIND DROP');
    const counted = [
      '-P BIND DROP -c 1 0',
      '-A BIND -d 10.0.0.9/32 -c 0 0 -j DROP',
      '-A BIND -c 2 0 -j named',
      '-A named -d 10.0.0.9/32 -c 0 0 -j DROP',
      '-A named -d 10.0.0.5/32 -c 1 0 -j ACCEPT',
    ];
    const rules = () =>
      run('-S -v')
        .split('\n')
        .filter((line) => / BIND | named /.test(line));
    expect(rules()).toEqual(counted);

    const saved = run('save -c');
    run('restore -c', saved);
    expect(rules()).toEqual(counted);
    run('restore -n', '*socket\n:BIND DROP [9:0]\n[9:0] -A BIND -j DROP\nCOMMIT\n');
    expect(rules()).toEqual(counted.toSpliced(3, 0, '-A BIND -c 0 0 -j DROP'));

    run('-Z named 2');
    expect(run('-S named -v')).toContain('-d 10.0.0.5/32 -c 0 0 -j ACCEPT');
    expect(run('-L BIND -v -Z')).toMatch(/policy DROP 1 packets(.*\n){3} +2 +0 named/);
    expect(run('-S -v')).not.toMatch(/-c [1-9]/);
    run('-A SENDTO -c 7 0 -j DROP');
    expect(run('-S SENDTO -v')).toContain('-c 7 0');
    run('restore', saved);
    expect(run('-S -v')).not.toMatch(/-c [1-9]/);
  });

  test('a refused restore changes nothing', () => {
    run('-A BIND -j DROP');
    const before = run('save');
    const input = before.replace(
      'COMMIT',
      '-A BIND -j nowhere\n-A BIND -d 1.2.3.4 -j ACCEPT\nCOMMIT',
    );
    place.expectStatus(['restore'], 2, { input });
    expect(run('save')).toBe(before);
  });

  test('a set is changed without a commit, saved, and undone with the table', async () => {
    run('set create s ip timeout 0');
    run('-A BIND -m set --match-set s dst -j DROP');
    run('set add s 10.0.0.5');
    run('set add s 10.0.0.6 timeout 100');
    expect(await bind('other', '10.0.0.5')).toBe('EPERM');
    const saved = run('save');
    expect(saved).toMatch(
      /^add s 10\.0\.0\.5 timeout 0\nadd s 10\.0\.0\.6 timeout (100|[1-9]\d)$/m,
    );
    run('set rename s t');
    run('set del t 10.0.0.5');
    expect(await bind('other', '10.0.0.5')).toBe('ok');
    run('undo');
    expect(run('set test s 10.0.0.5')).toBe('10.0.0.5 is in set s.\n');
    expect(await bind('other', '10.0.0.5')).toBe('EPERM');
    run('set flush');
    expect(await bind('other', '10.0.0.5')).toBe('ok');
    run('restore', saved);
    expect(await bind('other', '10.0.0.5')).toBe('EPERM');
    expect(JSON.parse(run('set list --json'))).toMatchObject([{ name: 's', references: 1 }]);
  });

  test('a host name in a set is the addresses that DNS tells, by which calls are judged', async () => {
    const dns = await DnsServer.start();
    try {
      const ask = async (line: string) => {
        const end = await ended(place.start([...line.split(' '), '--server', dns.address]));
        expect(end).toMatchObject({ status: 0, stderr: '' });
      };
      const caller = await Caller.start(cgroups.child('other'), { netns: network.path });
      const connect = async (address: string) =>
        caller.connect(await caller.socket('inet', 'dgram'), { address, port: 80 });
      run('set create mirrors ip counters comment');
      run('-A CONNECT -m set ! --match-set mirrors dst -j DROP');
      dns.records.set('mirror.example A', { ttl: 60, addresses: ['10.0.0.5'] });
      await ask('set add mirrors mirror.example --resolve');
      expect([await connect('10.0.0.5'), await connect('10.0.0.6')]).toEqual(['ok', 'EPERM']);
      expect(run('set list mirrors')).toContain(
        '\n10.0.0.5 packets 1 bytes 0 comment "resolved:mirror.example"\n',
      );
      dns.records.set('mirror.example A', { ttl: 60, addresses: ['10.0.0.6'] });
      await ask('set refresh');
      expect([await connect('10.0.0.5'), await connect('10.0.0.6')]).toEqual(['EPERM', 'ok']);
      await caller.stop();
    } finally {
      dns.close();
    }
  });

  test('group move moves all or none; a pattern can be no place to go', async () => {
    run('group add crowd');
    const [one, other] = await Promise.all(
      ['home', 'abroad'].map((name) => Caller.start(cgroups.child(name))),
    );
    const placeOf = (pid: number | undefined) =>
      /^0::(.*)$/m.exec(readFileSync(`/proc/${pid}/cgroup`, 'utf8'))?.[1];
    // Thread 2 of the kernel can't be moved.
    for (const bad of ['4194305', '2']) {
      place.expectStatus(
        ['group', 'move', 'crowd', `${one?.pid}`, `${other?.pid}`, bad],
        bad === '2' ? 4 : 1,
      );
      expect([placeOf(one?.pid), placeOf(other?.pid)]).toEqual([
        cgroups.childPath('home'),
        cgroups.childPath('abroad'),
      ]);
    }
    run(`group move crowd ${one?.pid} ${other?.pid}`);
    expect(placeOf(other?.pid)).toBe(cgroups.childPath('sockfilter/crowd'));
    place.expectStatus(
      ['group', 'add', 'units', '--path', cgroups.childPath('unit-*.scope'), '--id', '77'],
      0,
    );
    const groups = () => JSON.parse(run('group list --json'));
    expect(groups()).toContainEqual(expect.objectContaining({ name: 'units', processes: null }));
    const unit = await Caller.start(cgroups.child('unit-1.scope'));
    expect(groups()).toContainEqual(expect.objectContaining({ name: 'units', processes: 1 }));
    const refused = place.expectStatus(['group', 'move', 'units', `${one?.pid}`], 1);
    expect(refused.stderr).toContain('none is to be chosen');
    const clash = ['group', 'add', 'twice', '--path', cgroups.childPath('*-1.scope')];
    expect(place.expectStatus(clash, 1).stderr).toContain('both match');
    await Promise.all([one, other, unit].map((caller) => caller?.stop()));
    run('group delete units');
    run('group delete crowd');
  });

  test('groups: ids are not given out again, control groups come and go', async () => {
    const own = join(cgroups.root, 'sockfilter');
    const first = Number(run('group add web'));
    expect(existsSync(join(own, 'web'))).toBe(true);
    const caller = await Caller.start(cgroups.child('elsewhere'), { netns: network.path });
    await caller.open('dgram', { address: '10.0.0.5', port: 7000 });
    const moved = place.expectStatus(['group', 'move', 'web', `${caller.pid}`], 0);
    expect(moved.stderr).toContain(
      `holds udp 10.0.0.5:7000 in ${cgroups.path}/sockfilter/web (id ${first}), made in ${cgroups.childPath('elsewhere')} (id 0)`,
    );
    expect(run('group list')).toMatch(new RegExp(`^web +${first} +.*/sockfilter/web +1$`, 'm'));
    const { stderr } = place.expectStatus(['group', 'move', 'web', '4194305'], 1);
    expect(stderr).toBe('sockfilter: there is no process 4194305\n');
    place.expectStatus(['group', 'move', 'nobody', '1'], 1);
    await caller.stop();
    run('group delete web');
    expect(existsSync(own)).toBe(false);
    expect(Number(run('group add web'))).toBe(first + 1);
    expect(place.read('state/highest-id')).toBe(`${first + 1}\n`);
    run(`-A BIND -m cgroup --path ${cgroups.childPath('later')} -d 10.0.0.5 -j REJECT`);
    expect(run('save')).toContain(`--id ${first + 2} --path`);
    expect(await bind('later', '10.0.0.5')).toBe('EPERM');
    expect(await bind('later', '10.0.0.6')).toBe('ok');
  });

  test('doctor tries, tells what is missing, and leaves nothing', () => {
    const others = readdirSync(cgroups.root);
    expect(run('doctor')).toMatch(
      /^enforcement +works +a process in that control group was refused$/m,
    );
    const { works, abilities } = JSON.parse(
      place.expectStatus(['doctor', '--json', '--root', '/no/such'], 1).stdout,
    );
    const failed = abilities.filter(({ state }: { state: string }) => state === 'fails');
    expect([works, failed]).toMatchObject([
      false,
      [{ name: 'root', needed: true, detail: 'there is no control group `/no/such`' }],
    ]);
    const hidden = `unshare --mount sh -c 'mount -t tmpfs none /sys/kernel/btf && "$0" "$1" doctor'`;
    const without = place.shell(`${hidden} "${process.execPath}" "${program('sockfilter')}"`);
    expect(without).toMatchObject({
      status: 1,
      stdout: expect.stringMatching(/^kernel types +FAILS .*\n(.*\n)*\nkernel types: .*BTF/m),
      stderr: "sockfilter: this machine can't enforce rules: `kernel types` failed\n",
    });
    expect(without.stdout).toMatch(/^state folders +works /m);
    const elsewhere = { env: { SOCKFILTER_STATE_DIR: place.path('open') } };
    mkdirSync(place.path('open'), { mode: 0o777 });
    chmodSync(place.path('open'), 0o777);
    expect(place.expectStatus(['doctor'], 0, elsewhere).stdout).toMatch(
      /^state folders +fails +`.*open` is no folder in which only you can write/m,
    );
    const withState = (path: string) =>
      place.expectStatus(['doctor'], 0, { env: { SOCKFILTER_STATE_DIR: path } }).stdout;
    expect(withState(place.path('new/deep'))).toMatch(/^state folders +works .*it can be made$/m);
    expect(existsSync(place.path('new'))).toBe(false);
    // Nobody can make a folder there.
    expect(withState('/proc/new/deep')).toMatch(/^state folders +fails +.*mkdtemp '\/proc/m);
    expect(run('doctor')).toMatch(
      /^setsockopt of 32-bit programs +(works|fails) +this kernel runs/m,
    );
    run('-P BIND DROP');
    const told = place.expectStatus(['doctor'], 0).stdout;
    expect(told).toMatch(
      /^enforcement +untried +rules that are in force refuse a call there: EPERM$/m,
    );
    expect(readdirSync(cgroups.root)).toEqual(others);
  });

  test('status and teardown', () => {
    const none = `not installed: nothing is enforced below ${cgroups.path}\n`;
    run('teardown');
    expect(run('status')).toBe(none);
    expect(JSON.parse(run('status --json'))).toEqual({ installed: false });
    expect(run('-S CONNECT')).toBe('-P CONNECT ACCEPT\n');
    run('group add web');
    run('-A CONNECT -d 10.0.0.5 -j DROP');
    expect(run('status')).toMatch(/^inet4_connect +CONNECT +attached +\d+$/m);
    const status: unknown = JSON.parse(run('status --json'));
    expect(status).toMatchObject({ installed: true, root: cgroups.path, rules: 1 });
    expect(status).toMatchObject({ groups: [{ name: 'web' }] });
    expect(run('teardown')).toBe('');
    expect(run('status')).toBe(none);
    expect(existsSync(join(cgroups.root, 'sockfilter'))).toBe(false);
    expect(run('teardown')).toBe('');
  });

  test('rules in force are printed as they stand; a terminal does not obey them', () => {
    const rule = (seen: string) => `-A BIND -m comment --comment "caf\u00e9 ${seen}" -j ACCEPT`;
    run('restore', `*socket\n${rule('\u202e')}\nCOMMIT\n`);
    for (const words of ['-S', '-S BIND', 'save', 'save --counters', '-S -v']) {
      const said = (text: string) => text.replace(/\[\d+:0\] | -c \d+ \d+/g, '').split(/\r?\n/);
      expect([words, said(run(words))]).toEqual([words, expect.arrayContaining([rule('\u202e')])]);
      const shown = place.runAtTerminal(words).stdout;
      expect([words, said(shown)]).toEqual([words, expect.arrayContaining([rule('\\u{202e}')])]);
    }
    run('save --output saved.rules');
    expect(place.read('saved.rules')).toBe(run('save'));
  });

  test('without root it says so', () => {
    const { status, stderr } = spawnSync(process.execPath, [program('sockfilter'), '-S'], {
      cwd: '/',
      uid: 65_534,
      gid: 65_534,
      encoding: 'utf8',
      env: {},
    });
    expect(status).toBe(4);
    expect(stderr).toContain('you must be root');
    expect(stderr).toContain('--file');
  });
});
