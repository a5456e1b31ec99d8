/** One table of exit codes: what is wrong is told with the same code by every command. */
import { mkdirSync, rmSync } from 'node:fs';
import { hostname } from 'node:os';
import { DEFAULT_LIMITS, LimitError } from '@sockfilter/diagram';
import { EXIT } from '@sockfilter/language';
import { withinLimits } from '../../packages/cli/src/ci/reporting.js';
import { describeFailure } from '../../packages/cli/src/failure.js';
import { Workplace } from './command.js';

let place: Workplace;
beforeAll(() => {
  place = new Workplace();
  mkdirSync(place.path('folder'));
  place.write('file', '*socket\n-A BIND -j ACCEPT\n-A BIND -j DROP\nCOMMIT\n');
  place.write('wrong', '*socket\n-A BIND -j NOWHERE\nCOMMIT\n');
  place.write('tests.yaml', 'tests: []\n');
});
afterAll(() => place.remove());

/** Every command, as it reads the file `F`. */
const READING = [
  ...['-S', '-C BIND -j DROP', '-A BIND -j DROP', '-Z'],
  ...['save', 'group list', 'group add x', 'group delete x', 'explain BIND'],
].map((words) => `--file F ${words}`);
const TAKING = [
  ...['check F', 'test F', 'diff F F', 'diff file F', 'diff F file', 'diff git:HEAD:F file'],
  ...['query accept F', 'query refuse F --matrix', 'simplify F', 'review F'],
  ...['restore --test F', '--file file restore F', 'diff file file --intended F'],
];

const words = (line: string, file: string) => line.replaceAll(/\bF\b/g, file).split(' ');

test.each([...READING, ...TAKING])(
  'sockfilter %s of what is not there, or can not be read',
  (line) => {
    const isWalk = /^(check|test|review) /.test(line);
    const names = ['nowhere', 'file/deeper', ...(isWalk ? [] : ['folder'])];
    for (const file of /git:|intended/.test(line) ? names : [...names, 'wrong'])
      expect([file, place.run(words(line, file)).status]).toEqual([file, EXIT.usage]);
  },
);

test.each([
  // Words that are wrong.
  ...['', '-Q', '-A', '-A BIND -j NOWHERE', '-t nat -S', 'nothing', 'save nothing', 'restore --no'],
  ...['group', 'group nothing', 'group add', 'group add a --id 0', 'exec', 'exec -g x', 'explain'],
  ...['explain BIND --dst 300.1.1.1', 'status nothing', 'teardown nothing', 'completion nosuch'],
  ...['check', 'check file --fail-on no', 'test file --format no', 'diff file', 'review --gate no'],
  ...['restore --test=yes file', 'diff --no-new-access=1 file file', 'save -c=1', 'save --help=no'],
  ...['query', 'query accept file --dst 300.1.1.1', 'simplify', 'rules SF999', 'schema no'],
  // What the kernel has, of a file.
  ...['status', 'teardown', 'exec -g x true', 'group move x 1'].map(
    (line) => `--file file ${line}`,
  ),
])('sockfilter %s can not be understood', (line) => {
  expect(place.run(line.split(' ').filter(Boolean)).status).toBe(EXIT.usage);
});

test.each([
  ...['-D BIND 7', '-N BIND', '-X nowhere', '-C BIND -j REJECT', '-S nowhere', '-E nowhere x'],
  ...['group delete x', 'explain BIND --group x'],
])('sockfilter %s does not fit the table', (line) => {
  expect(place.run(['--file', 'file', ...line.split(' ')]).status).toBe(EXIT.unfit);
});

test.each(['check covered', 'diff file other', 'review set'])(
  'sockfilter %s finds something',
  (line) => {
    place.write('other', '*socket\n-A BIND -j DROP\nCOMMIT\n');
    mkdirSync(place.path('set'), { recursive: true });
    for (const name of ['covered', 'set/covered.rules'])
      place.write(name, '*socket\n-A BIND -j ACCEPT\n-A BIND -p tcp -j DROP\nCOMMIT\n');
    expect(place.run(line.split(' ')).status).toBe(EXIT.unfit);
  },
);

test('a limit, and a lock', () => {
  const work = () => {
    throw new LimitError('edges', DEFAULT_LIMITS.edges);
  };
  const failure = (body: () => unknown) => {
    try {
      return body();
    } catch (error) {
      return describeFailure(error, false).exit;
    }
  };
  expect(failure(work)).toBe(EXIT.resource);
  expect(failure(() => withinLimits('file', work))).toBe(EXIT.resource);
  place.write('.file.lock', `${process.pid} ${hostname()}\n`);
  expect(place.run(['--file', 'file', '-A', 'BIND', '-j', 'DROP']).status).toBe(EXIT.resource);
  rmSync(place.path('.file.lock'));
});
