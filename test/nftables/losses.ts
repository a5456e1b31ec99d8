/**
 * What nft itself doesn't take back of its own JSON, seen in 1.0.6: not what a library can mend, for the
 * listing doesn't have what is missing. Each row is tried: were it taken back, its test would say so.
 */
import type { Item, Statement } from 'nftables-json';

export interface Loss {
  readonly reason: string;
  readonly of: (item: Item) => boolean;
}

const statements = (item: Item): readonly Statement[] =>
  'rule' in item ? (item.rule.expr ?? []) : [];

const has = (item: Item, pattern: RegExp) => pattern.test(JSON.stringify(item));

export const LOSSES: readonly Loss[] = [
  {
    reason: 'a statement that is printed as text',
    of: (item) => statements(item).some((statement) => typeof statement === 'string'),
  },
  {
    reason: 'a rule of which nft itself can make nothing',
    of: (item) => 'rule' in item && item.rule.expr === undefined,
  },
  {
    reason: 'the device of a chain is not printed',
    of: (item) =>
      'chain' in item && /gress/.test(item.chain.hook ?? '') && item.chain.dev === undefined,
  },
  { reason: 'synproxy objects are not read', of: (item) => 'synproxy' in item },
  {
    reason: 'a field that nft prints without knowing it',
    of: (item) => has(item, /"field":"unknown"/),
  },
  {
    reason: 'a value of no known type',
    of: (item) => has(item, /\[invalid type\]/),
  },
  {
    reason: 'ct expectations are printed and read differently',
    of: (item) => 'ct expectation' in item,
  },
  {
    reason: 'a type that has no size, where `typeof` is not printed',
    of: (item) => 'set' in item && (item.set.type === 'integer' || item.set.type === 'string'),
  },
  {
    reason: 'comments of sets are not read',
    of: (item) => 'set' in item && item.set.comment !== undefined,
  },
  {
    reason: 'counters of elements are not read',
    of: (item) => ('set' in item || 'map' in item) && has(item, /"counter":\{"packets":[1-9]/),
  },
  { reason: 'policies of ct timeouts are not read', of: (item) => 'ct timeout' in item },
  {
    reason: 'values of maps that are concatenations are not read',
    of: (item) => 'map' in item && typeof item.map.map === 'string' && item.map.map.includes(' . '),
  },
  {
    reason: 'flags of tables are printed wrong',
    of: (item) => 'table' in item && item.table.flags !== undefined,
  },
  {
    reason: 'cgroupv2 without its level',
    of: (item) => has(item, /"cgroupv2"/),
  },
];
