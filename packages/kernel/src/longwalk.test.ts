/** Rules that calls can meet one after the other, more than any walk may take: a limit is told, whatever the length, and its way out is one. */
import { LimitError } from '@sockfilter/diagram';
import { tableOf } from '../../../test/harness/policy.js';
import { CapacityError } from './capacity.js';
import { compileTable } from './generation.js';

const times = (count: number, rule: (n: number) => string) =>
  Array.from({ length: count }, (_, n) => rule(n)).join('\n');

const chains = (count: number) =>
  [
    times(count, (n) => `:c${n} - [0:0]`),
    times(count, (n) => `-A CONNECT -j c${n}`),
    times(count, (n) => `-A c${n} -p tcp --dport ${n + 1} -j DROP`),
  ].join('\n');

const sets = (count: number) =>
  `${times(count, (n) => `create s${n} hash:ip`)}\n${times(count, (n) => `-A CONNECT -m set --match-set s${n} dst -j DROP`)}`;

function limitIn(rules: string): LimitError | CapacityError {
  const table = tableOf(`*socket\n${rules}\nCOMMIT\n`);
  try {
    compileTable(table);
  } catch (error) {
    if (error instanceof LimitError || error instanceof CapacityError) return error;
    throw error;
  }
  throw new Error('no limit was reached');
}

const DEEP = 'the decision diagram needs more than 1024 tests of a set, a state, a clock or chance';
const met = (span: string) => `steps of a call in CONNECT, which can meet ${span}: more than 511`;
const ALL = 'rules 1 to 16000 of chain CONNECT';

test.each([
  ['that only count', times(16_000, () => '-A CONNECT'), met(ALL)],
  ['that log', times(16_000, (n) => `-A CONNECT -j LOG --log-prefix "p${n} "`), met(ALL)],
  ['that trace', times(16_000, () => '-A CONNECT -j TRACE'), met(ALL)],
  ['of a few', times(600, () => '-A CONNECT -p udp'), met('rules 1 to 600 of chain CONNECT')],
  [
    'behind others',
    `-A CONNECT -p tcp -j DROP\n${times(600, () => '-A CONNECT')}`,
    met('rules 2 to 601 of chain CONNECT'),
  ],
  ['that call chains', chains(1000), met('rules 1 to 1000 of chain CONNECT')],
  [
    'of another chain',
    `:sub - [0:0]\n-A CONNECT -j sub\n${times(700, () => '-A sub')}`,
    met('rules 1 to 700 of chain sub'),
  ],
  ['that limit', times(8000, () => '-A CONNECT -m limit --limit 1/s'), DEEP],
  [
    'that leave it to chance',
    times(16_000, () => '-A CONNECT -m statistic --mode random --probability 0.5 -j DROP'),
    DEEP,
  ],
  [
    'with more states than there are',
    times(8192, () => '-A CONNECT -m quota --quota 9 -j DROP'),
    'tests with a state, as in rules 1 to 8192 of chain CONNECT: 8192 are needed, the limit is 8191',
  ],
  ['that ask few sets', sets(600), met('rules 1 to 600 of chain CONNECT')],
  ['that ask many sets', sets(2000), DEEP],
  ['with more sets than there are', sets(2048), 'sets: 2048 are needed, the limit is 2047'],
])('rules %s', (_, rules, message) => {
  const error = limitIn(rules);
  expect(error.message).toContain(message);
  expect(error.help).toBeDefined();
});

test('what is told of the rules is so, and the way out is one', () => {
  const mixed = (apart: (n: number) => string) =>
    [
      'create s hash:ip',
      times(300, (n) => `-A CONNECT ${apart(n)}`),
      times(300, (n) => `-A CONNECT ${apart(300 + n)} -m set --match-set s dst -j DROP`),
    ].join('\n');
  expect(limitIn(mixed(() => '')).help).toBe(
    'of these 600 rules 300 ask a set, a state, a clock or chance and 300 only count, log, mark or call a chain, and calls go on behind them: name an address, a port or a group in each, so that no call meets many of them, or have fewer',
  );
  const compile = (apart: (n: number) => string) =>
    compileTable(tableOf(`*socket\n${mixed(apart)}\nCOMMIT\n`)).blob.longestPath;
  expect(compile((n) => `-d 10.0.${n >> 8}.${n & 255}`)).toBeLessThan(50);
  expect(compile((n) => `-p tcp --dport ${n + 1}`)).toBeLessThan(50);
  expect(compile((n) => `-m cgroup --id ${n + 1}`)).toBeLessThan(50);
});

test('tests that both answers of others lead to are looked at once where calls are rewritten', () => {
  const rules = times(200, () => '-A sub -m limit --limit 1/s');
  const table = tableOf(
    `*socket\n:sub - [0:0]\n-A CONNECT -j sub\n${rules}\n-A sub -p tcp -j MARK --set-mark 2\nCOMMIT\n`,
  );
  expect(compileTable(table).blob.longestPath).toBeGreaterThan(400);
});
