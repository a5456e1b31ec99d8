/** `sockfilter -`: changes from standard input, one by one or all at once. */
import fc from 'fast-check';
import { Workplace } from './command.js';

const RULES = `*socket
:BIND DROP [3:0]
:web - [0:0]
[5:0] -A BIND -d 10.0.0.5/32 -j web
COMMIT
`;
const CHANGES = [
  '-A web -p tcp -j ACCEPT',
  '# ours',
  '',
  '-I BIND -p udp -j DROP',
  '-P BIND ACCEPT',
];
const WRONG = '-A CONECT -j DROP';

let place: Workplace;
beforeEach(() => {
  place = new Workplace({ SOCKFILTER_FILE: 'table' });
  place.write('table', RULES);
});
afterEach(() => place.remove());

const feed = (lines: readonly string[], ...words: readonly string[]) =>
  place.run(['-', ...words], { input: lines.map((line) => `${line}\n`).join('') });

test('what stands before a line that is wrong is in force, and its number is said', () => {
  const { status, stderr } = feed([...CHANGES, WRONG, '-F']);
  expect(status).toBe(1);
  expect(stderr).toContain('sockfilter: what stands before line 6 is in force\n');
  expect(stderr).toContain('standard input:6:4: error: No chain/target/match by that name.');
  expect(stderr).toContain('did you mean `CONNECT`?');
  const { stdout } = place.expectStatus(['-S', 'BIND'], 0);
  expect(stdout).toBe('-P BIND ACCEPT\n-A BIND -p udp -j DROP\n-A BIND -d 10.0.0.5/32 -j web\n');
});

test('--atomic is all or nothing, and every mistake is told', () => {
  const { status, stderr } = feed([...CHANGES, WRONG, '-A web -p icmpp'], '--atomic');
  expect(status).toBe(2);
  expect(stderr).toContain('standard input:6:4: error');
  expect(stderr).toContain('standard input:7:11: error');
  expect(place.read('table')).toBe(RULES);
});

test.each([
  [['-L'], 'commands that change the table only'],
  [['*socket', ...CHANGES, 'COMMIT'], 'these lines are inside the table already'],
  [['create web ip', 'add web 10.0.0.300'], 'standard input:2:9: error'],
])('%j', (lines, said) => {
  const { status, stderr } = feed(lines);
  expect(status).toBe(2);
  expect(stderr).toContain(said);
});

test('an option that is not there, and no line at all', () => {
  expect(feed([], '--atomc').stderr).toContain('`-` takes no `--atomc`');
  expect(feed(['# nothing'], '--atomic')).toEqual({ status: 0, stdout: '', stderr: '' });
  expect(place.read('table')).toBe(RULES);
});

test('counters go on, but for those that are zeroed', () => {
  expect(feed(['-A web -j DROP'])).toEqual({ status: 0, stdout: '', stderr: '' });
  const saved = () => place.expectStatus(['save', '-c'], 0).stdout;
  expect(saved()).toContain(':BIND DROP [3:0]\n');
  expect(saved()).toContain('[5:0] -A BIND -d 10.0.0.5/32 -j web\n');
  feed(['-Z BIND']);
  expect(saved()).toContain(':BIND DROP [0:0]\n');
  expect(saved()).toContain('[0:0] -A BIND -d 10.0.0.5/32 -j web\n');
});

test('one by one or at once: the same table', () => {
  const edits = fc.constantFrom(
    ...CHANGES,
    '-D BIND 1',
    '-F web',
    '-R BIND 1 -j web',
    '-N more',
    '-G db --id 9 --path /db',
    'create nets net',
    'add nets 10.0.0.0/8',
    '-A BIND -m set --match-set nets dst -j web',
    '-Z',
  );
  fc.assert(
    fc.property(fc.array(edits, { minLength: 1, maxLength: 6 }), (lines) => {
      place.write('table', RULES);
      const { status } = feed(lines, '--atomic');
      const atOnce = place.expectStatus(['save', '-c'], 0).stdout;
      place.write('table', RULES);
      const each = feed(lines).status;
      // What only later lines put right, an order of a whole file may have.
      fc.pre(status === 0 && each === 0);
      expect(place.expectStatus(['save', '-c'], 0).stdout).toBe(atOnce);
    }),
    { numRuns: 8 },
  );
});
