/** `sockfilter explain` on a rule file. */
import { Workplace } from './command.js';

const RULES = `*socket
:BIND DROP [0:0]
:CONNECT ACCEPT [0:0]
-G web --id 3 --path /web.slice
-A BIND -m comment --comment all
-A BIND -d 10.0.0.5/32 -m cgroup --id 3 -j ACCEPT
-A BIND -d ::1/128 -p tcp --dport 80 -j ACCEPT
-A CONNECT -d 127.0.0.1/32 -j REJECT --reject-with ECONNREFUSED
-A CONNECT -d ::1/128 -m owner --uid-owner 33 -j REJECT --reject-with EACCES
COMMIT
`;

let place: Workplace;
beforeAll(() => {
  place = new Workplace({ SOCKFILTER_FILE: 'rules' });
  place.write('rules', RULES);
});
afterAll(() => place.remove());

test.each([
  ['BIND --group web --proto tcp --dst 10.0.0.5:80', 'allowed by rule 2 of BIND'],
  ['BIND --group 3 --dst ::ffff:10.0.0.5', 'allowed by rule 2 of BIND'],
  ['bind --group /web.slice/worker --dst [::ffff:10.0.0.5]:9', 'allowed by rule 2 of BIND'],
  ['BIND --group /other --dst 10.0.0.5', 'refused with EPERM by the policy of BIND'],
  ['BIND --dst [::1]:80', 'allowed by rule 3 of BIND'],
  ['BIND --dst [::1]:80 -p udp', 'refused with EPERM by the policy of BIND'],
  ['CONNECT --proto tcp', 'refused with ECONNREFUSED by rule 1 of CONNECT'],
  ['CONNECT --src [::]:5 --dst [::]:80 --uid 33', 'refused with EACCES by rule 2 of CONNECT'],
  ['CONNECT --src 10.1.1.1:5 --dst 0.0.0.0:80', 'allowed by the policy of CONNECT'],
])('%s: %s', (line, verdict) => {
  const { stdout } = place.expectStatus(['explain', ...line.split(' ')], 0);
  expect(stdout.split('\n')[0]).toBe(verdict);
});

test('of port 0 it says that there is more to judge', () => {
  const note = 'the port that the kernel chooses is judged too, with its number';
  const explain = (dst: string) =>
    place.expectStatus(['explain', 'BIND', '--group', 'web', '--dst', dst], 0).stdout;
  expect(explain('10.0.0.5:0')).toContain(note);
  expect(explain('10.0.0.5:1')).not.toContain(note);
  expect(explain('10.0.0.6:0')).not.toContain(note);
});

test.each([
  ['BIND --src 10.0.0.1:1', 'no such call can happen: bind(2) has no source'],
  ['ACCEPT --proto udp', 'no such call can happen: ACCEPT has no protocol 17'],
  ['CONNECT --src 10.0.0.1 --dst ::1', 'of different families'],
  ['CONNECT --dst 10.0.0.1:99999', 'invalid port `99999`'],
  ['CONNECT --dst example.org:80', 'invalid address `example.org`'],
  ['CONNECT --proto sctp', 'sctp'],
  ['CONECT', 'did you mean `CONNECT`?'],
  ['BIND --pid 0', 'invalid pid `0`'],
  ['BIND --pid 1 --gid 1', '`--pid` says already what `--gid` is'],
])('%s: %s', (line, message) => {
  const { stderr } = place.expectStatus(['explain', ...line.split(' ')], 2);
  expect(stderr).toContain(message);
});

test('a group that is not there is 1', () => {
  place.expectStatus(['explain', 'BIND', '--group', 'nobody'], 1);
  place.expectStatus(['explain', 'BIND', '--pid', '4194305'], 1);
});

test('--json', () => {
  const { stdout } = place.expectStatus('explain BIND --json --dst 10.0.0.9:1'.split(' '), 0);
  expect(JSON.parse(stdout)).toMatchObject({
    verdict: 'refused',
    errno: 1,
    errnoName: 'EPERM',
    decider: { chain: 'BIND', rule: null, text: '-P BIND DROP' },
    counted: [{ rule: 1 }, { rule: null }],
    call: { chain: 'BIND', destination: '10.0.0.9:1' },
  });
});
