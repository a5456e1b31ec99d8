/** The commands of iptables on a rule file: exit statuses and messages. */
import { readFileSync, writeFileSync } from 'node:fs';
import { Workplace } from './command.js';

const RULES = `*socket
:BIND DROP [0:0]
:web - [0:0]
-G db --id 7
-A BIND -d 10.0.0.5/32 -m cgroup --id 3 -j ACCEPT
-A BIND -p tcp -j web
-A web -p tcp -m tcp --dport 80 -j ACCEPT
COMMIT
`;

let place: Workplace;
beforeAll(() => {
  place = new Workplace({ SOCKFILTER_FILE: 'rules' });
});
afterAll(() => place.remove());
beforeEach(() => place.write('rules', RULES));

describe('a command that is refused', () => {
  test.each([
    ['-D BIND 9', 1, 'Index of deletion too big.'],
    ['-D BIND -j DROP', 1, 'Bad rule (does a matching rule exist in that chain?).'],
    ['-C BIND -j DROP', 1, 'Bad rule (does a matching rule exist in that chain?).'],
    ['-A nowhere -j DROP', 1, 'No chain/target/match by that name.'],
    ['-L nowhere', 1, 'No chain/target/match by that name.'],
    ['-N web', 1, 'Chain already exists.'],
    ['-X web', 1, 'Directory not empty.'],
    ['-A web -j web', 1, '-> web -> web'],
    ['-P web DROP', 1, 'Bad built-in chain name.'],
    ['-A BIND --dprot 80', 2, 'unknown option `--dprot`'],
    ['-A BIND -m cgroup --id dbx', 2, 'no group by the name `dbx`'],
    ['-A BIND -s 10.0.0.1 -j DROP', 2, 'bind(2) has no source'],
    ['-A BIND -t filter', 2, 'the only table is `socket`'],
    ['-v', 2, 'no command specified'],
    ['', 2, 'no command specified'],
    ['-w soon -L', 2, 'soon'],
    ['--root ../x -L', 2, '`..`'],
    ['grpup list', 2, 'did you mean `group`?'],
    ['save --nosuch', 2, 'unknown argument: `nosuch`'],
    ['status', 2, 'works on the live table only, and SOCKFILTER_FILE is set'],
    ['teardown --file rules', 2, 'works on the live table only'],
    ['--file -', 2, 'no command specified'],
    ['-L --file absent', 2, 'there is no file `absent`'],
    ['-A BIND --file absent', 2, "printf '*socket\\nCOMMIT\\n' > absent"],
    ['-A BIND --file .', 2, 'is not a regular file'],
  ])('%s: exits with %d: %s', (line, status, message) => {
    const ended = place.run(line.split(' ').filter((word) => word !== ''));
    expect(ended).toMatchObject({ status, stdout: '', stderr: expect.stringContaining(message) });
    expect(place.read('rules')).toBe(RULES);
  });

  test('shows the place', () => {
    const { stderr } = place.run(['-A', 'BIND', '-j', 'NOWHERE']);
    expect(stderr).toBe(
      [
        'command line:1:12: error: No chain/target/match by that name.',
        ' 1 | -A BIND -j NOWHERE',
        '   |            ^^^^^^^',
        '  help: create the chain first: `-N NOWHERE`',
        '',
      ].join('\n'),
    );
  });
});

describe('an edit', () => {
  test.each([
    ['-A web -j DROP', '-A web -p tcp -m tcp --dport 80 -j ACCEPT\n-A web -j DROP\n'],
    ['-I BIND -m cgroup --id db -j DROP', '-A BIND -m cgroup --id 7 -j DROP\n-A BIND -d'],
    ['--file=rules -w 5 -D BIND 1', '-G db --id 7\n-A BIND -p tcp -j web\n'],
    ['-R web 1 -j DROP', '-A BIND -p tcp -j web\n-A web -j DROP\n'],
    ['-E web www', '-A BIND -p tcp -j www\n-A www -p tcp'],
    ['-P BIND ACCEPT', ':BIND ACCEPT [0:0]\n'],
    ['-P CONNECT DROP -v', ':CONNECT DROP [0:0]\n'],
    ['-N new', ':new - [0:0]\n'],
    ['-A BIND -m cgroup --path system.slice', '-G "/system.slice" --id 1 --path "/system.slice"\n'],
  ])('%s', (line, text) => {
    const ended = place.run(line.split(' '));
    expect(ended).toEqual({ status: 0, stdout: '', stderr: '' });
    expect(place.read('rules')).toContain(text);
  });
});

describe('a listing', () => {
  test('-S', () => {
    const { stdout } = place.expectStatus(['-S', 'BIND'], 0);
    expect(stdout).toBe(
      [
        '-P BIND DROP',
        '-A BIND -d 10.0.0.5/32 -m cgroup --id 3 -j ACCEPT',
        '-A BIND -p tcp -j web',
        '',
      ].join('\n'),
    );
  });

  test('-L', () => {
    const { stdout } = place.expectStatus(['-nvL', 'web', '--line-numbers'], 0);
    expect(stdout).toContain('Chain web (1 references)\nnum   pkts bytes target');
    expect(stdout).toContain('tcp dpt:80');
  });

  test('-C of what is there says nothing', () => {
    expect(place.run(['-C', 'BIND', '-p', '6', '-j', 'web'])).toEqual({
      status: 0,
      stdout: '',
      stderr: '',
    });
  });
});

describe('what is typed goes before the environment', () => {
  test('--root is not the file of SOCKFILTER_FILE', () => {
    const { status, stderr } = place.run([
      '--root',
      '/sockfilter-is/not-there',
      '-A',
      'BIND',
      '-j',
      'DROP',
    ]);
    expect(status).not.toBe(0);
    expect(stderr).not.toContain('rules');
    expect(place.read('rules')).toBe(RULES);
  });

  test('--file is not below SOCKFILTER_ROOT, and not with --root', () => {
    const env = { SOCKFILTER_FILE: 'absent', SOCKFILTER_ROOT: '../nowhere' };
    expect(place.run(['--file', 'rules', '-S', 'BIND'], { env }).status).toBe(0);
    for (const words of [['-S'], ['save'], ['explain', 'BIND']])
      expect(place.run(['--file', 'rules', '--root', '/web', ...words])).toMatchObject({
        status: 2,
        stderr: expect.stringContaining('`--file` and `--root` exclude each other'),
      });
  });
});

test('help for a match, a target, and the protocol that brings one', () => {
  expect(place.expectStatus(['-m', 'cgroup', '--help'], 0).stdout).toMatch(
    /^cgroup match options:\n\[!\] --id /,
  );
  expect(place.expectStatus(['-j', 'REJECT', '-h'], 0).stdout).toContain('--reject-with EPERM|');
  expect(place.expectStatus(['-p', 'tcp', '--help'], 0).stdout).toContain(
    '[!] --dport, --destination-port',
  );
});

test('-v tells what is done', () => {
  const { stdout } = place.expectStatus(['-v', '-A', 'BIND', '-p', 'udp', '-j', 'DROP'], 0);
  expect(stdout).toBe('DROP  udp opt -- in * out *  anywhere  -> anywhere\n');
  expect(place.expectStatus(['-v', '-F', 'web'], 0).stdout).toBe("Flushing chain `web'\n");
});

test('a file in another encoding is refused by name, and stays', () => {
  const bytes = Buffer.from(`\ufeff${RULES}`, 'utf16le');
  writeFileSync(place.path('wide'), bytes);
  for (const words of [
    ['--file', 'wide', '-F'],
    ['restore', '-t', 'wide'],
  ])
    expect(place.expectStatus(words, 2).stderr).toContain('wide:1:1: error: the text is UTF-16LE');
  const { stdout } = place.expectStatus(['check', 'wide'], 2);
  expect(stdout).toContain('wide:1:1: error[SF000]: the text is UTF-16LE');
  expect(readFileSync(place.path('wide'))).toEqual(bytes);
});
