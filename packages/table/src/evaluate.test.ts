import { isBuiltinChain } from './chains.js';
import { counterOwners } from './counter.js';
import { appendRules, newChain, setPolicy } from './edit.js';
import { evaluate } from './evaluate.js';
import type { MatchOption } from './match.js';
import type { MatchName } from './matches.js';
import type { Packet } from './packet.js';
import type { Policy } from './policy.js';
import { EMPTY_TABLE, type Rule, type Table } from './table.js';
import type { Target } from './targets.js';
import type { Value } from './value.js';

const connect: Packet = {
  chain: 'CONNECT',
  group: 3,
  family: 4,
  protocol: 6,
  source: 0x0a090901n,
  destination: 0x0a090902n,
  sourcePort: 1024,
  destinationPort: 443,
  flags: 2,
  uid: 1000,
  gid: 100,
  mark: 0,
};
const accept: Packet = { ...connect, chain: 'ACCEPT' };
const bind: Packet = { ...connect, chain: 'BIND', source: 0n, sourcePort: 0, flags: 0 };
const connect6: Packet = { ...connect, family: 6, source: 1n, destination: 0xfd00n << 112n };

/** `accept`, `drop`, `return`, `jump a`, `goto a`, an errno to reject with, or `count`. */
function target(word: string): Target | undefined {
  const [kind, chain = ''] = word.split(' ');
  switch (kind) {
    case 'count':
      return undefined;
    case 'accept':
    case 'drop':
    case 'return':
      return { kind };
    case 'jump':
    case 'goto':
      return { kind, chain };
    case 'ECONNREFUSED':
    case 'EACCES':
      return { kind: 'reject', errno: kind };
    default:
      throw new TypeError(word);
  }
}

/** A leading `-` makes a rule that does not match the packets here. */
function rule(word: string): Rule {
  const never = word.startsWith('-');
  const value = { kind: 'groupRange', from: 99, to: 99 } as const;
  return {
    matches: never ? [{ name: 'cgroup', options: [{ name: 'id', negated: false, value }] }] : [],
    target: target(never ? word.slice(1) : word),
    packets: 0n,
  };
}

function build(chains: Readonly<Record<string, readonly string[]>>, policy: Policy): Table {
  const names = Object.keys(chains).filter((name) => !isBuiltinChain(name));
  return Object.entries(chains).reduce(
    (table, [name, words]) => appendRules(table, name, words.map(rule)),
    setPolicy(names.reduce(newChain, EMPTY_TABLE), 'CONNECT', policy),
  );
}

/** What was counted, in order, as `CHAIN NUMBER`; the policy's number is one past the last rule. */
function way(table: Table, packet: Packet): { errno: number; counted: readonly string[] } {
  const { errno, decider, counted } = evaluate(table, packet);
  expect(decider).toBe(counted.at(-1));
  const owners = counterOwners(table);
  return {
    errno,
    counted: counted.map((index) => `${owners[index]?.chain.name} ${owners[index]?.number}`),
  };
}

describe('walking', () => {
  test.each<
    [string, Readonly<Record<string, readonly string[]>>, Policy, number, readonly string[]]
  >([
    ['the policy ACCEPT', { CONNECT: [] }, 'ACCEPT', 0, ['CONNECT 1']],
    ['the policy DROP', { CONNECT: [] }, 'DROP', 1, ['CONNECT 1']],
    ['the first that decides', { CONNECT: ['drop', 'accept'] }, 'ACCEPT', 1, ['CONNECT 1']],
    ['what does not match', { CONNECT: ['-drop', 'accept'] }, 'DROP', 0, ['CONNECT 2']],
    ['an errno', { CONNECT: ['ECONNREFUSED'] }, 'ACCEPT', 111, ['CONNECT 1']],
    ['another errno', { CONNECT: ['EACCES'] }, 'ACCEPT', 13, ['CONNECT 1']],
    [
      'a rule that only counts',
      { CONNECT: ['count', 'count', 'drop'] },
      'ACCEPT',
      1,
      ['CONNECT 1', 'CONNECT 2', 'CONNECT 3'],
    ],
    [
      'return in a built-in chain: the policy',
      { CONNECT: ['return', 'drop'] },
      'ACCEPT',
      0,
      ['CONNECT 1', 'CONNECT 3'],
    ],
    ['other chains play no part', { BIND: ['drop'], CONNECT: [] }, 'ACCEPT', 0, ['CONNECT 1']],
    [
      'a jump that decides',
      { CONNECT: ['jump a', 'accept'], a: ['drop'] },
      'ACCEPT',
      1,
      ['CONNECT 1', 'a 1'],
    ],
    [
      'a jump comes back at the end',
      { CONNECT: ['jump a', 'drop'], a: ['-accept'] },
      'ACCEPT',
      1,
      ['CONNECT 1', 'CONNECT 2'],
    ],
    [
      'a jump comes back at return',
      { CONNECT: ['jump a', 'drop'], a: ['return', 'accept'] },
      'ACCEPT',
      1,
      ['CONNECT 1', 'a 1', 'CONNECT 2'],
    ],
    [
      'return leaves one chain only',
      { CONNECT: ['jump a', 'drop'], a: ['jump b', 'accept'], b: ['return', 'drop'] },
      'DROP',
      0,
      ['CONNECT 1', 'a 1', 'b 1', 'a 2'],
    ],
    [
      'a goto from a built-in chain ends with the policy',
      { CONNECT: ['goto a', 'accept'], a: ['count'] },
      'DROP',
      1,
      ['CONNECT 1', 'a 1', 'CONNECT 3'],
    ],
    [
      'return after such a goto too',
      { CONNECT: ['goto a', 'accept'], a: ['return', 'accept'] },
      'DROP',
      1,
      ['CONNECT 1', 'a 1', 'CONNECT 3'],
    ],
    [
      'a goto that decides',
      { CONNECT: ['goto a', 'accept'], a: ['drop'] },
      'ACCEPT',
      1,
      ['CONNECT 1', 'a 1'],
    ],
    [
      'a goto in a chain that was jumped to ends at the jump',
      { CONNECT: ['jump a', 'drop'], a: ['goto b', 'accept'], b: ['count'] },
      'ACCEPT',
      1,
      ['CONNECT 1', 'a 1', 'b 1', 'CONNECT 2'],
    ],
    [
      'return behind that goto too',
      { CONNECT: ['jump a', 'drop'], a: ['goto b', 'accept'], b: ['return', 'accept'] },
      'ACCEPT',
      1,
      ['CONNECT 1', 'a 1', 'b 1', 'CONNECT 2'],
    ],
    [
      'a jump behind a goto comes back to the chain that was gone to',
      { CONNECT: ['goto a', 'accept'], a: ['jump b', 'drop'], b: ['return'] },
      'ACCEPT',
      1,
      ['CONNECT 1', 'a 1', 'b 1', 'a 2'],
    ],
    [
      'goto after goto',
      { CONNECT: ['jump a', 'drop'], a: ['goto b'], b: ['goto c', 'accept'], c: [] },
      'ACCEPT',
      1,
      ['CONNECT 1', 'a 1', 'b 1', 'CONNECT 2'],
    ],
    [
      'a chain that is jumped to twice',
      { CONNECT: ['jump a', 'jump a', 'drop'], a: ['count'] },
      'ACCEPT',
      1,
      ['CONNECT 1', 'a 1', 'CONNECT 2', 'a 1', 'CONNECT 3'],
    ],
  ])('%s', (_, chains, policy, errno, counted) => {
    expect(way(build(chains, policy), connect)).toEqual({ errno, counted });
  });

  test('a chain that is not there can not be walked', () => {
    expect(() => evaluate(build({ CONNECT: ['jump nope'] }, 'ACCEPT'), connect)).toThrow(
      'no chain nope',
    );
  });
});

describe('matching', () => {
  const option = (name: string, value: Value, negated = false): MatchOption => ({
    name,
    value,
    negated,
  });
  const network = (family: 4 | 6, address: bigint, mask: bigint): Value => ({
    kind: 'network',
    family,
    address,
    mask,
  });
  const ports = (from: number, to = from): Value => ({ kind: 'portRange', from, to });
  const list = (...numbers: readonly number[]): Value => ({
    kind: 'portList',
    ranges: numbers.map((port) => ({ from: port, to: port })),
  });
  const host1 = network(4, 0x0a090901n, 0xffffffffn);
  const host2 = network(4, 0x0a090902n, 0xffffffffn);
  const anywhere = network(4, 0n, 0n);
  /** The last byte alone is looked at. */
  const holes = network(4, 0x2n, 0xffn);
  const none: Value = { kind: 'none' };
  const ids = (from: number, to = from): Value => ({ kind: 'groupRange', from, to });
  const owner = (from: number, to = from): Value => ({ kind: 'ownerRange', from, to });
  const path = (text: string): Value => ({ kind: 'groupPath', path: text });
  const flags = (mask: number, set: number): Value => ({ kind: 'tcpFlags', mask, set });
  const between = (from: bigint, to: bigint): Value => ({
    kind: 'addressRange',
    family: 4,
    from,
    to,
  });
  const protocol = (number: number): Value => ({ kind: 'protocol', protocol: number });

  test.each<[boolean, Packet, MatchName, MatchOption]>([
    [true, connect, 'ip', option('destination', host2)],
    [false, connect, 'ip', option('destination', host1)],
    [true, connect, 'ip', option('destination', host1, true)],
    [true, connect, 'ip', option('source', host1)],
    [true, connect, 'ip', option('destination', holes)],
    [false, connect, 'ip', option('source', holes)],
    [true, connect, 'ip', option('source', anywhere)],
    [false, connect6, 'ip', option('source', anywhere)],
    [false, connect6, 'ip', option('destination', host1, true)],
    [false, connect, 'ip', option('destination', anywhere, true)],
    [true, connect6, 'ip', option('destination', network(6, 0xfd00n << 112n, 0xffn << 120n))],
    [true, connect, 'ip', option('ipv4', none)],
    [false, connect, 'ip', option('ipv6', none)],
    [true, connect6, 'ip', option('ipv6', none)],
    [true, connect, 'ip', option('protocol', protocol(6))],
    [false, connect, 'ip', option('protocol', protocol(17))],
    [true, connect, 'ip', option('protocol', protocol(17), true)],
    [true, connect, 'ip', option('protocol', protocol(0))],
    [true, connect, 'tcp', option('dport', ports(443))],
    [true, connect, 'tcp', option('sport', ports(1000, 1024))],
    [false, connect, 'tcp', option('sport', ports(1025, 65535))],
    [true, connect, 'tcp', option('dport', ports(80), true)],
    [true, connect, 'tcp', option('tcp-flags', flags(0x17, 0x02))],
    [false, bind, 'tcp', option('tcp-flags', flags(0x17, 0x02))],
    [false, connect, 'tcp', option('tcp-flags', flags(0x02, 0x10))],
    [true, connect, 'multiport', option('dports', list(80, 443))],
    [false, connect, 'multiport', option('sports', list(80, 443))],
    [true, connect, 'multiport', option('ports', list(80, 443))],
    [true, connect, 'multiport', option('ports', list(80, 1024))],
    [false, connect, 'multiport', option('ports', list(80, 443), true)],
    [true, connect, 'multiport', option('ports', list(80, 81), true)],
    [true, connect, 'iprange', option('dst-range', between(0x0a090902n, 0x0a0909ffn))],
    [false, connect, 'iprange', option('src-range', between(0x0a090902n, 0x0a0909ffn))],
    [false, connect6, 'iprange', option('src-range', between(0n, 9n), true)],
    [true, connect, 'cgroup', option('id', ids(3))],
    [true, connect, 'cgroup', option('id', ids(2, 9))],
    [false, connect, 'cgroup', option('id', ids(0))],
    [true, { ...connect, group: 0 }, 'cgroup', option('id', ids(0))],
    [true, connect, 'cgroup', option('id', ids(4), true)],
    [true, connect, 'cgroup', option('path', path('/web'))],
    [true, connect, 'cgroup', option('path', path('/'))],
    [false, connect, 'cgroup', option('path', path('/web/worker'))],
    [true, { ...connect, group: 4 }, 'cgroup', option('path', path('/web'))],
    [false, connect, 'cgroup', option('path', path('/nowhere'))],
    [true, connect, 'cgroup', option('path', path('/nowhere'), true)],
    [true, connect, 'owner', option('uid-owner', owner(1000))],
    [false, connect, 'owner', option('uid-owner', owner(0, 999))],
    [true, connect, 'owner', option('gid-owner', owner(0), true)],
    [true, connect, 'comment', option('comment', { kind: 'text', text: 'said' })],
    [true, connect, 'socket', option('local', host1)],
    [true, connect, 'socket', option('remote', host2)],
    [false, connect, 'socket', option('remote', host1)],
    [true, accept, 'socket', option('local', host2)],
    [true, accept, 'socket', option('remote', host1)],
    [false, accept, 'socket', option('local', host1)],
    [true, accept, 'socket', option('local', host1, true)],
    [false, connect, 'socket', option('local', host1, true)],
    [true, bind, 'socket', option('local', host2)],
    [true, connect, 'socket', option('local-port', ports(1024))],
    [true, accept, 'socket', option('local-port', ports(443))],
    [true, connect, 'socket', option('remote-port', ports(443))],
    [true, accept, 'socket', option('remote-port', ports(1024))],
    [false, accept, 'socket', option('remote-port', ports(1024), true)],
    [false, connect6, 'socket', option('local', host1, true)],
  ])('%s for %o with -m %s %o', (expected, packet, name, chosen) => {
    const groups = [
      { name: 'web', id: 3, path: '/web' },
      { name: 'worker', id: 4, path: '/web/worker' },
    ];
    const drop: Rule = {
      matches: [{ name, options: [chosen] }],
      target: { kind: 'drop' },
      packets: 0n,
    };
    const table = appendRules({ ...EMPTY_TABLE, groups }, packet.chain, [drop]);
    expect(evaluate(table, packet).errno).toBe(expected ? 1 : 0);
  });

  test('all options of all matches must hold', () => {
    const both = (uid: number, port: number): Rule => ({
      matches: [
        { name: 'owner', options: [option('uid-owner', owner(uid))] },
        { name: 'tcp', options: [option('sport', ports(1024)), option('dport', ports(port))] },
      ],
      target: { kind: 'drop' },
      packets: 0n,
    });
    const errno = (each: Rule) =>
      evaluate(appendRules(EMPTY_TABLE, 'CONNECT', [each]), connect).errno;
    expect([both(1000, 443), both(1, 443), both(1000, 80)].map(errno)).toEqual([1, 0, 0]);
  });
});

test('counters are numbered by chain, rules before the policy', () => {
  const table = build({ CONNECT: ['count', 'drop'], a: ['accept'] }, 'DROP');
  expect(counterOwners(table).map(({ chain, number }) => `${chain.name} ${number}`)).toEqual([
    'BIND 1',
    'ACCEPT 1',
    'CONNECT 1',
    'CONNECT 2',
    'CONNECT 3',
    'SENDTO 1',
    'RECVFROM 1',
    'a 1',
  ]);
});

test.each([
  [undefined, 0, 65_535, 5n],
  [undefined, 2 ** 32 - 1, 0, 8n],
  [true, 0, 65_535, 8n],
  [true, 2 ** 32 - 1, 0, 5n],
])(
  'of several destinations the one that was drawn: persistent %s',
  (persistent, chance, persistence, reached) => {
    const address = { family: 4, first: 5n, last: 8n } as const;
    const target: Target = persistent
      ? { kind: 'dnat', address, persistent }
      : { kind: 'dnat', address };
    const table = appendRules(EMPTY_TABLE, 'CONNECT', [{ matches: [], target, packets: 0n }]);
    const { packet } = evaluate(table, { ...connect, chance, persistence });
    expect(packet.destination).toBe(reached);
  },
);
