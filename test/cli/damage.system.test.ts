/** What a command says and does when pins are gone, are elsewhere, or are not ours: it opens nothing. */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, rmdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import {
  type AttachType,
  close,
  createMap,
  openDirectory,
  pin,
  queryCgroup,
} from '@sockfilter/bpf';
import { printSave } from '@sockfilter/iptables';
import { DamageError } from '@sockfilter/kernel';
import { MAPS as PINNED } from '../../packages/kernel/src/mapnames.js';
import type { Caller } from '../harness/caller.js';
import { describeKernel } from '../harness/kernel.js';
import { Policy, tableOf } from '../harness/policy.js';
import { Testbed } from '../harness/testbed.js';
import { Administrator, endProcesses } from '../kernel/processes/process.js';
import { program, Workplace } from './command.js';

const HOOKS: readonly AttachType[] = [
  'inet4_bind',
  'inet6_bind',
  'inet4_connect',
  'inet6_connect',
  'udp4_sendmsg',
  'udp6_sendmsg',
  'inet_ingress',
  'setsockopt',
];

/** Each pin costs a first commit or two, in ms: on a busy machine all take minutes. */
const PATIENCE = 600_000;

const MAPS: readonly string[] = Object.values(PINNED);

/** What `machine()` says where nothing is installed. */
const NOTHING = { programs: HOOKS.map(() => []), pins: undefined };

const RULES = (root: string) => `*socket
-G in --id 3 --path ${root}/in
-A CONNECT -p udp -m cgroup --id 3 --dport 7001 -j DROP
-A RECVFROM -p udp --dport 7009 -j DROP
COMMIT
`;

describeKernel('damage', () => {
  let bed: Testbed;
  let place: Workplace;
  let caller: Caller;
  beforeAll(async () => {
    bed = await Testbed.create();
    place = new Workplace({ SOCKFILTER_ROOT: bed.cgroups.path });
    caller = await bed.caller('in');
  });
  afterAll(async () => {
    await endProcesses();
    place?.run(['teardown']);
    await bed?.close();
    place?.remove();
  });

  const enforce = () => new Policy(bed.cgroups.path).enforce(RULES(bed.cgroups.path));
  const run = (line: string) => place.run(line.split(' '));
  const folder = () =>
    join('/sys/fs/bpf/sockfilter', bed.cgroups.path.slice(1).replaceAll('-', '\\x2d'));

  /** Everything that a command could change: pins, and programs at the root. */
  function machine(): unknown {
    const cgroup = openDirectory(bed.cgroups.root);
    const programs = HOOKS.map((hook) => queryCgroup(cgroup, hook));
    close(cgroup);
    return { programs, pins: existsSync(folder()) ? readdirSync(folder()) : undefined };
  }

  async function connect(): Promise<string> {
    const fd = await caller.socket('inet', 'dgram');
    const outcome = await caller.connect(fd, { address: '127.0.0.1', port: 7001 });
    await caller.close(fd);
    return outcome;
  }

  test(
    'without any one pin nothing that is refused gets through, and looking changes nothing',
    async () => {
      /** The generation's pin has another name after each commit. */
      const GENERATION = 'generation-';
      // The second keeps the map of the first.
      enforce();
      enforce();
      const pins = readdirSync(folder()).map((name) =>
        name.replace(/^generation-\d+$/, GENERATION),
      );
      expect(pins).toContain('spare');
      const policy = new Policy(bed.cgroups.path);
      for (const name of pins) {
        policy.enforce(RULES(bed.cgroups.path));
        for (const each of readdirSync(folder()))
          if (name === GENERATION ? each.startsWith(name) : each === name)
            rmSync(join(folder(), each));
        const isLink = !MAPS.includes(name) && name !== GENERATION && name !== 'spare';
        // The kernel lets go of a link that nothing holds a moment later.
        await new Promise((resolve) => setTimeout(resolve, isLink ? 100 : 0));
        const before = machine();
        if (MAPS.includes(name)) {
          expect(() => policy.status()).toThrow(DamageError);
        } else {
          const missing = policy.status()?.hooks.filter((hook) => hook.needed && !hook.attached);
          expect(missing?.map((hook) => hook.name)).toEqual(isLink ? [name] : []);
        }
        expect([name, machine()]).toEqual([name, before]);
        expect([name, await connect()]).toEqual([name, name === 'inet4_connect' ? 'ok' : 'EPERM']);
        if (MAPS.includes(name)) {
          expect(() => policy.enforce('-P BIND DROP')).toThrow(`\`${name}\``);
          expect([name, machine()]).toEqual([name, before]);
        } else {
          policy.enforce(RULES(bed.cgroups.path));
          expect(policy.status()?.hooks.every((hook) => hook.attached || !hook.needed)).toBe(true);
        }
        expect([name, await connect()]).toEqual([name, 'EPERM']);
        if (!MAPS.includes(name)) continue;
        policy.teardown();
        expect([name, machine()]).toEqual([name, NOTHING]);
      }
    },
    PATIENCE,
  );

  test('the command tells what is gone and the way out, and exits with 4; status is for scripts', () => {
    enforce();
    rmSync(join(folder(), 'udp4_sendmsg'));
    const status = run('status');
    expect(status).toMatchObject({ status: 1 });
    expect(status.stderr).toContain('`udp4_sendmsg` is not attached');
    rmSync(join(folder(), 'table'));
    const before = machine();
    for (const line of ['-S', 'status', '-P BIND DROP']) {
      const { status, stdout, stderr } = run(line);
      expect([line, status, stdout]).toEqual([line, 4, '']);
      expect(stderr).toContain('the pin `table` in');
      expect(stderr).toContain('`sockfilter teardown`');
    }
    expect(machine()).toEqual(before);
    expect(run('teardown')).toMatchObject({ status: 0, stderr: '' });
    expect(machine()).toEqual(NOTHING);
  });

  test('where nothing is installed, commands that read leave nothing', () => {
    run('teardown');
    const before = machine();
    for (const line of ['-S', 'status', 'group list'])
      expect(run(line)).toMatchObject({ status: 0, stderr: '' });
    expect(machine()).toEqual(before);
  });

  test('in a mount namespace with another bpffs, what is enforced is told and nothing is changed', async () => {
    enforce();
    const before = machine();
    const inside = (line: string, mount: string) =>
      spawnSync(
        'unshare',
        [
          '--mount',
          'sh',
          '-c',
          `${mount} && exec "$@"`,
          'sh',
          process.execPath,
          program('sockfilter'),
        ].concat(line.split(' ')),
        { encoding: 'utf8', env: { PATH: process.env.PATH, SOCKFILTER_ROOT: bed.cgroups.path } },
      );
    let help = '';
    for (const mount of ['mount -t bpf bpf /sys/fs/bpf', 'umount /sys/fs/bpf'])
      for (const line of ['-S', 'status', '-P BIND DROP', 'teardown']) {
        const { status, stdout, stderr } = inside(line, mount);
        expect([line, mount, status, stdout]).toEqual([line, mount, 4, '']);
        expect(stderr).toContain(`rules are enforced at \`${bed.cgroups.path}\` by programs that`);
        help = /`(nsenter [^`]* sockfilter)`/.exec(stderr)?.[1] ?? '';
        expect([line, machine()]).toEqual([line, before]);
      }
    expect(await connect()).toBe('EPERM');
    const [, namespace = ''] = / --mount=(\S+) /.exec(help) ?? [];
    const words = [
      ...['--mount', 'sh', '-c', 'mount -t bpf bpf /sys/fs/bpf && exec "$@"', 'sh'],
      ...[
        'nsenter',
        `--mount=${namespace}`,
        process.execPath,
        program('sockfilter'),
        '-S',
        'CONNECT',
      ],
    ];
    const env = { PATH: process.env.PATH, SOCKFILTER_ROOT: bed.cgroups.path };
    const followed = spawnSync('unshare', words, { encoding: 'utf8', env });
    expect(followed.stdout).toContain('--dport 7001 -j DROP');
  }, 120_000);

  /** Runs a script in a mount namespace of its own, with a bpffs in which anybody may make folders. */
  function withOpenBpffs(lines: readonly string[]) {
    const script = [
      'mount -t bpf bpf /sys/fs/bpf',
      'nobody() { setpriv --reuid=65534 --regid=65534 --clear-groups -- "$@"; }',
      ...lines,
    ];
    const node = [process.execPath, program('sockfilter')];
    return spawnSync('unshare', ['--mount', 'sh', '-c', script.join('\n'), ...node], {
      encoding: 'utf8',
      env: { PATH: process.env.PATH, SOCKFILTER_ROOT: bed.cgroups.path, PINS: folder() },
    });
  }

  test('where others may write among the pins, nothing is put in force, and the way out is one', () => {
    run('teardown');
    const lines = ['-P CONNECT DROP', '-S', 'status', 'explain --last', 'teardown'];
    for (const [prepare, undo] of [
      ['nobody mkdir -p "$PINS"', 'rmdir "$PINS" "$(dirname "$PINS")"'],
      ['nobody mkdir "$(dirname "$PINS")"; mkdir "$PINS"', ''],
      ['mkdir -m 700 "$(dirname "$PINS")"; mkdir -m 777 "$PINS"', ''],
      ['nobody ln -s /run "$(dirname "$PINS")"', 'rm "$(dirname "$PINS")"'],
      ['chown 65534 /sys/fs/bpf', 'chown root /sys/fs/bpf'],
    ]) {
      const { stdout, stderr } = withOpenBpffs([
        prepare ?? '',
        ...lines.map((line) => `"$0" "$1" ${line}; echo "$?"`),
        'find /sys/fs/bpf -type f ! -name "*.debug"',
        // What the help says, else what a person would do.
        undo ||
          'for each in "$(dirname "$PINS")" "$PINS"; do chown -h root $each && chmod 700 $each; done',
        '"$0" "$1" -P CONNECT DROP; echo "$?"',
        '"$0" "$1" teardown; echo "$?"',
      ]);
      const said = [...lines.map(() => '4'), '0', '0', ''];
      expect([prepare, stdout.split('\n')]).toEqual([prepare, said]);
      expect(stderr).toMatch(
        /`\/sys\/fs\/bpf\S*` (is no folder in which only root|belongs to uid)/,
      );
      // All come by the same way.
      lines.length = 1;
    }
    expect(machine()).toEqual(NOTHING);
  }, 120_000);

  test('who makes folders like those of the pins is not taken for their holder', async () => {
    run('teardown');
    const trap = 'mount -t tmpfs none /sys/fs/bpf && mkdir -p "$PINS" && touch "$PINS/table"';
    const env = { PATH: process.env.PATH, SOCKFILTER_ROOT: bed.cgroups.path, PINS: folder() };
    const stay = (words: readonly string[], script: string) => {
      const child = spawn(
        words[0] ?? '',
        [...words.slice(1), 'sh', '-ec', `${script}; echo ready; exec sleep 1000`].concat(
          process.execPath,
          program('sockfilter'),
        ),
        { env, cwd: place.folder, stdio: ['ignore', 'pipe', 'inherit'] },
      );
      return new Promise<typeof child>((resolve) => {
        child.stdout.on('data', (said) => `${said}`.includes('ready') && resolve(child));
        child.on('exit', () => resolve(child));
      });
    };
    const user = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', '--'];
    const first = await stay([...user, 'unshare', '--user', '--map-root-user', '--mount'], trap);
    const second = await stay(['unshare', '--mount'], trap);
    // It leads to the true pins, by a way that is none of its own namespace.
    const link = 'ln -s /proc/$(cat agent)/root/sys/fs/bpf /sys/fs/bpf';
    const leads = stay(
      ['unshare', '--mount'],
      `mount -t tmpfs none /sys/fs; until [ -s agent ]; do sleep 0.05; done; ${link}`,
    );
    const agent = await stay(
      ['unshare', '--mount'],
      'mount -t bpf bpf /sys/fs/bpf; "$0" "$1" -P CONNECT DROP',
    );
    place.write('agent', `${agent.pid}`);
    const third = await leads;
    const { status, stderr } = run('status');
    const ended = spawnSync(
      'nsenter',
      [`--mount=/proc/${agent.pid}/ns/mnt`, process.execPath, program('sockfilter'), 'teardown'],
      { env, encoding: 'utf8' },
    );
    for (const child of [first, second, third, agent]) child.kill();
    expect([ended.stderr, ended.status]).toEqual(['', 0]);
    expect([first, second, third].map(({ exitCode }) => exitCode)).toEqual([null, null, null]);
    expect(status).toBe(4);
    expect(stderr).toContain(`they are pinned where pid ${agent.pid} (sleep) sees them`);
  }, 60_000);

  const FOLDERS = ['generation-77', 'spare'];

  test('what is not ours among the pins is named, stays, and does not stop a teardown', () => {
    enforce();
    const map = createMap({
      type: 'array',
      name: 'theirs',
      keySize: 4,
      valueSize: 4,
      maxEntries: 1,
    });
    pin(map, join(folder(), 'theirs'));
    for (const name of FOLDERS) {
      rmSync(join(folder(), name), { force: true });
      mkdirSync(join(folder(), name));
    }
    // Nor are they in the way of commits.
    enforce();
    enforce();
    const { status, stderr } = run('teardown');
    const left = existsSync(folder()) ? readdirSync(folder()) : [];
    rmSync(join(folder(), 'theirs'), { force: true });
    for (const name of FOLDERS) rmdirSync(join(folder(), name));
    rmdirSync(folder());
    close(map);
    expect([status, left.toSorted()]).toEqual([0, [...FOLDERS, 'theirs']]);
    for (const name of left)
      expect(stderr).toContain(`\`${name}\` among the pins is not sockfilter's`);
  });

  test('a first commit that was interrupted: reading leaves it, teardown ends it, also without its root', async () => {
    run('teardown');
    const text = printSave(tableOf('-A CONNECT -p udp --dport 7001 -j DROP'));
    let seen = 0;
    for (const dieAt of [60, 90, 120]) {
      const path = `${bed.cgroups.path}/short`;
      bed.cgroups.child('short');
      const one = await Administrator.start();
      await one.ask({ root: path, do: 'replace', text, dieAt });
      await one.kill();
      const own = (line: string) => place.run(['--root', path, ...line.split(' ')]);
      const pins = `${folder()}-short`;
      const left = existsSync(pins) ? readdirSync(pins) : [];
      if (left.length > 0) seen++;
      expect(own('-S').status).toBe(0);
      expect(existsSync(pins) ? readdirSync(pins) : []).toEqual(left);
      await bed.cgroups.removeChild('short');
      const ended = own('teardown');
      if (left.length > 0) expect([dieAt, ended]).toMatchObject([dieAt, { status: 0, stderr: '' }]);
      expect(existsSync(pins)).toBe(false);
    }
    expect(seen).toBeGreaterThan(1);
  }, 60_000);
});
