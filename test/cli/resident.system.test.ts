/** What the resident command does is what the command does as a process. */
import { Workplace, writeStandIn } from './command.js';

const RULES = '*socket\n-N mine\n-A BIND -d 10.0.0.5 -j ACCEPT\n-A BIND -j mine\nCOMMIT\n';

let place: Workplace;
beforeEach(() => {
  place = new Workplace({ SOCKFILTER_FILE: 'rules' });
  place.write('rules', RULES);
});
afterEach(() => place.remove());

test.each([
  ['-S'],
  ['--version'],
  ['-A', 'BIND', '-d', '10.0.0.300'],
  ['-D', 'BIND', '7'],
  ['explain', 'BIND', '--dst', '10.0.0.5:80'],
  ['check', 'rules', 'nowhere'],
  ['query', 'acept'],
  ['save', '-c'],
])('%s %s', (...args) => {
  const options = { env: { NO_COLOR: '1' } };
  const alone = place.runAlone(args, options);
  expect(place.run(args, options)).toEqual(alone);
  // What one run has left behind would show in the next.
  expect(place.run(args, options)).toEqual(alone);
});

test('edits, input, environment and folder', () => {
  const input = RULES.replace('10.0.0.5', '10.0.0.6');
  place.expectStatus(['restore'], 0, { input });
  place.expectStatus(['-A', 'mine', '-j', 'DROP'], 0);
  expect(place.run(['-S', 'mine']).stdout).toBe('-N mine\n-A mine -j DROP\n');
  expect(place.run(['-S', 'BIND']).stdout).toContain('10.0.0.6/32');
  expect(place.run(['-S', 'BIND'], { env: { SOCKFILTER_FILE: 'nowhere' } }).status).not.toBe(0);
  const other = new Workplace();
  other.write('other', RULES);
  expect(other.run(['-S', 'BIND', '--file', 'other']).stdout).toContain('10.0.0.5/32');
  other.remove();
});

describe('a script that stands for the command', () => {
  beforeEach(() => writeStandIn(place.path('stand-in')));

  test.each([
    ['-S BIND', 0],
    ['-A BIND -d 10.0.0.300', 2],
    ['-D BIND 7', 1],
  ])('%s exits with %i, and says the same', (words, status) => {
    const alone = place.runAlone(words.split(' '));
    expect(place.shell(`./stand-in ${words}`)).toEqual(alone);
    expect(alone.status).toBe(status);
  });

  test('words, environment, folder, input, pipes and files', () => {
    const shell = (line: string) => place.shell(line).stdout;
    const rule = "-A BIND -m comment --comment 'two  words'";
    place.expectStatus(['-F'], 0);
    expect(place.shell(`./stand-in ${rule} && cat rules`).stdout).toContain('"two  words"');
    expect(
      place.shell('mkdir in && cp rules in/r && cd in && SOCKFILTER_FILE=r ../stand-in -S'),
    ).toMatchObject({ status: 0, stdout: expect.stringContaining('two  words') });
    expect(shell('./stand-in save > saved; ./stand-in save >> saved; grep -c BIND saved')).toBe(
      '4\n',
    );
    // One of two at once is a process of its own.
    expect(
      place.shell('./stand-in save | ./stand-in restore && ./stand-in -S | wc -l'),
    ).toMatchObject({ status: 0, stdout: expect.stringMatching(/^\d+\n$/), stderr: '' });
    expect(
      shell('./stand-in -F && ./stand-in restore < saved; ./stand-in -S 2>&1 | head -n 1'),
    ).toBe('-P BIND ACCEPT\n');
  });
});
