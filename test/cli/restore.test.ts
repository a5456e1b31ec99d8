/** `save` and `restore`, also under the names of iptables. */
import { program, Workplace } from './command.js';

const RULES = `# ours
*socket
:BIND DROP [3:0]
[5:0] -A BIND -d 10.0.0.5/32 -j ACCEPT
COMMIT
`;

let place: Workplace;
beforeEach(() => {
  place = new Workplace();
  place.write('rules', RULES);
  place.write('table', '*socket\n:mine - [0:0]\n-A mine -j DROP\nCOMMIT\n');
});
afterEach(() => place.remove());

describe('save', () => {
  test('leaves counters out, so that differences stay quiet', () => {
    const { stdout } = place.expectStatus(['save', '--file', 'rules'], 0);
    expect(stdout).toMatch(/^\*socket\n:BIND DROP \[0:0\]\n/);
    expect(stdout).toContain('\n-A BIND -d 10.0.0.5/32 -j ACCEPT\nCOMMIT\n');
  });

  test('-c has them', () => {
    const ended = place.runProgram(program('sockfilter-save'), ['-c', '--file=rules']);
    expect(ended.stdout).toContain(':BIND DROP [3:0]\n');
    expect(ended.stdout).toContain('[5:0] -A BIND -d 10.0.0.5/32 -j ACCEPT\n');
  });

  test('-f writes a file that says the same', () => {
    place.expectStatus(['save', '--file', 'rules', '-f', 'copy'], 0);
    place.expectStatus(['save', '--file', 'copy', '-f', 'again'], 0);
    expect(place.read('again')).toBe(place.read('copy'));
  });
});

describe('restore', () => {
  test('replaces the table, comments and all', () => {
    const ended = place.runProgram(program('sockfilter-restore'), ['--file', 'table'], {
      input: RULES,
    });
    expect(ended).toEqual({ status: 0, stdout: '', stderr: '' });
    expect(place.read('table')).toBe(RULES);
  });

  test('makes the file', () => {
    place.expectStatus(['restore', 'rules', '--file', 'new'], 0);
    expect(place.read('new')).toBe(RULES);
  });

  test('-n adds to what is there', () => {
    place.expectStatus(['restore', '-n', 'rules', '--file', 'table'], 0);
    expect(place.read('table')).toContain('-A mine -j DROP\n');
    expect(place.read('table')).toContain('-A BIND -d 10.0.0.5/32 -j ACCEPT\n');
  });

  test('-t changes nothing', () => {
    const before = place.read('table');
    place.expectStatus(['restore', '-t', 'rules', '--file', 'table'], 0);
    place.expectStatus(['restore', '--test'], 0, { input: RULES });
    expect(place.read('table')).toBe(before);
  });

  test('tells all mistakes, each with its line, and changes nothing', () => {
    const before = place.read('table');
    const input = `*socket
:BIND REFUSE [0:0]
-A BIND -p tcp --dport 99999 -j ACCEPT
-A nowhere -j DROP
-A BIND --sport 1
`;
    const { stderr } = place.expectStatus(['restore', '--file', 'table'], 2, { input });
    const lines = [...stderr.matchAll(/^standard input:(\d+):\d+: error: /gm)].map(([, n]) => n);
    expect([...new Set(lines)]).toEqual(['2', '3', '4', '5']);
    expect(stderr).toContain('COMMIT expected');
    expect(place.read('table')).toBe(before);
  });

  test('a table that does not hold together is 1, a target that nobody knows 2', () => {
    const loop = '*socket\n:a - [0:0]\n-A a -j a\nCOMMIT\n';
    const { stderr } = place.expectStatus(['restore', '-t'], 1, { input: loop });
    expect(stderr).toContain('standard input:3:1: error: Loop found: a -> a');
    const input = '*socket\n-A BIND -j nowhere\nCOMMIT\n';
    expect(place.expectStatus(['restore', '-t'], 2, { input }).stderr).toContain(
      'standard input:2:12: error: No chain/target/match by that name.',
    );
  });

  test('a file that is not there is 2', () => {
    const { stderr } = place.expectStatus(['restore', 'absent'], 2);
    expect(stderr).toBe('sockfilter: `absent`: no such file or directory\n');
  });
});
