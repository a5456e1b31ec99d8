/** `sockfilter learn` refuses what it can't say whole: a rule left out would be a file that allows more. */
import { Workplace } from './command.js';

const eventOf = (group: { readonly id: number; readonly name: string }, kind = 'audit') =>
  `${JSON.stringify({
    version: 1,
    kind,
    time: '2026-11-26T05:01:36.136829Z',
    chain: 'CONNECT',
    rule: null,
    call: { protocol: 'tcp', source: '0.0.0.0:0', destination: '10.0.9.9:5432' },
    group,
    cgroup: { id: '7', path: '/web.slice' },
    netns: '1',
    socket: '9',
  })}\n`;

let place: Workplace;
beforeAll(() => {
  place = new Workplace();
});
afterAll(() => place.remove());

test('a group has in the rules the id of its name, and no other group has its calls', () => {
  place.write('web.jsonl', eventOf({ id: 3, name: 'web' }));
  place.write('web.rules', '*socket\n:CONNECT DROP [0:0]\n-G web --id 9\nCOMMIT\n');
  const { stdout } = place.expectStatus(['learn', '--rules', 'web.rules', 'web.jsonl'], 0);
  expect(stdout).toContain('-G web --id 9\n');
  place.write('db.rules', '*socket\n:CONNECT DROP [0:0]\n-G db --id 3\nCOMMIT\n');
  const { stderr } = place.expectStatus(['learn', '--rules', 'db.rules', 'web.jsonl'], 1);
  expect(stderr).toContain('id 3 is `web` in the events, and `db` in the rules');
});

test.each([
  [['audit'], 'seen once'],
  [['audit', 'passed'], 'seen once'],
  [['log', 'audit', 'passed', 'passed'], 'seen 2 times'],
  [['log', 'refused', 'passed'], 'seen 2 times'],
  [['log', 'log', 'refused'], 'seen 2 times'],
  [['refused', 'audit'], 'seen 2 times'],
])('the events %j are of calls that were %s', (kinds, words) => {
  place.write('kinds.jsonl', kinds.map((kind) => eventOf({ id: 3, name: 'web' }, kind)).join(''));
  expect(place.expectStatus(['learn', 'kinds.jsonl'], 0).stdout).toContain(`"${words}"`);
});

test.each([
  ['CONNECT', 'tcp'],
  ['CONNECT', 'udp'],
  ['SENDTO', 'udp'],
])(
  'a file of %s by %s alone lets no datagram out by the other chain, and is clean',
  (chain, protocol) => {
    const event = eventOf({ id: 3, name: 'web' })
      .replace('CONNECT', chain)
      .replace('tcp', protocol);
    place.write('one.jsonl', event);
    place.write('one.rules', place.expectStatus(['learn', 'one.jsonl'], 0).stdout);
    place.expectStatus(['check', 'one.rules'], 0);
    const call = ['--group', '3', '--proto', 'udp', '--src', '0.0.0.0:0', '--dst', '10.0.9.8:5432'];
    for (const other of ['CONNECT', 'SENDTO'])
      expect(place.run(['--file', 'one.rules', 'explain', other, ...call]).stdout).toMatch(
        /DROP|refuse/,
      );
  },
);

test('a name that no file can hold is told, and nothing is printed', () => {
  place.write('odd.jsonl', eventOf({ id: 3, name: 'web\n-P CONNECT ACCEPT' }));
  expect(place.expectStatus(['learn', 'odd.jsonl'], 2).stdout).toBe('');
});

test('what a file lacks is a patch that says what it means, and is lacking once', () => {
  const rules = `*socket
:CONNECT DROP [0:0]
:web-connect - [0:0]
# Who it is.
-G web --id 3
-A CONNECT -m cgroup --id 3 -j web-connect
-A web-connect -d 10.0.9.8/32 -p tcp -m tcp --dport 5432 -j ACCEPT
-A web-connect -j DROP
COMMIT
`;
  place.write('grow.jsonl', eventOf({ id: 3, name: 'web' }));
  place.write('grow.rules', rules);
  const { stdout } = place.expectStatus(['learn', '--into', 'grow.rules', 'grow.jsonl'], 1);
  expect(place.read('grow.rules')).toBe(rules);
  expect(stdout).toMatch(/^# newly accepted: CONNECT, .*10\.0\.9\.9.*5432/);
  place.write('grow.patch', stdout);
  expect(place.shell('git apply --unsafe-paths -p0 grow.patch').stderr).toBe('');
  const patched = place.read('grow.rules');
  place.write('grow.rules', rules);
  place.expectStatus(['learn', '--into', 'grow.rules', '--write', 'grow.jsonl'], 0);
  expect(place.read('grow.rules')).toBe(patched);
  expect(patched.split('\n').slice(6, 9)).toEqual([
    '-A web-connect -d 10.0.9.8/32 -p tcp -m tcp --dport 5432 -j ACCEPT',
    '-A web-connect -d 10.0.9.9/32 -p tcp -m tcp --dport 5432 -m comment --comment "seen once" -j ACCEPT',
    '-A web-connect -j DROP',
  ]);
  const again = place.expectStatus(['learn', '--into', 'grow.rules', 'grow.jsonl'], 0);
  expect([again.stdout, again.stderr]).toEqual(['', expect.stringContaining('accepts all')]);
  place.write('head.rules', '*socket\n-G web --id 3\n-A CONNECT -d 10.0.9.0/24 -j DROP\nCOMMIT\n');
  place.expectStatus(['learn', '--into', 'head.rules', '--write', 'grow.jsonl'], 0);
  place.expectStatus(['learn', '--into', 'head.rules', 'grow.jsonl'], 0);
  place.expectStatus(['check', 'head.rules'], 0);
});

test('a call that is rewritten is accepted as what it becomes, or left out and said', () => {
  const dnat = (to: string) => `-A CONNECT -d 10.0.9.9/32 -p tcp -j DNAT --to-destination ${to}\n`;
  place.write('to.jsonl', eventOf({ id: 3, name: 'web' }));
  const head = '*socket\n:CONNECT DROP [0:0]\n-G web --id 3\n';
  place.write('to.rules', `${head}${dnat('10.0.9.8:5433')}COMMIT\n`);
  place.expectStatus(['learn', '--into', 'to.rules', '--write', 'to.jsonl'], 0);
  const call = ['--group', 'web', '--proto', 'tcp', '--src', '0.0.0.0:0', '--dst', '10.0.9.9:5432'];
  const { stdout } = place.expectStatus(['--file', 'to.rules', 'explain', 'CONNECT', ...call], 0);
  expect(stdout).toMatch(/^allowed by rule 2 of CONNECT$/m);
  expect(stdout).toContain('it goes on with destination 10.0.9.8:5433');
  const several = `${head}${dnat('10.0.9.7-10.0.9.8')}COMMIT\n`;
  place.write('several.rules', several);
  const { stderr } = place.expectStatus(
    ['learn', '--into', 'several.rules', '--write', 'to.jsonl'],
    1,
  );
  expect(stderr).toContain(
    'left out, as rule 1 of CONNECT gives them one of several destinations: CONNECT of web (3) to 10.0.9.9:5432; write by hand what they need',
  );
  expect(place.read('several.rules')).toBe(several);
});

test.each([
  ['--for 10x', 'invalid time `10x`'],
  ['--for 5 x.jsonl', 'they take no files'],
  ['--write', '`--write` needs `--into`'],
  ['--into a --rules b', 'exclude each other'],
])('learn %s', (line, message) => {
  expect(place.expectStatus(['learn', ...line.split(' ')], 2).stderr).toContain(message);
});
