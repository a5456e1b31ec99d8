/** Nodes are told to be the same exactly where every call comes to the same by both; where not, the call that is named does not. */
import {
  BUILTIN_CHAINS,
  elementAt,
  type Packet,
  type Rule,
  rewritingOf,
  type Table,
  UNCHANGED,
} from '@sockfilter/table';
import fc from 'fast-check';
import { callOf } from '../../packages/kernel/src/askedcall.js';
import { type WalkableBlob, walkBlob } from '../../packages/kernel/src/blobwalk.js';
import { compileTable } from '../../packages/kernel/src/generation.js';
import { OP, SWITCH_NODES } from '../../packages/kernel/src/layout.js';
import { differingCall } from '../../packages/kernel/src/samenodes.js';
import { decisionWords } from '../arbitrary/decision.js';
import { opaqueTables } from '../arbitrary/opaque.js';
import { rewritingTables, smallSpace, smallTables } from '../arbitrary/smalltable.js';
import { tables } from '../arbitrary/table.js';
import { propertyRuns } from '../harness/length.js';
import { tableOf } from '../harness/policy.js';

const nodesOf = (table: Table): WalkableBlob => compileTable(table).blob;
const walk = (blob: WalkableBlob, packet: Packet) => decisionWords(walkBlob(blob, packet));

/** The call of each chain in which they differ, by the comparison. */
function differences(one: WalkableBlob, other: WalkableBlob): readonly Packet[] {
  return BUILTIN_CHAINS.flatMap((chain) => {
    const entries = { left: one.entries[chain], right: other.entries[chain] };
    const asked = differingCall(one, other, chain, entries);
    return asked ? [callOf(chain, asked)] : [];
  });
}

function requireTrue(one: WalkableBlob, other: WalkableBlob, packets: readonly Packet[]): number {
  const calls = differences(one, other);
  for (const call of calls)
    expect({ call, comesTo: walk(one, call) }).not.toEqual({ call, comesTo: walk(other, call) });
  const differing = new Set(calls.map(({ chain }) => chain));
  for (const packet of packets.filter(({ chain }) => !differing.has(chain)))
    expect({ packet, comesTo: walk(one, packet) }).toEqual({
      packet,
      comesTo: walk(other, packet),
    });
  return calls.length;
}

const rewrites = ({ chains }: Table) =>
  chains.some(({ rules }) => rules.some(({ target }) => rewritingOf(target) !== UNCHANGED));

/** The table with the target, or the matches, of one rule those of another of its chain. */
function withOther(table: Table, seed: number): Table {
  const chains = table.chains.map((chain) => {
    const { rules } = chain;
    const from = rules[seed % Math.max(1, rules.length)];
    const at = (seed >> 3) % Math.max(1, rules.length);
    const change = (rule: Rule): Rule =>
      from
        ? { ...rule, ...(seed & 4 ? { target: from.target } : { matches: from.matches }) }
        : rule;
    return { ...chain, rules: rules.map((rule, n) => (n === at ? change(rule) : rule)) };
  });
  return { ...table, chains };
}

it('of a table and one with a rule changed', () => {
  let [same, different] = [0, 0];
  fc.assert(
    fc.property(smallTables, fc.nat(255), ([table], seed) => {
      fc.pre(!rewrites(table));
      const other = withOther(table, seed);
      const found = requireTrue(nodesOf(table), nodesOf(other), smallSpace(table, other));
      different += found;
      same += BUILTIN_CHAINS.length - found;
    }),
    { numRuns: propertyRuns(160) },
  );
  expect(same).toBeGreaterThan(20);
  expect(different).toBeGreaterThan(20);
});

it('whatever they do, they are the same as themselves', () => {
  fc.assert(
    fc.property(fc.oneof(tables(4), rewritingTables, opaqueTables(tables(3))), (table) => {
      expect(differences(nodesOf(table), nodesOf(table))).toEqual([]);
    }),
    { numRuns: propertyRuns(80) },
  );
});

const TABLE = tableOf(
  [
    '-P CONNECT DROP',
    ...Array.from({ length: 10 }, (_, n) => `-A CONNECT -m cgroup --id ${n} -d 10.0.0.5 -j ACCEPT`),
    '-A CONNECT -p tcp --dport 80:90 -j LOG',
    '-A CONNECT -m mark --mark 0x10/0x10 -j REJECT',
  ].join('\n'),
);

it('with a value of a node, a verdict or a counter changed', () => {
  const whole = nodesOf(TABLE);
  const packets = smallSpace(TABLE).filter(({ chain }) => chain === 'CONNECT');
  let told = 0;
  for (let at = 0, length = 2; at < whole.words.length; at += length) {
    const op = elementAt(whole.words, at) >>> 24;
    length = op === OP.switch ? 2 * SWITCH_NODES : 2;
    const isLeftOut = elementAt(whole.words, at) === 0;
    if (op === OP.jump || op === OP.switch || isLeftOut) continue;
    // A value that is compared, or the counter.
    const word = op < OP.jump ? at : at + 1;
    const words = whole.words.slice();
    words[word] = elementAt(words, word) ^ 1;
    told += requireTrue({ ...whole, words }, whole, packets);
  }
  expect(told).toBeGreaterThan(30);
});

it('and nodes that lead in a circle are told', () => {
  const whole = nodesOf(TABLE);
  const words = whole.words.slice();
  const entry = whole.entries.CONNECT;
  words[2 * (entry - whole.first)] = OP.jump * 2 ** 24;
  words[2 * (entry - whole.first) + 1] = entry;
  expect(() => differences({ ...whole, words }, whole)).toThrow(RangeError);
  expect(() => walkBlob({ ...whole, words }, callOf('CONNECT', new Map()))).toThrow(RangeError);
});
