/** `sockfilter learn` refuses what it can't say whole: a rule left out would be a file that allows more. */
import { Workplace } from './command.js';

const eventOf = (group: { readonly id: number; readonly name: string }) =>
  `${JSON.stringify({
    version: 1,
    kind: 'audit',
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

test('a name that no file can hold is told, and nothing is printed', () => {
  place.write('odd.jsonl', eventOf({ id: 3, name: 'web\n-P CONNECT ACCEPT' }));
  expect(place.expectStatus(['learn', 'odd.jsonl'], 2).stdout).toBe('');
});
