/** The fields of regions: how the words of each become conditions. */
import {
  BUILTIN_CHAINS,
  type BuiltinChain,
  type Clause,
  callProtocol,
  chainNumber,
  type Detail,
  describeDetail,
  describeOption,
  detailRecord,
  idsWithin,
  isBuiltinChain,
  knownGroups,
  MAX_GROUP_ID,
  MAX_MARK,
  MAX_OWNER_ID,
  type MatchName,
  type Network,
  pathFault,
  type Range,
  rangeSet,
  readCallAddress,
  readCallNetwork,
  readGroupId,
  type Table,
  type Value,
  valueSet,
} from '@sockfilter/table';
import { coveringNetworks } from './network.js';
import type { RegionKey } from './regionkey.js';

interface Fault {
  readonly fault: string;
  readonly help?: string | undefined;
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
    const network = readCallNetwork(text);
    return network ? [network] : { fault: `\`${text}\` is no address`, help };
  }
  const from = readCallAddress(text.slice(0, dash));
  const to = readCallAddress(text.slice(dash + 1));
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
      return networks.map(({ family, value: address, mask }) => {
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

/** What the words of a detail mean. */
function detail(name: Detail): FieldReader {
  const { read, absent, text: noun, help } = describeDetail(name);
  return {
    absent,
    read: (text) => {
      const range = read(text);
      if (!range) return { fault: `\`${text}\` is no ${noun}`, help };
      return [[[{ field: name, set: rangeSet([range]), negated: false }]]];
    },
  };
}

const PORT = { kind: 'portRange', max: 65535, noun: 'port' } as const;
const OWNER = { kind: 'ownerRange', max: MAX_OWNER_ID, noun: 'id of a user or group' } as const;

function readGroup(text: string, { groups }: Table): Meaning | Fault {
  const isNamed = groups.some(({ name }) => name === text);
  const oneOf = (ranges: readonly Range[]): Meaning => [
    [[{ field: 'group', set: rangeSet(ranges), negated: false }]],
  ];
  const fault = pathFault(text, groups);
  if (fault) return { fault: fault.message, help: fault.help };
  if (text.startsWith('/') && !isNamed)
    return oneOf(idsWithin(text, groups).map((id) => [BigInt(id), BigInt(id)]));
  const id = readGroupId(text, groups);
  if (id !== undefined) return oneOf([[BigInt(id), BigInt(id)]]);
  const range = readRange(text, MAX_GROUP_ID, 'group');
  if (!('fault' in range)) return oneOf([[BigInt(range.from), BigInt(range.to)]]);
  return { fault: `there is no group \`${text}\``, help: knownGroups(groups) };
}

/** `5`, `0x1f`, or what some of its bits are: `0x10/0xf0`. */
function readMark(text: string, table: Table): Meaning | Fault {
  const [, first = '', second] =
    /^(\d+|0[xX][\da-fA-F]+)(?:\/(\d+|0[xX][\da-fA-F]+))?$/.exec(text) ?? [];
  const [value, mask] = [Number(first), second === undefined ? MAX_MARK : Number(second)];
  if (first === '' || value > MAX_MARK || mask > MAX_MARK)
    return { fault: `\`${text}\` is no mark`, help: 'a number of 32 bits, or `0x10/0xf0`' };
  return [optionClauses('mark', 'mark', { kind: 'mark', value, mask }, table)];
}

/** How each field is read. */
export const REGION_READERS: Readonly<Record<RegionKey, FieldReader>> = {
  chain: {
    read: (text) => {
      const name = text.toUpperCase();
      if (!isBuiltinChain(name))
        return {
          fault: `\`${text}\` is no built-in chain`,
          help: `the chains are ${BUILTIN_CHAINS.join(', ')}`,
        };
      const set = valueSet(chainNumber(name));
      return [[[{ field: 'chain', set, negated: false }]]];
    },
  },
  group: { read: readGroup },
  proto: {
    read: (text) => {
      const protocol = callProtocol(text);
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
  mark: { read: readMark },
  ...detailRecord(detail),
};
