/**
 * Regions: sets of calls as people write them, in expectation files, intended changes and queries.
 *
 *     chain          BIND, ACCEPT, CONNECT, SENDTO, RECVFROM
 *     group          a name, an id, N-M or N:M, a path (the group there and all below), none (0)
 *     proto          tcp, udp, udplite, icmp, ipv6-icmp          family   4 or 6
 *     local remote   an address, a network or FROM-TO: our end and the other one, whatever the chain
 *     local-port remote-port    N, N-M or N:M
 *     src dst sport dport       the same by direction of the data, as in rules
 *     uid gid        N, N-M or N:M
 *
 * Every field has one value or several, of which one must hold; those with `!` must not hold. What a
 * region does not name may be anything: `remote: !10.0.0.0/8` is every IPv6 address too. A chain in
 * which there is no such field (BIND has no remote end) is outside.
 */
import { intersect, type PacketSet, subtract, type Universe, union } from '@sockfilter/diagram';
import {
  BUILTIN_CHAINS,
  type BuiltinChain,
  type Clause,
  describeOption,
  isBuiltinChain,
  MAX_GROUP_ID,
  type MatchName,
  type Table,
  type Value,
  valueSet,
} from '@sockfilter/table';
import { type Network, networkMask, parseAddress, parseNetwork } from './address.js';
import { protocolNumber } from './label.js';
import { coveringNetworks } from './network.js';

export const REGION_KEYS = [
  'chain',
  'group',
  'proto',
  'family',
  'local',
  'remote',
  'local-port',
  'remote-port',
  'src',
  'dst',
  'sport',
  'dport',
  'uid',
  'gid',
] as const;

export type RegionKey = (typeof REGION_KEYS)[number];

/** The values of each field, `!` included. */
export type Region = Partial<Readonly<Record<RegionKey, readonly string[]>>>;

/** What is wrong with a value: lower case, the user's text in backquotes. */
export class RegionError extends Error {
  override readonly name = 'RegionError';
  readonly key: RegionKey;
  /** Which value of the field; undefined for the field as a whole. */
  readonly index: number | undefined;
  readonly help: string | undefined;

  constructor(key: RegionKey, index: number | undefined, message: string, help?: string) {
    super(message);
    this.key = key;
    this.index = index;
    this.help = help;
  }
}

interface Fault {
  readonly fault: string;
  readonly help?: string;
}

/** Alternatives, each a condition. */
type Meaning = readonly (readonly Clause[])[];

interface FieldReader {
  readonly read: (text: string, table: Table) => Meaning | Fault;
  readonly absent?: Partial<Readonly<Record<BuiltinChain, string>>>;
}

function optionClauses(match: MatchName, name: string, value: Value, table: Table) {
  return describeOption({ name: match, options: [] }, name).clauses(
    { name, negated: false, value },
    table,
  );
}

function absentIn(match: MatchName, name: string) {
  return describeOption({ name: match, options: [] }, name).absent;
}

/** `5`, `5-9` or `5:9`. */
function readRange(text: string, max: number, noun: string): { from: number; to: number } | Fault {
  const [, first, last = first] = /^(\d+)(?:[-:](\d+))?$/.exec(text) ?? [];
  const [from, to] = [Number(first), Number(last)];
  if (first === undefined || to > max || from > to)
    return {
      fault: `\`${text}\` is no ${noun}`,
      help: `a number up to ${max}, or a range \`5-9\``,
    };
  return { from, to };
}

function readNetworks(text: string): readonly Network[] | Fault {
  const help = 'an address, a network such as `10.0.0.0/8`, or `10.0.0.1-10.0.0.9`';
  const dash = text.indexOf('-');
  if (dash < 0) {
    const network = parseNetwork(text);
    return network ? [network] : { fault: `\`${text}\` is no address`, help };
  }
  const from = parseAddress(text.slice(0, dash));
  const to = parseAddress(text.slice(dash + 1));
  if (!from || !to || from.family !== to.family || from.value > to.value)
    return { fault: `\`${text}\` is no range of addresses`, help };
  return coveringNetworks(from.family, [from.value, to.value]);
}

function addresses(match: MatchName, name: string): FieldReader {
  return {
    absent: absentIn(match, name),
    read: (text, table) => {
      const networks = readNetworks(text);
      if ('fault' in networks) return networks;
      return networks.map((network) => {
        const mask = networkMask(network);
        const { family, value: address } = network;
        const value = { kind: 'network', family, address: address & mask, mask } as const;
        return optionClauses(match, name, value, table);
      });
    },
  };
}

function ranges(
  match: MatchName,
  name: string,
  { kind, max, noun }: { kind: 'portRange' | 'ownerRange'; max: number; noun: string },
): FieldReader {
  return {
    absent: absentIn(match, name),
    read: (text, table) => {
      const range = readRange(text, max, noun);
      if ('fault' in range) return range;
      return [optionClauses(match, name, { kind, ...range }, table)];
    },
  };
}

const PORT = { kind: 'portRange', max: 65535, noun: 'port' } as const;
const OWNER = { kind: 'ownerRange', max: 2 ** 32 - 1, noun: 'id of a user or group' } as const;

function readGroup(text: string, table: Table): Meaning | Fault {
  if (text.startsWith('/'))
    return [optionClauses('cgroup', 'path', { kind: 'groupPath', path: text }, table)];
  const group = table.groups.find(({ name }) => name === text);
  const id = group ? String(group.id) : text === 'none' ? '0' : text;
  const range = readRange(id, MAX_GROUP_ID, 'group');
  if (!('fault' in range))
    return [optionClauses('cgroup', 'id', { kind: 'groupRange', ...range }, table)];
  const names = table.groups.map(({ name }) => name);
  const known = names.length > 8 ? [...names.slice(0, 8), '...'] : names;
  return {
    fault: `there is no group \`${text}\``,
    help: known.length === 0 ? 'the file declares none' : `the groups are ${known.join(', ')}`,
  };
}

const READERS: Readonly<Record<RegionKey, FieldReader>> = {
  chain: {
    read: (text) => {
      const name = text.toUpperCase();
      if (!isBuiltinChain(name))
        return {
          fault: `\`${text}\` is no built-in chain`,
          help: `the chains are ${BUILTIN_CHAINS.join(', ')}`,
        };
      const set = valueSet(BUILTIN_CHAINS.indexOf(name));
      return [[[{ field: 'chain', set, negated: false }]]];
    },
  },
  group: { read: readGroup },
  proto: {
    read: (text) => {
      const protocol = protocolNumber(text);
      if (protocol === undefined)
        return {
          fault: `no call has protocol \`${text}\``,
          help: 'tcp, udp, udplite, icmp or ipv6-icmp',
        };
      return [[[{ field: 'protocol', set: valueSet(protocol), negated: false }]]];
    },
  },
  family: {
    read: (text) => {
      if (text !== '4' && text !== '6')
        return { fault: `\`${text}\` is no family`, help: '4 or 6' };
      return [[[{ field: 'family', set: valueSet(Number(text)), negated: false }]]];
    },
  },
  local: addresses('socket', 'local'),
  remote: addresses('socket', 'remote'),
  'local-port': ranges('socket', 'local-port', PORT),
  'remote-port': ranges('socket', 'remote-port', PORT),
  src: addresses('ip', 'source'),
  dst: addresses('ip', 'destination'),
  sport: ranges('tcp', 'sport', PORT),
  dport: ranges('tcp', 'dport', PORT),
  uid: ranges('owner', 'uid-owner', OWNER),
  gid: ranges('owner', 'gid-owner', OWNER),
};

function unionAll(universe: Universe, sets: readonly PacketSet[]): PacketSet {
  if (sets.length < 2) return sets[0] ?? universe.empty;
  const middle = sets.length >> 1;
  return union(unionAll(universe, sets.slice(0, middle)), unionAll(universe, sets.slice(middle)));
}

function compileField(
  universe: Universe,
  key: RegionKey,
  values: readonly string[],
  table: Table,
): PacketSet {
  const { read, absent = {} } = READERS[key];
  if (values.length === 0) throw new RegionError(key, undefined, `\`${key}\` has no value`);
  const wanted: PacketSet[] = [];
  const unwanted: PacketSet[] = [];
  for (const [index, value] of values.entries()) {
    const negated = value.startsWith('!');
    const meaning = read(negated ? value.slice(1).trim() : value, table);
    if ('fault' in meaning) throw new RegionError(key, index, meaning.fault, meaning.help);
    const set = unionAll(
      universe,
      meaning.map((clauses) => universe.matching(clauses)),
    );
    (negated ? unwanted : wanted).push(set);
  }
  const lacking = BUILTIN_CHAINS.flatMap((chain, at) =>
    absent[chain] === undefined
      ? []
      : [[{ field: 'chain', set: valueSet(at), negated: false } as const]],
  );
  for (const clause of lacking) unwanted.push(universe.matching([clause]));
  const start = wanted.length === 0 ? universe.possible : unionAll(universe, wanted);
  return subtract(start, unionAll(universe, unwanted));
}

/** The calls of the region; throws RegionError. */
export function compileRegion(universe: Universe, region: Region, table: Table): PacketSet {
  let set = universe.possible;
  for (const key of REGION_KEYS) {
    const values = region[key];
    if (values) set = intersect(set, compileField(universe, key, values, table));
  }
  return set;
}

/** The region as one would type it: `chain CONNECT, remote !10.0.0.0/8`. */
export function regionText(region: Region): string {
  const parts = REGION_KEYS.flatMap((key) => {
    const values = region[key];
    return values ? [`${key} ${values.join(',')}`] : [];
  });
  return parts.length === 0 ? 'every call' : parts.join(', ');
}
