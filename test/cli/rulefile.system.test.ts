/** `--file`: the file is replaced as a whole, keeps what the edit leaves alone, and loses no edit. */
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  utimesSync,
} from 'node:fs';
import { hostname } from 'node:os';
import { ended, program, Workplace } from './command.js';

const RULES = `# our web tier
*socket
:BIND DROP [0:0]

# the front end
-A BIND -m cgroup --id 3 -d 10.0.0.5   -j ACCEPT
# everybody
-A BIND -d 127.0.0.0/8 -j ACCEPT   # loopback
COMMIT
`.replace('   # loopback', '');

let place: Workplace;
beforeEach(() => {
  place = new Workplace();
  place.write('rules', RULES);
});
afterEach(() => place.remove());

test('comments, order and spelling stay', () => {
  place.expectStatus(['--file', 'rules', '-I', 'BIND', '2', '-d', '10.0.0.6', '-j', 'ACCEPT'], 0);
  expect(place.read('rules')).toBe(
    RULES.replace('# everybody', '-A BIND -d 10.0.0.6/32 -j ACCEPT\n# everybody'),
  );
  place.expectStatus(['--file', 'rules', '-D', 'BIND', '2'], 0);
  expect(place.read('rules')).toBe(RULES);
});

test('a path that hardly any control group has is told when it comes, and once', () => {
  const edit = (...words: readonly string[]) =>
    place.expectStatus(['--file', 'rules', ...words], 0).stderr;
  const told = expect.stringMatching(
    /^sockfilter: `\/mnt\/cgroup2\/web`: .*: `\/web` may be meant\n$/,
  );
  expect(edit('-A', 'BIND', '-m', 'cgroup', '--path', '/mnt/cgroup2/web', '-j', 'DROP')).toEqual(
    told,
  );
  expect(edit('-D', 'BIND', '1')).toBe('');
  expect(edit('explain', 'BIND', '--group', '/mnt/cgroup2/web', '--dst', '10.0.0.5')).toBe('');
  expect(edit('group', 'add', 'lost', '--path', '/nginx.service')).toMatch(
    /^sockfilter: .*system\.slice/,
  );
  expect(edit('explain', 'BIND', '--group', '/x.scope', '--dst', '10.0.0.5')).toContain(
    'may be meant',
  );
});

test('mode and symbolic link stay, nothing else is left', () => {
  chmodSync(place.path('rules'), 0o640);
  symlinkSync('rules', place.path('link'));
  place.expectStatus(['--file', 'link', '-F'], 0);
  expect(statSync(place.path('rules')).mode & 0o777).toBe(0o640);
  expect(lstatSync(place.path('link')).isSymbolicLink()).toBe(true);
  expect(place.read('rules')).not.toContain('-A');
  expect(readdirSync(place.folder).toSorted()).toEqual(['link', 'rules']);
});

test('a file with mistakes is not edited; all of them are told', () => {
  const broken = RULES.replace('--id 3', '--idd 3').replace('127.0.0.0/8', '127.0.0.0/88');
  place.write('rules', broken);
  const { stderr } = place.expectStatus(['--file', 'rules', '-A', 'BIND'], 2);
  expect(stderr).toContain('rules:6:');
  expect(stderr).toContain('rules:8:');
  expect(place.read('rules')).toBe(broken);
});

test('twenty editors at once lose nothing', async () => {
  const ports = Array.from({ length: 20 }, (_, at) => String(8000 + at));
  const all = await Promise.all(
    ports.map((port) =>
      ended(place.start(`-w --file rules -A BIND -p tcp --dport ${port} -j ACCEPT`.split(' '))),
    ),
  );
  expect(all.map(({ status, stderr }) => `${status} ${stderr}`)).toEqual(ports.map(() => '0 '));
  const kept = [...place.read('rules').matchAll(/--dport (\d+)/g)].map(([, port]) => port);
  expect(kept.toSorted()).toEqual(ports);
  expect(place.read('rules')).toContain('# everybody');
  expect(readdirSync(place.folder)).toEqual(['rules']);
});

const COUNTED = RULES.replace('DROP [0:0]', 'DROP [7:0]').replace('-A BIND -d', '[5:0] -A BIND -d');

test.each<[string, ...[string, string][]]>([
  ['-A BIND -p tcp -j DROP -c 9 0', ['COMMIT', '[9:0] -A BIND -p tcp -j DROP\nCOMMIT']],
  [
    '-R BIND 1 -p tcp -c 9 0',
    ['-A BIND -m cgroup --id 3 -d 10.0.0.5   -j ACCEPT', '[9:0] -A BIND -p tcp'],
  ],
  ['-Z', ['[7:0]', '[0:0]'], ['[5:0]', '[0:0]']],
  ['-L -Z', ['[7:0]', '[0:0]'], ['[5:0]', '[0:0]']],
  ['-Z BIND 2', ['[5:0]', '[0:0]']],
  ['-Z BIND 1'],
  ['-P BIND ACCEPT', ['DROP [7:0]', 'ACCEPT [7:0]']],
])('a file keeps its counters through %s', (words, ...changes) => {
  place.write('rules', COUNTED);
  place.expectStatus(['--file', 'rules', ...words.split(' ')], 0);
  expect(place.read('rules')).toBe(
    changes.reduce((text, [from, to]) => text.replace(from, to), COUNTED),
  );
});

test('restore -n adds the counters of the other file with -c only', () => {
  place.write('rules', '*socket\nCOMMIT\n');
  place.write('counted', COUNTED);
  const saved = () => place.expectStatus(['--file', 'rules', 'save', '-c'], 0).stdout;
  place.expectStatus(['--file', 'rules', 'restore', '-n', 'counted'], 0);
  expect(saved()).not.toMatch(/\[[1-9]/);
  place.expectStatus(['--file', 'rules', 'restore', '-n', '-c', 'counted'], 0);
  expect(saved()).toContain(':BIND DROP [7:0]\n');
  expect(saved()).toContain('[5:0] -A BIND -d 127.0.0.0/8 -j ACCEPT\n');
});

describe('the lock', () => {
  const edit = ['--file', 'rules', '-A', 'BIND', '-j', 'DROP'];

  test('of a process that runs is respected', () => {
    place.write('.rules.lock', `${process.pid} ${hostname()}\n`);
    const { stderr } = place.expectStatus(edit, 4);
    expect(stderr).toContain(`pid ${process.pid}`);
    expect(stderr).toContain('wait for it with `-w`');
    place.expectStatus([...edit, '-w', '1'], 4);
    expect(place.read('rules')).toBe(RULES);
    place.expectStatus(['--file', 'rules', '-S'], 0);
  });

  test('of another host is respected', () => {
    place.write('.rules.lock', `1 ${hostname()}-not\n`);
    place.expectStatus(edit, 4);
  });

  test('that nobody can hold is taken over', async () => {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    const namespace = readlinkSync('/proc/self/ns/pid').replace(/\D+/g, '');
    const other = boot.replace(/^./, (digit) => (digit === '0' ? '1' : '0'));
    for (const left of [
      '',
      '\0\0\0\0',
      `${process.pid} ${hostname()} ${other} ${namespace} 1\n`,
      `${process.pid} ${hostname()} ${boot} ${namespace} 1\n`,
    ]) {
      place.write('.rules.lock', left);
      place.expectStatus(edit, 0);
      expect(existsSync(place.path('.rules.lock'))).toBe(false);
    }
    // An older release's, from before this process and this boot.
    place.write('.rules.lock', `1 ${hostname()}\n`);
    utimesSync(place.path('.rules.lock'), 1, 1);
    place.expectStatus(edit, 0);
  });

  test('of an older boot is taken over whatever its host was called, and so is a place in the queue', () => {
    const machine = existsSync('/etc/machine-id')
      ? readFileSync('/etc/machine-id', 'utf8').trim()
      : '';
    const namespace = readlinkSync('/proc/self/ns/pid').replace(/\D+/g, '');
    // Nothing tells the machine from within a container.
    if (namespace !== '4026531836' || !/^[0-9a-f]{32}$/.test(machine)) return;
    const before = `${process.pid} before-dhcp 00000000-0000-4000-8000-000000000000 ${namespace} 1`;
    // A clock that was ahead, or is not set yet: the pid's process began before the file was written.
    const ahead = new Date(Date.now() + 600_000_000);
    place.write('.rules.lock', `${before} ${machine}\n`);
    mkdirSync(place.path('.rules.lock.queue'));
    const ticket = `.rules.lock.queue/0000000000000001-${process.pid}`;
    place.write(ticket, `${before} ${machine}\n`);
    place.write('.rules.lock.stale', '');
    for (const name of ['.rules.lock', ticket, '.rules.lock.stale'])
      utimesSync(place.path(name), ahead, ahead);
    place.expectStatus([...edit, '-w', '5'], 0);
    expect(readdirSync(place.folder).filter((name) => name.startsWith('.'))).toEqual([]);
    // Another machine's of the same name is not.
    place.write('.rules.lock', `${before.replace('before-dhcp', hostname())} ${'0'.repeat(32)}\n`);
    place.expectStatus(edit, 4);
  });

  test('that can not be told to be left says who holds it and how to remove it', () => {
    for (const left of ['7 elsewhere\n', 'what is this\n', `7 ${hostname()} - 1 1 1 1 1\n`]) {
      place.write('.rules.lock', left);
      expect(place.expectStatus(edit, 4).stderr).toMatch(/`rm .*\/\.rules\.lock`/);
    }
    place.expectStatus([...edit, '-w', '1'], 4);
    expect(existsSync(place.path('.rules.lock.queue'))).toBe(false);
  });

  test('the litter of who was killed is removed, that of who runs is not', async () => {
    const gone = place.start(['--version']);
    await ended(gone);
    const litter = [`.rules.${gone.pid}.tmp`, `.rules.lock.${gone.pid}`];
    const kept = [`.rules.${process.pid}.tmp`, '.rules.notes', '.rules2.1.tmp'];
    for (const name of [...litter, ...kept]) place.write(name, '');
    place.expectStatus(edit, 0);
    for (const name of litter) expect([name, existsSync(place.path(name))]).toEqual([name, false]);
    for (const name of kept) expect([name, existsSync(place.path(name))]).toEqual([name, true]);
  });

  test('a full disk names the file and leaves nothing', () => {
    const script = `mount -t tmpfs -o size=16k none "$1" && cp rules "$1/rules" &&
      dd if=/dev/zero of="$1/full" bs=1k 2>/dev/null; "$2" "$3" --file "$1/rules" -A BIND -j DROP; s=$?
      rm "$1/full"; ls -A "$1"; exit $s`;
    const words = ['--mount', 'sh', '-c', script, 'sh', place.path('disk'), process.execPath];
    mkdirSync(place.path('disk'));
    if (process.getuid?.() !== 0) return;
    const { status, stdout, stderr } = spawnSync('unshare', [...words, program('sockfilter')], {
      cwd: place.folder,
      encoding: 'utf8',
    });
    expect(stderr).toMatch(/disk\/.*rules.*no space left on device/);
    expect([status, stdout]).toEqual([4, 'rules\n']);
  });

  test('whoever waits gets it in turn', async () => {
    const begin = performance.now();
    const ends = await Promise.all(
      Array.from({ length: 8 }, async (_, n) => {
        const { status } = await ended(
          place.start(['--file', 'rules', '-w', '-A', 'BIND', '-p', 'udp', '--dport', `${n + 1}`]),
        );
        return { status, ms: performance.now() - begin };
      }),
    );
    expect(ends.map(({ status }) => status)).toEqual(ends.map(() => 0));
    const waits = ends.map(({ ms }) => ms).sort((a, b) => a - b);
    expect(waits.at(-1)).toBeLessThan(3 * (waits[4] ?? 0));
    expect(place.read('rules').match(/--dport/g)).toHaveLength(8);
    expect(existsSync(place.path('.rules.lock.queue'))).toBe(false);
  }, 60_000);

  test('of a process that has ended is taken over', async () => {
    const gone = place.start(['--version']);
    await ended(gone);
    place.write('.rules.lock', `${gone.pid} ${hostname()}\n`);
    place.expectStatus(edit, 0);
    expect(existsSync(place.path('.rules.lock'))).toBe(false);
  });

  test('is taken over although the process that did so before was killed', async () => {
    const gone = place.start(['--version']);
    await ended(gone);
    place.write('.rules.lock', `${gone.pid} ${hostname()}\n`);
    place.write('.rules.lock.stale', '');
    const long = new Date(Date.now() - 60_000);
    utimesSync(place.path('.rules.lock.stale'), long, long);
    place.expectStatus(edit, 0);
  });
});

describe('--deny-unseen', () => {
  const written = () => readFileSync(place.path('o.rules'), 'utf8');

  test('is a line of the file, which an edit adds and takes away', () => {
    place.write('o.rules', '# ours\n*socket\n:BIND DROP [0:0]\n# rules\nCOMMIT\n');
    const run = (...words: string[]) => place.expectStatus(['--file', 'o.rules', ...words], 0);
    run('--deny-unseen');
    const whole = '# ours\n*socket\n:BIND DROP [0:0]\n--deny-unseen\n# rules\nCOMMIT\n';
    expect(written()).toBe(whole);
    run('--deny-unseen');
    run('-A', 'BIND', '-j', 'DROP');
    run('-D', 'BIND', '1');
    expect(written()).toBe(whole);
    expect(run('-S').stdout).toMatch(/^--deny-unseen$/m);
    expect(run('-S', 'BIND').stdout).not.toMatch(/deny/);
    const json = run('save', '--json').stdout;
    place.write('o.json', json);
    expect(place.expectStatus(['--file', 'o.json', 'save'], 0).stdout).toBe(run('save').stdout);
    const { stdout } = run('explain', 'BIND', '--proto', 'udplite', '--dst', '10.0.0.1:9');
    expect(stdout).toMatch(/^`--deny-unseen`: no such socket can be made/m);
    run('--deny-unseen', 'off');
    expect(written()).toBe('# ours\n*socket\n:BIND DROP [0:0]\n# rules\nCOMMIT\n');
  });

  test('is on or off', () => {
    place.write('o.rules', '*socket\nCOMMIT\n');
    const { stderr } = place.expectStatus(['--file', 'o.rules', '--deny-unseen', 'maybe'], 2);
    expect(stderr).toMatch(/maybe/);
  });
});
