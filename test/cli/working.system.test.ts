/** What a terminal shows while a command works for seconds; script(1) makes the terminal. */
import { describeProgram } from '../harness/needing.js';
import { Workplace } from './command.js';

/** Rules that overlap so much that their check takes its time. */
function slowRules(count: number): string {
  const rules = Array.from(
    { length: count },
    (_, n) =>
      `-A CONNECT -d 10.${n % 7}.${n >> 8}.${n & 255} -p tcp --dport ${n % 3 === 0 ? n : `${n}:${n + 9}`} -m cgroup --id ${1 + (n % 90)} -j ${n % 2 === 0 ? 'ACCEPT' : 'DROP'}`,
  );
  return ['*socket', ...rules, 'COMMIT', ''].join('\n');
}

describeProgram('script', 'on a terminal', () => {
  let place: Workplace;
  beforeAll(() => {
    place = new Workplace();
  });
  afterAll(() => place.remove());

  const onTerminal = (words: string) => place.runAtTerminal(words).stdout;

  test('a long check says that it goes on, and takes it back', () => {
    place.write('slow.rules', slowRules(7000));
    const told = onTerminal('check slow.rules --format json=out.json');
    const shown = told.replaceAll('\u001b[K', '|');
    const lines = /^((?:\rsockfilter: slow\.rules: \d+ s\|)+)\r\|$/.exec(shown);
    expect(lines?.[1]).toMatch(/^\rsockfilter: slow\.rules: 1 s/);
  });

  test('a short one says nothing', () => {
    place.write('short.rules', slowRules(10));
    expect(place.run(['query', 'accept', 'short.rules']).stderr).toBe('');
    expect(onTerminal('query accept short.rules --group 3 --report page.html')).toBe('');
  });
});
