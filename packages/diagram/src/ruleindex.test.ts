import {
  EMPTY_TABLE,
  fieldValue,
  type Match,
  type MatchOption,
  type Rule,
  ruleCondition,
} from '@sockfilter/table';
import { PACKET } from '../../../test/arbitrary/ordinary.js';
import { placeRules } from './placedrule.js';
import { RuleIndex } from './ruleindex.js';

function ruleTo(address: bigint, mask: bigint, negated = false): Rule {
  const option: MatchOption = {
    name: 'destination',
    negated,
    value: { kind: 'network', family: 4, address, mask },
  };
  const match: Match = { name: 'ip', options: [option] };
  return { matches: [match], target: { kind: 'accept' }, packets: 0n };
}

function indexOf(rules: readonly Rule[]): (destination: bigint) => readonly number[] {
  const chain = { name: 'CONNECT', policy: 'ACCEPT' as const, packets: 0n, rules };
  const table = { ...EMPTY_TABLE, chains: [chain] };
  const placed = placeRules(table).get(chain) ?? [];
  const index = new RuleIndex(placed, (rule) => ruleCondition(rule, table));
  return (destination) => {
    const call = { ...PACKET, destination };
    return index.rulesFor((field) => fieldValue(call, field)).map(({ number }) => number);
  };
}

const ALL = 0xffffffffn;

test('a call is held against the rules of its own address and its networks, in order', () => {
  const rules = Array.from({ length: 1000 }, (_, n) => ruleTo(0x0a000000n + BigInt(n), ALL));
  const find = indexOf([ruleTo(0x0a000000n, 0xff000000n), ...rules, ruleTo(0n, 0n)]);
  expect(find(0x0a000005n)).toEqual([1, 7, 1002]);
  expect(find(0x0b000005n)).toEqual([1002]);
});

test('what a negation or a mask with holes lets through is not left out', () => {
  const exact = [1n, 2n, 3n].map((address) => ruleTo(address, ALL));
  const find = indexOf([...exact, ruleTo(2n, ALL, true), ruleTo(1n, 0x000000ffn)]);
  expect(find(2n)).toEqual([2, 4, 5]);
  expect(find(0x0a000001n)).toEqual([4, 5]);
});

test('where the value is not known all rules are asked', () => {
  const rules = [1n, 2n, 3n].map((address) => ruleTo(address, ALL));
  const chain = { name: 'CONNECT', policy: 'ACCEPT' as const, packets: 0n, rules };
  const table = { ...EMPTY_TABLE, chains: [chain] };
  const placed = placeRules(table).get(chain) ?? [];
  const index = new RuleIndex(placed, (rule) => ruleCondition(rule, table));
  expect(index.rulesFor(() => undefined)).toBe(placed);
  expect(index.rulesFor((field) => (field === 'destination' ? 2n : 0n))).toEqual([placed[1]]);
});
