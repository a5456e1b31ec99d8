/**
 * Packets that meet a table: aimed at one of its rules and at an element of its sets, with values at and beside the
 * boundaries of what its rules say.
 */
import {
  addressBits,
  BUILTIN_CHAINS,
  type BuiltinChain,
  boundOf,
  type Clause,
  contains,
  type Family,
  FIELD_BITS,
  type Field,
  flagsOf,
  hasAddresses,
  hasPart,
  type NamedSet,
  type Packet,
  PROTOCOL,
  ruleCondition,
  type SetElement,
  type Table,
  type Test,
} from '@sockfilter/table';
import type { Random } from './random.js';

type Values = Map<Field, bigint>;

/** A value at an end of what the test asks for, or anywhere in it. */
function satisfy({ field, set, negated }: Test, random: Random): bigint {
  const bits = FIELD_BITS[field];
  if (set.kind === 'masked') {
    const noise = random.oneIn(2) ? 0n : random.bits(bits);
    const inside = set.value | (noise & ~set.mask);
    return negated ? inside ^ (1n << BigInt(random.below(bits))) : inside;
  }
  if (set.ranges.length === 0) return random.bits(bits);
  const [from, to] = random.pick(set.ranges);
  if (negated) return random.oneIn(2) ? from - 1n : to + 1n;
  if (random.oneIn(4)) return from + (random.bits(bits) % (to - from + 1n));
  return random.oneIn(2) ? from : to;
}

/** What both ends of a packet are for it to meet the element, at an end of it or anywhere in it. */
function meet(
  { type, family }: NamedSet,
  { address, prefix, protocol, port }: SetElement,
  random: Random,
): Values {
  const values: Values = new Map();
  if (hasAddresses(type)) {
    const rest = addressBits(family) - prefix;
    const inside = address + random.pick([0n, 2n ** BigInt(rest) - 1n, random.bits(rest)]);
    values.set('family', BigInt(family)).set('source', inside).set('destination', inside);
  }
  if (hasPart(type, 'service')) values.set('protocol', BigInt(protocol));
  if (hasPart(type, 'service', 'port'))
    values.set('sourcePort', BigInt(port)).set('destinationPort', BigInt(port));
  return values;
}

/** Values at and beside the boundaries of the test. */
function edges({ field, set }: Test): readonly bigint[] {
  const bits = FIELD_BITS[field];
  const ends =
    set.kind === 'masked'
      ? [[set.value, set.value | BigInt.asUintN(bits, ~set.mask)] as const]
      : set.ranges;
  return ends
    .flatMap(([from, to]) => [from - 1n, from, from, to, to, to + 1n])
    .map((value) => BigInt.asUintN(bits, value));
}

const FIELDS: readonly Field[] = [
  'group',
  'family',
  'protocol',
  'source',
  'destination',
  'sourcePort',
  'destinationPort',
  'uid',
  'gid',
  'mark',
];

/** Makes packets that can happen, of all chains or of some, one a call. */
export function packetSource(
  table: Table,
  random: Random,
  chains: readonly BuiltinChain[] = BUILTIN_CHAINS,
): () => Packet {
  const rules = new Map<string, readonly (readonly Clause[])[]>();
  for (const { name, rules: all } of table.chains)
    rules.set(
      name,
      all.map((rule) => ruleCondition(rule, table)),
    );
  const user = table.chains.filter(({ policy }) => policy === undefined).map(({ name }) => name);
  const boundaries = new Map<Field, bigint[]>(
    FIELDS.map((field) => [field, [random.bits(FIELD_BITS[field])]]),
  );
  for (const test of [...rules.values()].flat(3)) boundaries.get(test.field)?.push(...edges(test));
  const boundary = (field: Field) => random.pick(boundaries.get(field) ?? [0n]);
  const elements = table.sets.flatMap((set) => set.elements.map((each) => [set, each] as const));

  const conditionOf = (chain: string) => {
    const from = user.length > 0 && random.oneIn(3) ? random.pick(user) : chain;
    const conditions = rules.get(from) ?? [];
    return conditions.length > 0 ? random.pick(conditions) : [];
  };

  return () => {
    const chain = random.pick(chains);
    const values: Values = new Map();
    for (const field of FIELDS) values.set(field, boundary(field));
    for (const clause of conditionOf(chain)) {
      const test = random.pick(clause);
      values.set(test.field, satisfy(test, random));
    }
    if (elements.length > 0 && random.oneIn(2))
      for (const [field, value] of meet(...random.pick(elements), random)) values.set(field, value);
    for (let n = random.below(3); n > 0; n--) {
      const field = random.pick(FIELDS);
      values.set(field, boundary(field));
    }
    return possible(chain, values, random);
  };
}

const { tcp, udp, udplite, icmp, icmpv6 } = PROTOCOL;

function protocolsOf(chain: BuiltinChain, family: Family): readonly number[] {
  const set = boundOf(chain, 'protocol')?.set;
  return [tcp, udp, udplite, family === 4 ? icmp : icmpv6].filter(
    (protocol) => !set || contains(set, BigInt(protocol)),
  );
}

const PROTOCOLS = new Map(
  BUILTIN_CHAINS.map((chain) => [chain, { 4: protocolsOf(chain, 4), 6: protocolsOf(chain, 6) }]),
);

/** The destination, or the next one where the chain has none that is unspecified. */
function specified(chain: BuiltinChain, destination: bigint): bigint {
  const bound = boundOf(chain, 'destination');
  return !bound || contains(bound.set, destination) ? destination : destination + 1n;
}

/** The nearest packet that can happen. */
function possible(chain: BuiltinChain, values: Values, random: Random): Packet {
  const wished = values.get('family');
  const family: Family = wished === 4n || (wished !== 6n && random.oneIn(2)) ? 4 : 6;
  const protocols = PROTOCOLS.get(chain)?.[family] ?? [];
  const asked = Number(values.get('protocol') ?? 0n);
  const protocol = protocols.includes(asked) ? asked : random.pick(protocols);
  const isBind = chain === 'BIND';
  const hasPorts = protocol !== icmp && protocol !== icmpv6;
  const fieldOf = (field: Field, bits: number) => BigInt.asUintN(bits, values.get(field) ?? 0n);
  const numberOf = (field: Field) => Number(fieldOf(field, FIELD_BITS[field]));
  const ownerOf = (field: 'uid' | 'gid') => {
    const id = numberOf(field);
    const bound = boundOf(chain, field);
    return !bound || contains(bound.set, BigInt(id)) ? id : 0;
  };
  const bits = addressBits(family);
  return {
    chain,
    group: numberOf('group'),
    family,
    protocol,
    source: isBind ? 0n : fieldOf('source', bits),
    destination: specified(chain, fieldOf('destination', bits)),
    sourcePort: isBind || !hasPorts ? 0 : numberOf('sourcePort'),
    destinationPort: hasPorts ? numberOf('destinationPort') : 0,
    flags: flagsOf(chain, protocol),
    uid: ownerOf('uid'),
    gid: ownerOf('gid'),
    mark: numberOf('mark'),
  };
}
