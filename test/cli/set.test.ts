/** `sockfilter set` on a rule file: the words of ipset, and the lines that they leave. */
import { Workplace } from './command.js';

let place: Workplace;
beforeEach(() => {
  place = new Workplace({ SOCKFILTER_FILE: 'rules' });
});
afterEach(() => place.remove());

const write = (...lines: readonly string[]) =>
  place.write('rules', ['*socket', ...lines, 'COMMIT', ''].join('\n'));
const lines = () => place.read('rules').split('\n').slice(1, -2);
const run = (words: string) => place.expectStatus(words.split(' '), 0);

test('edits keep comments and the lines of other elements', () => {
  write('# the office', 'create office net # of ours', '');
  place.expectStatus(['set', 'list'], 2);
  write('# the office', 'create office hash:net hashsize 1024', '# head', 'add office 10.0.0.0/8');
  run('set add office 10.9.0.0-10.9.0.2');
  run('set create web ip,port timeout 60');
  run('set add web 10.0.0.5,udp:80-81 timeout 0');
  run('set del web 10.0.0.5,udp:80');
  expect(lines()).toEqual([
    '# the office',
    'create office hash:net hashsize 1024',
    '# head',
    'add office 10.0.0.0/8',
    'add office 10.9.0.0/31',
    'add office 10.9.0.2',
    'create web ip,port family inet timeout 60 maxelem 65536',
    'add web 10.0.0.5,udp:81 timeout 0',
  ]);
  run('-A CONNECT -m set --match-set office dst -j DROP');
  run('set rename office home');
  run('set flush web');
  expect(lines()).toEqual([
    '# the office',
    'create home net family inet maxelem 65536',
    '# head',
    'add home 10.0.0.0/8',
    'add home 10.9.0.0/31',
    'add home 10.9.0.2',
    'create web ip,port family inet timeout 60 maxelem 65536',
    '-A CONNECT -m set --match-set home dst -j DROP',
  ]);
  run('set create other net');
  run('set swap home other');
  expect(place.expectStatus(['set', 'test', 'home', '10.0.0.5'], 1).stderr).toContain('is NOT in');
  expect(run('set test other 10.0.0.5').stdout).toBe('10.0.0.5 is in set other.\n');
  place.expectStatus(['set', 'destroy', 'home'], 1);
  run('-F');
  run('set destroy');
  expect(lines().filter((line) => !line.startsWith('#'))).toEqual([]);
});

test.each([
  ['create s', 2, '`set create` needs TYPE'],
  ['create s nets', 2, 'no type of sets `nets`'],
  ['create s hash:net,iface', 2, 'there are no sets of devices'],
  ['create s bitmap:ip,mac', 2, 'a socket call has no MAC address'],
  ['create s net skbinfo', 2, '`skbinfo` is not available'],
  ['add one 10.0.0.6 nomatch', 2, 'set `one` is of type ip'],
  ['add one 10.0.0.6 packets 3', 2, 'was created without `counters`'],
  ['add one 10.0.0.6 comment why', 2, 'was created without `comment`'],
  ['add full 10.0.0.6 comment', 2, '`comment` needs a text'],
  ['add full 10.0.0.6 packets 281474976710656', 2, 'out of range'],
  ['add full 10.0.0.6 coment x', 2, 'did you mean `comment`'],
  ['create s port family inet', 2, 'it has no addresses'],
  ['create s net maxelem 0', 2, 'out of range'],
  ['create -s net', 2, ''],
  ['create one ip', 1, 'set `one` exists already'],
  ['add nope 10.0.0.5', 1, "Set nope doesn't exist."],
  ['add one 10.0.0.5', 1, "it's already added"],
  ['add one fd00::1', 2, 'is an IPv6 address'],
  ['add one host.example', 2, 'is a host name'],
  ['add one 10.0.0.0/24', 1, 'has 256 addresses, and set `one` has room for 2 elements'],
  ['add one 10.0.0.8/31', 1, 'set `one` is full'],
  ['add one 10.0.0.6 timeout 5', 2, 'was created without `timeout`'],
  ['add one 10.0.0.6,80', 2, 'its type has ADDRESS'],
  ['add svc 10.0.0.6,icmp:8', 2, 'a socket call has no ICMP type'],
  ['add svc 10.0.0.6,tcp:70000', 2, 'out of range'],
  ['del one 10.0.0.9', 1, "it's not added"],
  ['swap one svc', 1, "can't be swapped"],
  ['rename one svc', 1, 'exists already'],
  ['test one 10.0.0.5-10.0.0.6', 2, 'is several elements'],
])('set %s is refused', (words, status, message) => {
  write(
    'create one ip maxelem 2',
    'add one 10.0.0.5',
    'create svc ip,port',
    'create full net counters comment',
  );
  const before = place.read('rules');
  expect(place.expectStatus(['set', ...words.split(' ')], status).stderr).toContain(message);
  expect(place.read('rules')).toBe(before);
});

test('exceptions, counters and comments are words of elements', () => {
  write('create s hash:net counters comment', 'add s 10.0.0.0/8 bytes 60 packets 3');
  place.expectStatus(['set', 'add', 's', '10.9.0.0/16', 'nomatch', 'comment', 'not "these"'], 0);
  place.expectStatus(['set', 'add', 's', '10.0.0.0/8', 'comment', 'ours', '--exist'], 0);
  expect(lines()).toEqual([
    'create s hash:net counters comment',
    'add s 10.0.0.0/8 packets 3 bytes 0 comment ours',
    'add s 10.9.0.0/16 nomatch comment "not \\"these\\""',
  ]);
  expect(run('set list s').stdout).toBe(`Name: s
Type: net
Header: family inet maxelem 65536 counters comment
References: 0
Number of entries: 2
Members:
10.0.0.0/8 packets 3 bytes 0 comment ours
10.9.0.0/16 nomatch packets 0 bytes 0 comment "not \\"these\\""
`);
  expect(JSON.parse(run('set list --json').stdout)).toMatchObject([
    {
      counters: true,
      comment: true,
      elements: [
        { element: '10.0.0.0/8', packets: 3, comment: 'ours' },
        { element: '10.9.0.0/16', nomatch: true, packets: 0, comment: 'not "these"' },
      ],
    },
  ]);
  const has = (...words: readonly string[]) => place.run(['set', 'test', 's', ...words]).status;
  expect([has('10.1.0.0'), has('10.9.1.1'), has('10.9.1.1', 'nomatch')]).toEqual([0, 1, 0]);
  run('-A CONNECT -m set --match-set s dst --return-nomatch -j REJECT --reject-with EACCES');
  run('-A CONNECT -m set ! --match-set s dst -j DROP');
  const explain = (dst: string) => run(`explain CONNECT --dst ${dst}`).stdout.split('\n')[0];
  expect(['10.1.1.1', '10.9.1.1', '11.0.0.0'].map(explain)).toEqual([
    'allowed by the policy of CONNECT',
    'refused with EACCES by rule 1 of CONNECT',
    'refused with EPERM by rule 2 of CONNECT',
  ]);
  place.write('other', place.read('rules').replace(' nomatch', ''));
  expect(place.expectStatus(['diff', 'rules', 'other'], 1).stdout).toContain('10.9.0.0/16');
  write('create i ip', '-A CONNECT -m set --match-set i dst --return-nomatch -j DROP');
  expect(place.run(['check', 'rules']).stdout).toContain('no elements with `nomatch`');
});

test('what is there is no fault with -exist or -!', () => {
  write('create one ip', 'add one 10.0.0.5');
  const before = place.read('rules');
  run('set create -! one ip');
  run('set -exist add one 10.0.0.5');
  run('set del one 10.0.0.9 --exist');
  expect(place.read('rules')).toBe(before);
  place.expectStatus(['set', 'create', '-!', 'one', 'net'], 1);
});

test('answers know what a set holds', () => {
  write(
    'create s net,port',
    'add s 10.0.0.0/8,tcp:80',
    '-A CONNECT -m set ! --match-set s dst,dst -j DROP',
  );
  const explain = (dst: string) => run(`explain CONNECT --dst ${dst}`).stdout.split('\n')[0];
  expect(['10.1.1.1:80', '10.1.1.1:81', '[fd00::1]:80'].map(explain)).toEqual([
    'allowed by the policy of CONNECT',
    'refused with EPERM by rule 1 of CONNECT',
    'allowed by the policy of CONNECT',
  ]);
  place.write('other', place.read('rules').replace('tcp:80', 'tcp:81'));
  const { stdout } = place.expectStatus(['diff', 'rules', 'other'], 1);
  expect(stdout).toContain('10.0.0.0/8');
  expect(
    place.expectStatus(['query', 'accept', 'rules', '--chain', 'CONNECT'], 0).stdout,
  ).toContain('10.0.0.0/8');
});
