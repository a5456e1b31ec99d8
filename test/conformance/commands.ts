/** Generated commands in the words that iptables and sockfilter share, sound and unsound. */
import fc, { type Arbitrary } from 'fast-check';

export type Family = 4 | 6;

const ADDRESSES: Readonly<Record<Family, readonly string[]>> = {
  4: [
    ...['10.0.0.5', '10.0.0.0/8', '10/8', '192.168.1.7/255.255.0.0', '0/0', '10.1.2.3/33', '1.2.3'],
    ...['10.0.0.1/255.0.255.0', '10.0.0.1,10.0.0.2', '256.1.1.1', '10.0.0.0/8,192.168.0.0/16'],
  ],
  6: [
    ...['fd00::1', 'fd00::/8', '2001:db8::5/ffff:ffff::', '::/0', 'fd00::1/129', 'fd00:::1'],
    ...['fd00::1,fd00::2', '2001:DB8::1', '::1/0'],
  ],
};
const RANGES: Readonly<Record<Family, readonly string[]>> = {
  4: ['10.0.0.1-10.0.0.9', '10.0.0.9-10.0.0.1', '10.0.0.1', '10.0.0.1-'],
  6: ['fd00::1-fd00::9', 'fd00::9-fd00::1', 'fd00::1'],
};
const PORTS = [
  '80',
  '80:90',
  '90:80',
  ':1023',
  '1024:',
  '0:65535',
  '65536',
  'ssh',
  '0x50',
  '',
  '80:',
];
const LISTS = ['80,443', '80', '80,90:100', '443,80', '80,', 'ssh,http', '80,70000'];
const FLAGS = ['FIN,SYN,RST,ACK SYN', 'ALL NONE', 'SYN SYN,ACK', 'SYN FOO', 'syn syn', 'ALL SYN'];
const OWNERS = ['0', '1000-2000', '2000-1000', 'root', 'nosuch', '4294967295'];
const COMMENTS = ['why', 'two words', "it's", 'a "quote"', ''];
const TARGETS = ['ACCEPT', 'DROP', 'RETURN', 'web', 'zeta', 'OUTPUT', 'nowhere', 'accept'];

const pick = <T>(...values: readonly T[]) => fc.constantFrom(...values);
/** Often it is not there. */
const some = (words: Arbitrary<readonly string[]>): Arbitrary<readonly string[]> =>
  fc.oneof({ weight: 3, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: words });

function option(names: readonly string[], values: readonly string[]): Arbitrary<readonly string[]> {
  return fc
    .tuple(pick(...names), pick(...values), fc.nat(4))
    .map(([name, value, not]) => [...(not === 0 ? ['!'] : []), name, ...value.split(' ')]);
}

function protocol(family: Family): Arbitrary<readonly string[]> {
  const icmp = family === 4 ? 'icmp' : 'ipv6-icmp';
  const ports = option(['--dport', '--sport', '--destination-port'], PORTS);
  const lists = option(['--dports', '--sports', '--ports'], LISTS).map((each) => [
    '-m',
    'multiport',
    ...each,
  ]);
  const tcp = fc.oneof(
    option(['--tcp-flags'], FLAGS),
    fc.constant(['--syn']),
    fc.constant(['!', '--syn']),
  );
  return fc.oneof(
    fc
      .tuple(pick('tcp', 'TCP', '6'), some(ports), some(tcp))
      .map(([name, ...more]) => ['-p', name, ...more.flat()]),
    fc.tuple(some(ports), some(ports)).map((more) => ['-p', 'udp', ...more.flat()]),
    lists.map((more) => ['-p', 'tcp', ...more]),
    pick(icmp, 'all', '0', '17', 'nosuch', '300').map((name) => ['-p', name]),
    pick('tcp', 'udp', icmp).map((name) => ['!', '-p', name]),
    ports,
  );
}

function rule(family: Family): Arbitrary<readonly string[]> {
  return fc
    .tuple(
      some(option(['-s', '--source', '--src'], ADDRESSES[family])),
      some(option(['-d', '--destination', '--dst'], ADDRESSES[family])),
      some(protocol(family)),
      some(
        option(['--src-range', '--dst-range'], RANGES[family]).map((each) => [
          '-m',
          'iprange',
          ...each,
        ]),
      ),
      some(option(['--uid-owner', '--gid-owner'], OWNERS).map((each) => ['-m', 'owner', ...each])),
      some(pick(...COMMENTS).map((text) => ['-m', 'comment', '--comment', text])),
      fc.tuple(pick('-j', '-j', '-j', '-g', '--jump'), pick(...TARGETS)),
    )
    .map((parts) => parts.flat());
}

const CHAINS = ['OUTPUT', 'OUTPUT', 'web', 'zeta', 'nowhere'];
const NUMBERS = ['1', '2', '3', '0', '99', '-1', 'x'];

/** One command, word by word. */
export function commands(family: Family): Arbitrary<readonly string[]> {
  const chain = pick(...CHAINS);
  const number = pick(...NUMBERS);
  const own = rule(family);
  return fc.oneof(
    {
      weight: 8,
      arbitrary: fc.tuple(pick('-A', '--append'), chain, own).map((each) => each.flat()),
    },
    { weight: 2, arbitrary: fc.tuple(fc.constant('-I'), chain, own).map((each) => each.flat()) },
    {
      weight: 2,
      arbitrary: fc.tuple(fc.constant('-I'), chain, number, own).map((each) => each.flat()),
    },
    { weight: 2, arbitrary: fc.tuple(fc.constant('-D'), chain, own).map((each) => each.flat()) },
    { weight: 2, arbitrary: fc.tuple(fc.constant('-C'), chain, own).map((each) => each.flat()) },
    { weight: 2, arbitrary: fc.tuple(fc.constant('-D'), chain, number) },
    {
      weight: 2,
      arbitrary: fc.tuple(fc.constant('-R'), chain, number, own).map((each) => each.flat()),
    },
    {
      weight: 1,
      arbitrary: fc.tuple(pick('-N', '-X'), pick('web', 'zeta', 'new', 'OUTPUT', '-x', 'DROP')),
    },
    {
      weight: 1,
      arbitrary: fc.tuple(
        fc.constant('-E'),
        pick('web', 'new', 'OUTPUT'),
        pick('zeta', 'other', 'web'),
      ),
    },
    {
      weight: 1,
      arbitrary: fc.tuple(
        fc.constant('-P'),
        pick('OUTPUT', 'web', 'nowhere'),
        pick('ACCEPT', 'DROP', 'REJECT', 'drop'),
      ),
    },
    {
      weight: 1,
      arbitrary: fc.tuple(pick('-F', '-Z', '-S', '-L'), pick('OUTPUT', 'web', 'nowhere')),
    },
    { weight: 1, arbitrary: fc.tuple(fc.constant('-Z'), pick('OUTPUT', 'web'), number) },
  );
}
