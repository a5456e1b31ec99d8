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
 *     mark           N, 0xN, or the value of some bits: N/MASK
 *
 * Every field has one value or several, of which one must hold; those with `!` must not hold. What a
 * region does not name may be anything: `remote: !10.0.0.0/8` is every IPv6 address too. A chain in
 * which there is no such field (BIND has no remote end) is outside.
 */
import { intersect, type PacketSet, subtract, type Universe, union } from '@sockfilter/diagram';
import { BUILTIN_CHAINS, chainNumber, type Table, valueSet } from '@sockfilter/table';
import { REGION_READERS } from './regionfield.js';
import { REGION_KEYS, type RegionKey } from './regionkey.js';

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
  const { read, absent = {} } = REGION_READERS[key];
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
  const lacking = BUILTIN_CHAINS.flatMap((chain) =>
    absent[chain] === undefined
      ? []
      : [[{ field: 'chain', set: valueSet(chainNumber(chain)), negated: false } as const]],
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
