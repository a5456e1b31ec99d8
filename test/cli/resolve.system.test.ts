/** Host names in sets of a rule file, told by a DNS server on loopback. */
import { type DnsRecords, DnsServer } from '../harness/dnsserver.js';
import { type Ended, ended, Workplace } from './command.js';

let place: Workplace;
let dns: DnsServer;
beforeAll(async () => {
  dns = await DnsServer.start();
});
afterAll(() => dns.close());
beforeEach(() => {
  place = new Workplace({ SOCKFILTER_FILE: 'rules' });
});
afterEach(() => {
  place.remove();
  dns.records.clear();
});

const write = (...lines: readonly string[]) =>
  place.write('rules', ['*socket', ...lines, 'COMMIT', ''].join('\n'));
const adds = () =>
  place
    .read('rules')
    .split('\n')
    .filter((line) => line.startsWith('add '));
const tell = (ttl: number, ...addresses: readonly string[]): DnsRecords => ({ ttl, addresses });

/** Asks the server of the test, which answers while the command runs. */
async function run(words: string, status = 0): Promise<Ended> {
  const end = await ended(place.start(['set', ...words.split(' '), '--server', dns.address]));
  expect([end.stdout + end.stderr, end.status]).toEqual([end.stdout + end.stderr, status]);
  return end;
}

test('a set without timeouts has what is told, by every name that has it', async () => {
  write('create web net counters comment', 'add web 10.0.0.9 comment "by hand"');
  dns.records.set('a.example A', tell(300, '10.0.0.1', '10.0.0.2', '10.0.0.9'));
  dns.records.set('b.example A', tell(300, '10.0.0.2'));
  const refused = await run('add web a.example --resolve', 1);
  expect(refused.stderr).toContain('10.0.0.9, an address of `a.example`, is already in set `web`');
  const { stdout } = await run('add web A.example. --resolve --exist');
  expect(stdout).toBe(
    'a.example in set web: 10.0.0.1, 10.0.0.2, 10.0.0.9; they stay until `sockfilter set refresh web` finds others\n',
  );
  await run('add web b.example --resolve');
  const byHand = 'add web 10.0.0.9 comment "by hand"';
  expect(adds()).toEqual([
    byHand,
    'add web 10.0.0.1 comment "resolved:a.example"',
    'add web 10.0.0.2 comment "resolved:a.example,b.example"',
  ]);
  expect((await run('add web b.example --resolve', 1)).stderr).toContain('already in set');
  dns.records.set('a.example A', tell(300, '10.0.0.3'));
  const refreshed = await run('refresh web');
  expect(refreshed.stdout).toBe(
    'a.example in set web: put 10.0.0.3, 10.0.0.2; removed 10.0.0.1\nb.example in set web: as it was\n',
  );
  const now = [
    byHand,
    'add web 10.0.0.2 comment "resolved:b.example"',
    'add web 10.0.0.3 comment "resolved:a.example"',
  ];
  expect(adds().toSorted()).toEqual(now.toSorted());
});

test('a name for which nothing is told keeps what it has, and the others go on', async () => {
  write(
    'create web ip comment',
    ...['a', 'b', 'c', 'd', 'e', 'f'].map(
      (name, n) => `add web 10.0.0.${n} comment "resolved:${name}.example"`,
    ),
  );
  dns.records.set('a.example A', tell(5, '10.0.0.7'));
  dns.records.set('f.example A', tell(5, '10.0.0.6'));
  dns.records.set('b.example A', tell(5));
  dns.records.set('c.example A', 'silent');
  dns.records.set('e.example A', 'refused');
  // What answers at once later on, while the test's server can't.
  place.expectStatus(['set', 'list'], 0);
  const asked = dns.nextQuestion();
  const refreshed = run('refresh', 4);
  // Who waits for DNS keeps nobody from the file.
  await asked;
  place.expectStatus(['set', 'del', 'web', '10.0.0.5'], 0);
  const { stdout, stderr } = await refreshed;
  expect(stdout).toBe('a.example in set web: put 10.0.0.7; removed 10.0.0.0\n');
  const told = (name: string, reason: string) =>
    `set \`web\` keeps what it has of \`${name}.example\`: no A record of \`${name}.example\` from DNS server ${dns.address}: ${reason}\n`;
  expect(stderr).toContain(told('b', 'the name has none'));
  expect(stderr).toContain(told('c', 'no answer came in time'));
  expect(stderr).toContain(told('d', 'there is no such name'));
  expect(stderr).toContain(told('e', 'it refuses to answer'));
  expect(adds()).toEqual([
    ...['b', 'c', 'd', 'e'].map(
      (name, n) => `add web 10.0.0.${n + 1} comment "resolved:${name}.example"`,
    ),
    'add web 10.0.0.7 comment "resolved:a.example"',
  ]);
});

test('where elements have times one lives as long as its record, and no shorter than the set says', async () => {
  write(
    'create short ip family inet6 timeout 60 comment',
    'create none net family inet6 timeout 0 comment',
  );
  dns.records.set('a.example AAAA', tell(30, 'fd00::1'));
  dns.records.set('b.example AAAA', tell(3600, 'fd00::2'));
  dns.records.set('c.example AAAA', tell(0, 'fd00::3'));
  const { stdout } = await run('add short a.example --resolve');
  expect(stdout).toBe('a.example in set short: fd00::1 for 60 s\n');
  await run('add short b.example --resolve');
  await run('add none c.example --resolve');
  // The longer of two names' records.
  dns.records.set('d.example AAAA', tell(30, 'fd00::2'));
  await run('add short d.example --resolve');
  const before = [
    'add short fd00::1 timeout 60 comment "resolved:a.example"',
    'add short fd00::2 timeout 3600 comment "resolved:b.example,d.example"',
    'add none fd00::3 timeout 1 comment "resolved:c.example"',
  ];
  expect(adds().toSorted()).toEqual(before.toSorted());
  dns.records.set('b.example AAAA', tell(90, 'fd00::4'));
  await run('refresh short');
  const after = [...before, 'add short fd00::4 timeout 90 comment "resolved:b.example"'];
  expect(adds().toSorted()).toEqual(after.toSorted());
});

test('what can not be is refused, and nothing has changed', async () => {
  write(
    'create plain ip',
    'create svc ip,port comment',
    'create two ip maxelem 2 comment',
    'add two 10.0.0.9 comment "resolved:full.example"',
    'create six ip family inet6 comment',
  );
  dns.records.set('full.example A', tell(5, '10.0.0.1', '10.0.0.2', '10.0.0.3'));
  dns.records.set('full.example AAAA', tell(5, '::ffff:10.0.0.1'));
  const before = place.read('rules');
  const label = 'x'.repeat(63);
  const long = `${label}.${label}.${label}.${'y'.repeat(61)}`;
  dns.records.set(`${long} A`, tell(5, '10.0.0.9'));
  const told: readonly (readonly [string, number, string])[] = [
    ['add two a.example --resolve', 4, 'there is no such name'],
    ['add two full.example --resolve', 1, '`full.example`: set `two` is full'],
    ['refresh two', 1, 'set `two` keeps what it has of `full.example`: set `two` is full'],
    ['add six full.example --resolve', 1, 'and no call of IPv6 has it'],
    [`add two ${long} --resolve`, 1, 'would have more than 255 bytes'],
  ];
  for (const [words, status, message] of told)
    expect((await run(words, status)).stderr).toContain(message);
  const refused: readonly (readonly [string, number, string])[] = [
    ['add plain a.example --resolve', 1, 'was created without `comment`'],
    ['add svc a.example --resolve', 1, 'set `svc` is of type ip,port'],
    ['add nope a.example --resolve', 1, 'No set by the name `nope`'],
    ['add two a.example --server 10.0.0.53', 2, '`--server` is for `--resolve`'],
    ['add two a.example comment --resolve', 2, "`comment` can't stand beside `--resolve`"],
    ['add two 10.0.0.5 --resolve', 2, '`10.0.0.5` is an address'],
    ['add two 10.0.5 --resolve', 2, '`10.0.5` is no host name'],
    ['add two a..example --resolve', 2, '`a..example` is no host name'],
    ['add two a.example,b --resolve', 2, '`a.example,b` is no host name'],
    ['refresh six', 1, 'set `six` has no host name'],
  ];
  for (const [words, status, message] of refused)
    expect(place.expectStatus(['set', ...words.split(' ')], status).stderr).toContain(message);
  expect(place.read('rules')).toBe(before);
  for (const server of ['host.example', '10.0.0.53:0', '10.0.0.53:65536', 'fd00::1:x']) {
    const words = ['set', 'refresh', 'two', '--server', server];
    expect(place.expectStatus(words, 2).stderr).toContain(`invalid address \`${server}\` of a DNS`);
  }
  const closed = await DnsServer.start();
  const { address } = closed;
  closed.close();
  const words = ['set', 'add', 'two', 'a.example', '--resolve', '--server', address];
  expect(place.expectStatus(words, 4).stderr).toContain(`from DNS server ${address}: it could not`);
});
