/** `--file`: the file is replaced as a whole, keeps what the edit leaves alone, and loses no edit. */
import {
  chmodSync,
  existsSync,
  lstatSync,
  readdirSync,
  statSync,
  symlinkSync,
  utimesSync,
} from 'node:fs';
import { hostname } from 'node:os';
import { ended, Workplace } from './command.js';

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
