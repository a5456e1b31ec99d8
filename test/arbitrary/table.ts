/**
 * Random valid tables, and packets that meet their rules.
 *
 * Both draw from the same few values, packets from their neighbours too, so that rules really match
 * and interval boundaries are tried on both sides.
 */
import {
  ADDRESS_TYPES,
  BUILTIN_CHAINS,
  type BuiltinChain,
  CHAINS,
  type Chain,
  type Detail,
  describeDetail,
  detailRecord,
  type Family,
  flagsOf,
  type Group,
  impossible,
  MATCHES,
  MAX_MARK,
  MAX_OWNER_ID,
  type Match,
  type MatchDescriptor,
  type MatchName,
  type MatchOption,
  type Packet,
  PORT_PROTOCOLS,
  PROTOCOL,
  type RejectErrno,
  type Rule,
  type Table,
  type Target,
  type Value,
} from '@sockfilter/table';
import fc, { type Arbitrary } from 'fast-check';

const ADDRESSES: Readonly<Record<Family, readonly bigint[]>> = {
  4: [
    0n,
    0x7f000001n,
    0x0a000000n,
    0x0a000005n,
    0x0a000100n,
    0x0a010005n,
    0xc0a80101n,
    0xffffffffn,
  ],
  6: [
    0n,
    1n,
    0x20010db8_00000000_00000000_00000000n,
    0x20010db8_00000000_00000000_00010001n,
    0x20010db8_00010000_00000000_00000001n,
    0xfe800000_00000000_02000000_00000001n,
    0xffffffff_ffffffff_ffffffff_ffffffffn,
  ],
};
const MASKS: Readonly<Record<Family, readonly bigint[]>> = {
  4: [
    0xffffffffn,
    0xffffff00n,
    0xffff0000n,
    0xff000000n,
    0xff00ff00n,
    0x0000_00ffn,
    0xfe0100f1n,
    0n,
  ],
  6: [
    0xffffffff_ffffffff_ffffffff_ffffffffn,
    0xffffffff_ffffffff_00000000_00000000n,
    0xffffffff_0000ffff_00000000_0000fffen,
    0xfffffff0_00000000_00000000_00000000n,
    0x00000000_00000000_00000000_0000000fn,
    0n,
  ],
};
const PORTS = [0, 1, 53, 80, 443, 1024, 32768, 65535];
const GROUP_IDS = [0, 1, 3, 7, 65535, 65536, 70000, 2 ** 32 - 1];
const OWNERS = [0, 1, 1000, 65534, 65536, 100000, MAX_OWNER_ID];
const MARKS = [0, 1, 0x10, 0x11, 0x1234_0010, MAX_MARK];
const GROUP_PATHS = ['/', '/web', '/web/a', '/web/b', '/webs', '/db'];

const { tcp, udp, udplite, icmp, icmpv6 } = PROTOCOL;

/** Where a rule stands, as far as it limits what the rule may say. */
interface Place {
  /** The built-in chain itself, undefined for a user chain. */
  readonly builtin: BuiltinChain | undefined;
  /** Reached from CONNECT and SENDTO at most. */
  readonly outward: boolean;
  readonly callable: readonly string[];
}

const anyFamily: Arbitrary<Family> = fc.constantFrom<Family>(4, 6);

function rangeOf(values: readonly number[]): Arbitrary<{ from: number; to: number }> {
  return fc
    .tuple(fc.constantFrom(...values), fc.constantFrom(...values), fc.boolean())
    .map(([a, b, single]) => ({
      from: Math.min(a, b),
      to: single ? Math.min(a, b) : Math.max(a, b),
    }));
}

const portRange: Arbitrary<Value> = rangeOf(PORTS).map((r) => ({ kind: 'portRange', ...r }));
const portList: Arbitrary<Value> = fc
  .array(rangeOf(PORTS), { minLength: 1, maxLength: 4 })
  .map((ranges) => ({ kind: 'portList', ranges }));
/** Words of each detail, and values at them. */
const DETAIL_WORDS: Readonly<Record<Detail, readonly string[]>> = {
  netns: ['1', '65535', '65536-4026531840', '4294967295'],
  device: ['lo', 'l+', 'eth0', 'eth0.1', 'eth+', 'abcdefghijklmno'],
  comm: ['sh', 'shh', 'nginx', 'a b', 'abcdefghijklmno'],
};

const detail = (name: Detail): Arbitrary<Value> =>
  fc.constantFrom(...DETAIL_WORDS[name]).map((word) => ({ kind: 'detail', detail: name, word }));

/** Values that a packet of the chain can have there: none, and at both ends of each word. */
function detailValue(name: Detail, chain: BuiltinChain): Arbitrary<bigint> {
  const { absent, read } = describeDetail(name);
  if (absent[chain] !== undefined) return fc.constant(0n);
  const ends = DETAIL_WORDS[name].flatMap((word) => {
    const [from = 0n, to = 0n] = read(word) ?? [];
    return name === 'netns' ? [from, to] : [from, to & ~0xffn];
  });
  return fc.constantFrom(0n, 0n, ...ends);
}

const addressTypes: Arbitrary<Value> = fc
  .subarray([...ADDRESS_TYPES], { minLength: 1 })
  .map((types) => ({ kind: 'addressTypes', types }));
const marks: Arbitrary<Value> = fc
  .tuple(fc.constantFrom(...MARKS), fc.constantFrom(MAX_MARK, 1, 0x11, 0xffff_0000, 0))
  .map(([value, mask]) => ({ kind: 'mark', value, mask }));
const ownerRange: Arbitrary<Value> = rangeOf(OWNERS).map((r) => ({ kind: 'ownerRange', ...r }));

function network(family: Family): Arbitrary<Value> {
  return fc
    .tuple(fc.constantFrom(...ADDRESSES[family]), fc.constantFrom(...MASKS[family]))
    .map(([address, mask]) => ({ kind: 'network', family, address: address & mask, mask }));
}

function addressRange(family: Family): Arbitrary<Value> {
  const one = fc.constantFrom(...ADDRESSES[family]);
  return fc
    .tuple(one, one)
    .map(([a, b]) => (a < b ? ([a, b] as const) : ([b, a] as const)))
    .map(([from, to]) => ({ kind: 'addressRange', family, from, to }));
}

/** A match with some of the options, each at so many percent; undefined when none is chosen though one is needed. */
function matchOf(
  name: MatchName,
  options: Readonly<Record<string, Arbitrary<Value>>>,
  percent = 50,
): Arbitrary<Match | undefined> {
  const descriptor: MatchDescriptor = MATCHES[name];
  const choices = Object.entries(descriptor.options).flatMap(([option, { negatable }]) => {
    const values = options[option];
    if (!values) return [];
    return fc
      .tuple(fc.noBias(fc.nat(99)), fc.nat(3), values)
      .map(([roll, negate, value]): MatchOption | undefined => {
        return roll < percent
          ? { name: option, negated: negatable && negate === 0, value }
          : undefined;
      });
  });
  return fc.tuple(...choices).map((chosen) => {
    const present: MatchOption[] = [];
    for (const option of chosen) {
      if (!option) continue;
      const rivals = descriptor.exclusive?.find((set) => set.includes(option.name)) ?? [];
      if (!present.some(({ name: other }) => rivals.includes(other))) present.push(option);
    }
    if (descriptor.needsOption && present.length === 0) return undefined;
    return { name, options: present };
  });
}

function portMatch(protocol: number, { builtin }: Place): Arbitrary<Match | undefined> {
  const source: Record<string, Arbitrary<Value>> = builtin === 'BIND' ? {} : { sport: portRange };
  const options = { ...source, dport: portRange };
  if (protocol === udp) return matchOf('udp', options);
  if (protocol === udplite) return matchOf('udplite', options);
  const flags = fc
    .tuple(fc.constantFrom(0x02, 0x12, 0x3f, 0x10), fc.nat(0x3f))
    .map(([mask, set]): Value => ({ kind: 'tcpFlags', mask, set: set & mask }));
  return matchOf('tcp', { ...options, 'tcp-flags': flags });
}

function multiport({ builtin }: Place): Arbitrary<Match | undefined> {
  return fc
    .constantFrom(...(builtin === 'BIND' ? ['dports'] : ['sports', 'dports', 'ports']))
    .chain((option) => matchOf('multiport', { [option]: portList }, 100));
}

const cgroup = fc.constantFrom('id', 'path').chain((option) =>
  matchOf(
    'cgroup',
    option === 'id'
      ? { id: rangeOf(GROUP_IDS).map((r): Value => ({ kind: 'groupRange', ...r })) }
      : {
          path: fc.constantFrom(...GROUP_PATHS).map((path): Value => ({ kind: 'groupPath', path })),
        },
    100,
  ),
);

const comment: Arbitrary<Match | undefined> = fc.constant({
  name: 'comment',
  options: [{ name: 'comment', negated: false, value: { kind: 'text', text: 'why' } }],
});

function matches(place: Place): Arbitrary<readonly Match[]> {
  const protocols = fc.constantFrom(undefined, tcp, tcp, udp, udplite, icmp, icmpv6);
  return fc.tuple(protocols, anyFamily, fc.nat(2)).chain(([protocol, family, named]) => {
    const inBind = place.builtin === 'BIND';
    const none = fc.constant(undefined);
    const optional = (match: Arbitrary<Match | undefined>) =>
      fc.oneof({ weight: 5, arbitrary: none }, { weight: 1, arbitrary: match });
    const hasPorts = protocol === tcp || protocol === udp || protocol === udplite;
    const addresses: Record<string, Arbitrary<Value>> = { destination: network(family) };
    const ranges: Record<string, Arbitrary<Value>> = { 'dst-range': addressRange(family) };
    const ends: Record<string, Arbitrary<Value>> = {
      local: network(family),
      'local-port': portRange,
    };
    if (!inBind) {
      addresses.source = network(family);
      ranges['src-range'] = addressRange(family);
    }
    if (place.outward) {
      ends.remote = network(family);
      ends['remote-port'] = portRange;
    }
    if (named === 0) addresses[family === 4 ? 'ipv4' : 'ipv6'] = fc.constant({ kind: 'none' });
    const types: Record<string, Arbitrary<Value>> = { 'dst-type': addressTypes };
    if (!inBind) types['src-type'] = addressTypes;
    const names: Record<string, Arbitrary<Value>> = { inode: detail('netns') };
    if (place.outward) addresses['out-interface'] = detail('device');
    else if (place.builtin) addresses['in-interface'] = detail('device');
    const owners: Record<string, Arbitrary<Value>> = { 'uid-owner': ownerRange };
    if (place.outward || inBind) owners['gid-owner'] = ownerRange;
    const ip = matchOf('ip', addresses, 35).map((match): Match | undefined => {
      if (protocol === undefined) return match;
      const options = [...(match?.options ?? [])];
      // A rule with a port match names its protocol without `!`.
      const value: Value = { kind: 'protocol', protocol };
      options.push({ name: 'protocol', negated: !hasPorts && named === 1, value });
      return { name: 'ip', options };
    });
    return fc
      .tuple(
        ip,
        protocol !== undefined && hasPorts ? optional(portMatch(protocol, place)) : none,
        hasPorts ? optional(multiport(place)) : none,
        optional(matchOf('iprange', ranges)),
        optional(matchOf('addrtype', types)),
        optional(matchOf('netns', names)),
        inBind || place.outward ? optional(matchOf('comm', { comm: detail('comm') })) : none,
        optional(cgroup),
        optional(matchOf('owner', owners)),
        optional(matchOf('socket', ends)),
        optional(matchOf('mark', { mark: marks }, 100)),
        optional(comment),
      )
      .map((all) => all.filter((match) => match !== undefined));
  });
}

const prefix = fc.constantFrom('', 'x', 'refused: ', 'a "b" \\c\'', 'grün ');

/** Targets that let the walk go on, and report. */
const logging: Arbitrary<Target> = fc.oneof(
  fc
    .tuple(prefix, fc.nat({ max: 7 }), fc.boolean())
    .map(([text, level, uid]): Target => ({ kind: 'log', prefix: text, level, uid })),
  fc
    .tuple(prefix, fc.constantFrom(0, 1, 65_535))
    .map(([text, group]): Target => ({ kind: 'nflog', prefix: text, group })),
  fc.constant<Target>({ kind: 'trace' }),
);

const REDIRECT: Target = { kind: 'redirect' };
const TO_PORT: Target = { kind: 'dnat', port: { first: 80, last: 80 } };

/** A port goes with a protocol that has ports. */
function withFittingPort(rule: Rule): Rule {
  if (rule.target !== TO_PORT) return rule;
  const hasPorts = rule.matches.some(({ options }) =>
    options.some(
      ({ value, negated }) =>
        value.kind === 'protocol' && !negated && PORT_PROTOCOLS.includes(value.protocol),
    ),
  );
  return hasPorts ? rule : { ...rule, target: REDIRECT };
}

function target({ outward, builtin, callable }: Place): Arbitrary<Target | undefined> {
  const targets: Arbitrary<Target | undefined>[] = [
    fc.constant(undefined),
    fc.constant({ kind: 'accept' }),
    fc.constant({ kind: 'drop' }),
    fc.constant({ kind: 'drop', audited: true }),
    fc.constant({ kind: 'return' }),
    logging,
  ];
  if (outward || builtin === 'BIND') {
    const errno = fc.constantFrom<RejectErrno>('EPERM', 'EACCES', 'ECONNREFUSED', 'EHOSTUNREACH');
    targets.push(
      fc.tuple(errno, fc.boolean()).map(
        ([name, audited]): Target => ({
          kind: 'reject',
          errno: name,
          ...(audited && { audited: true }),
        }),
      ),
    );
  }
  // SENDTO can't mark, nor BIND where a rule looks at the mark.
  if (builtin === 'CONNECT') {
    const bits = fc.constantFrom(0, 1, 0x10, 0xffff_0000, MAX_MARK);
    const mark = fc
      .tuple(bits, bits)
      .map(([value, mask]): Target => ({ kind: 'mark', value, mask }));
    targets.push(mark, mark);
  }
  if (outward || builtin === 'BIND') targets.push(fc.constant(REDIRECT), fc.constant(TO_PORT));
  if (callable.length > 0) {
    const kinds = fc.constantFrom<'jump' | 'goto'>('jump', 'jump', 'goto');
    const call = fc
      .tuple(kinds, fc.constantFrom(...callable))
      .map(([kind, name]): Target => ({ kind, chain: name }));
    targets.push(call, call);
  }
  return fc.oneof(...targets);
}

function chain(name: string, place: Place, maxRules: number): Arbitrary<Chain> {
  const rule = fc
    .record<Rule>({
      matches: matches(place),
      target: target(place),
      packets: fc.constantFrom(0n, 1n, 12345678901n),
    })
    .map(withFittingPort);
  return fc.record<Chain>({
    name: fc.constant(name),
    policy: place.builtin
      ? fc.constantFrom('ACCEPT', 'ACCEPT', 'DROP', 'DROP', 'AUDIT')
      : fc.constant(undefined),
    packets: fc.constant(0n),
    rules: fc.array(rule, { maxLength: maxRules }),
  });
}

const groups: Arbitrary<readonly Group[]> = fc
  .uniqueArray(fc.constantFrom(...GROUP_IDS.filter((id) => id > 0)), { maxLength: 5 })
  .chain((ids) =>
    fc.tuple(
      ...ids.map((id, index) =>
        fc.record<Group>({
          name: fc.constant(`g${index}`),
          id: fc.constant(id),
          path: fc.constantFrom(undefined, ...GROUP_PATHS.slice(index, index + 1)),
        }),
      ),
    ),
  );

/** Chains that may be called from anywhere, and those for CONNECT and SENDTO only; each calls later ones. */
const USER_CHAINS = [
  { name: 'out1', outward: true },
  { name: 'any1', outward: false },
  { name: 'out2', outward: true },
  { name: 'any2', outward: false },
  { name: 'any3', outward: false },
];

/** A valid table with up to `maxRules` rules a chain. */
export function tables(maxRules = 5): Arbitrary<Table> {
  const callable = (outward: boolean, after: number) =>
    USER_CHAINS.slice(after)
      .filter((called) => outward || !called.outward)
      .map(({ name }) => name);
  const builtin = BUILTIN_CHAINS.map((name) => {
    const outward = name === 'CONNECT' || name === 'SENDTO';
    return chain(name, { builtin: name, outward, callable: callable(outward, 0) }, maxRules);
  });
  const user = USER_CHAINS.map(({ name, outward }, index) =>
    chain(name, { builtin: undefined, outward, callable: callable(outward, index + 1) }, maxRules),
  );
  return fc.record<Table>({
    denyUnseen: fc.boolean(),
    groups,
    sets: fc.constant([]),
    chains: fc.tuple(...builtin, ...user),
  });
}

function near(values: readonly number[], max: number): Arbitrary<number> {
  return fc
    .tuple(fc.constantFrom(...values), fc.constantFrom(0, 0, 0, -1, 1))
    .map(([value, step]) => Math.min(max, Math.max(0, value + step)));
}

function nearAddress(family: Family): Arbitrary<bigint> {
  const max = family === 4 ? 2n ** 32n - 1n : 2n ** 128n - 1n;
  const mixed = fc
    .tuple(
      fc.constantFrom(...ADDRESSES[family]),
      fc.constantFrom(...MASKS[family]),
      fc.bigInt({ min: 0n, max }),
    )
    .map(([address, mask, noise]) => (address & mask) | (noise & max & ~mask));
  const beside = fc
    .tuple(fc.constantFrom(...ADDRESSES[family]), fc.constantFrom(0n, 0n, 0n, -1n, 1n))
    .map(([address, step]) => {
      const value = address + step;
      return value < 0n ? 0n : value > max ? max : value;
    });
  return fc.oneof({ weight: 3, arbitrary: beside }, { weight: 1, arbitrary: mixed });
}

const CHAIN_PROTOCOLS: Readonly<Record<BuiltinChain, (family: Family) => readonly number[]>> = {
  BIND: () => [tcp, udp, udplite],
  ACCEPT: () => [tcp],
  CONNECT: (family) => [tcp, tcp, udp, family === 4 ? icmp : icmpv6],
  SENDTO: (family) => [udp, udp, udplite, family === 4 ? icmp : icmpv6],
  RECVFROM: () => [udp, udplite],
};

/** A packet that can happen, with values at or beside those that `tables` uses. */
export const packets: Arbitrary<Packet> = fc
  .tuple(fc.constantFrom(...BUILTIN_CHAINS), anyFamily)
  .chain(([chain, family]) =>
    fc.constantFrom(...CHAIN_PROTOCOLS[chain](family)).chain((protocol) => {
      const portless = protocol === icmp || protocol === icmpv6;
      const port = portless ? fc.constant(0) : near(PORTS, 65535);
      return fc.record<Packet>({
        chain: fc.constant(chain),
        group: near(GROUP_IDS, 2 ** 32 - 1),
        family: fc.constant(family),
        protocol: fc.constant(protocol),
        source: chain === 'BIND' ? fc.constant(0n) : nearAddress(family),
        destination: nearAddress(family),
        sourcePort: chain === 'BIND' ? fc.constant(0) : port,
        destinationPort: port,
        flags: fc.constant(flagsOf(chain, protocol)),
        uid: near(OWNERS, MAX_OWNER_ID),
        mark: fc.constantFrom(0, 0, ...MARKS),
        gid: CHAINS[chain].bounds.gid ? fc.constant(0) : near(OWNERS, MAX_OWNER_ID),
        ...detailRecord((name) => detailValue(name, chain)),
      });
    }),
  )
  .filter((packet) => impossible(packet) === undefined);
