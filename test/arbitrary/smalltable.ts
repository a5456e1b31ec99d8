/**
 * Random tables whose rules look at few values of few fields, and for such tables all packets that
 * matter: one for each combination of values between two boundaries.
 */
import {
  BUILTIN_CHAINS,
  type Chain,
  type Clause,
  changedParts,
  exactTest,
  type Family,
  type Field,
  flagsOf,
  impossible,
  type Match,
  type MatchOption,
  type Packet,
  PROTOCOL,
  REWRITTEN_PARTS,
  type Rule,
  rewritingOf,
  ruleCondition,
  ruleTests,
  type Table,
  type Target,
  type ValueSet,
  valueSet,
} from '@sockfilter/table';
import fc, { type Arbitrary } from 'fast-check';

const option = (name: string, value: MatchOption['value'], negated = false): MatchOption => ({
  name,
  negated,
  value,
});
const ports = (from: number, to: number) => ({ kind: 'portRange', from, to }) as const;
const network = (family: Family, address: bigint, mask: bigint) =>
  ({ kind: 'network', family, address, mask }) as const;
const ip = (...options: readonly MatchOption[]): Match => ({ name: 'ip', options });
const protocol = (number: number, negated = false) =>
  ip(option('protocol', { kind: 'protocol', protocol: number }, negated));
const group = (from: number, to: number): Match => ({
  name: 'cgroup',
  options: [option('id', { kind: 'groupRange', from, to })],
});

/** Of marks two bits alone matter. */
const marked = (value: number, mask: number): Match => ({
  name: 'mark',
  options: [option('mark', { kind: 'mark', value, mask })],
});

const MATCHES: readonly Match[] = [
  ip(option('destination', network(4, 0x0a000000n, 0xff000000n))),
  ip(option('destination', network(4, 0x0a000000n, 0xff000000n), true)),
  ip(option('destination', network(6, 1n, 2n ** 128n - 1n))),
  ip(option('source', network(4, 0x0a000000n, 0xff000000n))),
  ip(option('ipv4', { kind: 'none' })),
  protocol(PROTOCOL.tcp),
  protocol(PROTOCOL.udp),
  protocol(PROTOCOL.icmp),
  protocol(PROTOCOL.udp, true),
  { name: 'tcp', options: [option('dport', ports(0, 1023))] },
  { name: 'tcp', options: [option('dport', ports(80, 80), true)] },
  { name: 'tcp', options: [option('dport', ports(1024, 65535))] },
  group(3, 3),
  group(0, 65536),
  { name: 'owner', options: [option('uid-owner', { kind: 'ownerRange', from: 0, to: 0 })] },
  { name: 'socket', options: [option('remote-port', ports(80, 80))] },
  marked(1, 1),
  marked(2, 3),
];

const TARGETS: readonly (Target | undefined)[] = [
  undefined,
  { kind: 'accept' },
  { kind: 'accept' },
  { kind: 'drop' },
  { kind: 'drop' },
  { kind: 'drop', audited: true },
  { kind: 'reject', errno: 'ECONNREFUSED' },
  { kind: 'return' },
  { kind: 'log', prefix: '', level: 4, uid: false },
];

const MARKING: readonly Target[] = [
  { kind: 'mark', value: 1, mask: 3 },
  { kind: 'mark', value: 2, mask: 2 },
  { kind: 'mark', value: 1, mask: 0 },
];

const LEADING: readonly Target[] = [
  {
    kind: 'dnat',
    address: { family: 4, first: 0x0a000000n, last: 0x0a000000n },
    port: { first: 80, last: 80 },
  },
  { kind: 'dnat', port: { first: 80, last: 80 } },
  { kind: 'redirect' },
];

/** Of which rules tell some from others. */
const CHOOSING: readonly Target[] = [
  { kind: 'dnat', address: { family: 4, first: 0x09ffffffn, last: 0x0a000000n } },
  {
    kind: 'dnat',
    address: { family: 4, first: 0x09fffffen, last: 0x0a000000n },
    port: { first: 79, last: 80 },
    persistent: true,
  },
  { kind: 'dnat', address: { family: 6, first: 1n, last: 4n } },
  { kind: 'redirect', port: { first: 1022, last: 1024 } },
  { kind: 'redirect' },
];

interface Place {
  readonly builtin: boolean;
  readonly callable: readonly string[];
  readonly pool: readonly Match[];
  /** What rules may make of calls. */
  readonly rewriting: readonly Target[];
}

function chainOf(name: string, { builtin, callable, pool, rewriting }: Place): Arbitrary<Chain> {
  const calls = callable.flatMap((chain): Target[] => [
    { kind: 'jump', chain },
    { kind: 'jump', chain },
    { kind: 'goto', chain },
  ]);
  const rule = fc.record<Rule>({
    matches: fc.uniqueArray(fc.constantFrom(...pool), {
      maxLength: 2,
      selector: (match) => match.name,
    }),
    target: fc.constantFrom(...TARGETS, ...calls, ...rewriting),
    packets: fc.constant(0n),
  });
  return fc.record<Chain>({
    name: fc.constant(name),
    policy: builtin
      ? fc.constantFrom('ACCEPT', 'ACCEPT', 'DROP', 'DROP', 'AUDIT')
      : fc.constant(undefined),
    packets: fc.constant(0n),
    rules: fc.array(rule, { maxLength: 4 }),
  });
}

/** Tables without loops, though with rules that a parser may refuse, from these matches alone. */
function tablesOf(pool: readonly Match[], rewriting: readonly Target[]): Arbitrary<Table> {
  const builtin = BUILTIN_CHAINS.map((name) =>
    chainOf(name, { builtin: true, callable: ['u', 'v'], pool, rewriting }),
  );
  const user = [
    chainOf('u', { builtin: false, callable: ['v'], pool, rewriting }),
    chainOf('v', { builtin: false, callable: [], pool, rewriting }),
  ];
  return fc.record<Table>({
    denyUnseen: fc.boolean(),
    groups: fc.constant([]),
    sets: fc.constant([]),
    chains: fc.tuple(...builtin, ...user),
  });
}

const pools = fc.uniqueArray(fc.constantFrom(...MATCHES), { minLength: 2, maxLength: 4 });

/** Tables that together look at few values. */
export const smallTables: Arbitrary<readonly [Table, Table]> = fc
  .tuple(pools, fc.constantFrom(MARKING, LEADING, [], [], []))
  .chain(([pool, rewriting]) => fc.tuple(tablesOf(pool, rewriting), tablesOf(pool, rewriting)));

/** Tables that have several destinations for a call. */
export const choosingTables: Arbitrary<readonly [Table, Table]> = pools.chain((pool) =>
  fc.tuple(tablesOf(pool, CHOOSING), tablesOf(pool, CHOOSING)),
);

/** Tables in which every way to rewrite calls may be. */
export const rewritingTables: Arbitrary<Table> = pools.chain((pool) =>
  tablesOf(pool, [...LEADING, ...LEADING, ...CHOOSING, ...MARKING]),
);

/** Numbers that calls draw, so many that each of the destinations above is met. */
export const DRAWN: readonly Pick<Packet, 'chance' | 'persistence'>[] = Array.from(
  { length: 12 },
  (_, n) => ({ chance: Math.ceil((n * 2 ** 32) / 12), persistence: Math.ceil((n * 2 ** 16) / 12) }),
);

/** BIND refuses tcp twice in the same way, so that the first rule is redundant: chance makes few such tables. */
export const twiceRefused: Table = {
  denyUnseen: false,
  groups: [],
  sets: [],
  chains: BUILTIN_CHAINS.map((name) => {
    const refuse = (): Rule => ({
      matches: [protocol(PROTOCOL.tcp)],
      target: { kind: 'reject', errno: 'ECONNREFUSED' },
      packets: 0n,
    });
    const rules = name === 'BIND' ? [refuse(), refuse()] : [];
    return { name, policy: 'ACCEPT', packets: 0n, rules };
  }),
};

/** Where membership of a set changes; its mask must have no holes. */
function boundaries(set: ValueSet): readonly bigint[] {
  if (set.kind === 'ranges') return set.ranges.flatMap(([from, to]) => [from, to + 1n]);
  return set.mask === 0n ? [] : [set.value, set.value + (set.mask & -set.mask)];
}

/** Tests of what the rule makes of fields: where calls are that already. */
function written({ target }: Rule): readonly Clause[] {
  return changedParts(rewritingOf(target)).flatMap(([part, { keep, flip }]): Clause[] =>
    part === 'mark' || keep !== 0n
      ? []
      : [[{ field: REWRITTEN_PARTS[part].field, set: valueSet(flip), negated: false }]],
  );
}

function everyClause(tables: readonly Table[]): readonly Clause[] {
  return tables.flatMap((table) =>
    table.chains.flatMap(({ rules }) =>
      rules.flatMap((rule) => [
        ...ruleCondition(rule, table),
        ...written(rule),
        ...ruleTests(rule, table).flatMap((each) => exactTest(each, table)?.boxes() ?? []),
      ]),
    ),
  );
}

/** One packet for each combination of values between boundaries that clauses have. */
export function packetsOf(
  clauses: readonly Clause[],
  marks: readonly number[] = [0],
): readonly Packet[] {
  const values = (field: Field, max: bigint): readonly bigint[] => {
    const found = clauses
      .flat()
      .flatMap((test) => (test.field === field ? boundaries(test.set) : []));
    // No call of some chains goes to address 0.
    const least = field === 'destination' ? [0n, 1n] : [0n];
    return [...new Set([...least, ...found])].filter((value) => value <= max);
  };
  const numbers = (field: Field, max: number) => values(field, BigInt(max)).map(Number);
  const protocols = [PROTOCOL.tcp, PROTOCOL.udp, PROTOCOL.udplite, PROTOCOL.icmp, PROTOCOL.icmpv6];
  const sourcePorts = numbers('sourcePort', 65535);
  const destinationPorts = numbers('destinationPort', 65535);
  const id = 2 ** 32 - 1;
  const packets: Packet[] = [];
  for (const chain of BUILTIN_CHAINS)
    for (const family of [4, 6] as const)
      for (const number of protocols)
        for (const source of values('source', 2n ** (family === 4 ? 32n : 128n) - 1n))
          for (const destination of values('destination', 2n ** (family === 4 ? 32n : 128n) - 1n))
            for (const sourcePort of sourcePorts)
              for (const destinationPort of destinationPorts)
                for (const groupId of numbers('group', id))
                  for (const uid of numbers('uid', id))
                    for (const mark of marks) {
                      const packet: Packet = {
                        chain,
                        group: groupId,
                        family,
                        protocol: number,
                        source,
                        destination,
                        sourcePort,
                        destinationPort,
                        flags: flagsOf(chain, number),
                        uid,
                        gid: 0,
                        mark,
                      };
                      if (impossible(packet) === undefined) packets.push(packet);
                    }
  return packets;
}

/** Whether rules of the table set the mark. */
const marks = ({ chains }: Table) =>
  chains.some(({ rules }) => rules.some(({ target }) => rewritingOf(target).mark !== undefined));

/** All packets that matter to small tables. */
export function smallSpace(...tables: readonly Table[]): readonly Packet[] {
  const clauses = everyClause(tables);
  const isMarked = tables.some(marks) || clauses.flat().some(({ field }) => field === 'mark');
  return packetsOf(clauses, isMarked ? [0, 1, 2, 3] : [0]);
}
