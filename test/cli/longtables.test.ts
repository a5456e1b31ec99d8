/** Tables so long that whoever calls itself for each rule or test comes to the end of its stack: commands answer, or tell a limit. */
import { Workplace } from './command.js';

const TABLES = {
  counting: '-A CONNECT',
  logging: '-A CONNECT -j LOG',
  drawing: '-A CONNECT -m statistic --mode random --probability 0.5 -j DROP',
};

const COMMANDS = [
  ['check', 'rules'],
  ['simplify', 'rules'],
  ['diff', 'rules', 'other'],
  ['query', 'refuse', 'rules'],
  ['explain', '--file', 'rules', 'CONNECT', '-p', 'tcp', '-d', '10.0.0.9:80'],
  ['--file', 'rules', '-A', 'BIND', '-j', 'DROP'],
];

let place: Workplace;
beforeEach(() => {
  place = new Workplace();
});
afterEach(() => place.remove());

test.each(Object.entries(TABLES))('%s rules', (kind, rule) => {
  const rules = Array.from({ length: 16_000 }, () => `${rule}\n`).join('');
  place.write('rules', `*socket\n${rules}COMMIT\n`);
  place.write('other', `*socket\n${rules}-A CONNECT -j DROP\nCOMMIT\n`);
  for (const command of COMMANDS) {
    const { stdout, stderr, status } = place.run(command);
    expect(stdout + stderr).not.toContain('internal error');
    const isLimit = /more than 1024 tests .* rules 1 to \d+ of chain CONNECT/.test(stdout + stderr);
    const isKnown =
      kind === 'drawing' && ['check', 'simplify', 'diff', 'query'].includes(command[0] ?? '');
    expect({ command, isLimit, isDone: status === 0 || status === 1 }).toEqual({
      command,
      isLimit: isKnown,
      isDone: !isKnown,
    });
  }
});
