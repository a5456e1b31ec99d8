/** What is said of tables in slices, held against what one diagram says. */
import {
  builtinChain,
  counterOwners,
  isUnchanged,
  type Rule,
  rewritingOf,
  type Table,
} from '@sockfilter/table';
import fc from 'fast-check';
import { crossingTables } from '../../../../test/arbitrary/crossing.js';
import { packetSource } from '../../../../test/arbitrary/packet.js';
import { seeded } from '../../../../test/arbitrary/random.js';
import { tables } from '../../../../test/arbitrary/table.js';
import { propertyRuns } from '../../../../test/harness/length.js';
import type { LoadedTable } from './loadedtable.js';
import { includes } from './packetset.js';
import { Universe } from './universe.js';
import { witness } from './witness.js';

const CALLS = 60;

/** How the rules of CONNECT are called: not at all, once before they stand there again, or twice. */
type Calls = 'none' | 'jump' | 'goto' | 'twice';

/** The table with those rules of CONNECT that don't leave it in another chain as well, which CONNECT calls. */
function called(table: Table, calls: Calls): Table {
  const connect = builtinChain(table, 'CONNECT');
  if (calls === 'none') return table;
  const isLeaving = ({ target }: Rule) => target?.kind === 'return' || target?.kind === 'goto';
  const rules = connect.rules.filter((rule) => !isLeaving(rule));
  const call = (kind: 'jump' | 'goto') =>
    ({ matches: [], target: { kind, chain: 'inner' }, packets: 0n }) as const;
  const some = rules.slice(0, 3);
  const outer =
    calls === 'twice'
      ? [call('jump'), ...some, call('jump'), ...some]
      : [...some, call(calls), ...rules.slice(2)];
  const chains = table.chains.map((chain) =>
    chain === connect ? { ...chain, rules: outer.map((rule) => ({ ...rule })) } : chain,
  );
  return { ...table, chains: [...chains, { ...connect, name: 'inner', policy: undefined, rules }] };
}

function unrewriting(table: Table): Table {
  const isKept = ({ target }: Rule) => isUnchanged(rewritingOf(target));
  const chains = table.chains.map((chain) => ({ ...chain, rules: chain.rules.filter(isKept) }));
  return { ...table, chains };
}

/** All that findings are made of. */
function answers(loaded: LoadedTable, table: Table, seed: number) {
  const next = packetSource(table, seeded(seed));
  const calls = Array.from({ length: CALLS }, next);
  const counters = counterOwners(table).map((_, counter) => counter);
  return {
    accepted: calls.map((call) => includes(loaded.mayAccept, call)),
    refused: calls.map((call) => includes(loaded.mayRefuse, call)),
    dead: loaded.deadCounters(),
    redundant: loaded.redundantCounters(),
    changing: [...loaded.changingInFront(new Set(loaded.deadCounters()))],
    examples: counters.map((counter) => loaded.exampleOf(counter)),
    counted: counters.map((counter) => witness(loaded.countedBy(counter))),
    decided: counters.map((counter) => {
      const set = loaded.decidedBy(counter);
      return calls.map((call) => includes(set, call));
    }),
    deciders: counters.map((counter) => loaded.deciders(loaded.conditionOf(counter))),
    arriving: table.chains.map(({ name }) => witness(loaded.arrivingAt(name))),
  };
}

test('a table in slices is analysed as in one diagram', () => {
  const seen = { sliced: 0, dead: 0, redundant: 0, inCalled: 0, callRedundant: 0, counting: 0 };
  const check = (table: Table, seed: number, layerEdges: number) => {
    const whole = new Universe().load(table);
    const loaded = new Universe({ layerEdges }).load(table);
    const wanted = answers(whole, table, seed);
    expect(answers(loaded, table, seed)).toEqual(wanted);
    expect(whole.isSliced).toBe(false);
    if (!loaded.isSliced) return;
    seen.sliced++;
    if (wanted.dead.length > 0) seen.dead++;
    if (wanted.redundant.length > 0) seen.redundant++;
    const owners = wanted.redundant.map((counter) => loaded.ownerOf(counter));
    if (owners.some(({ chain }) => chain.name === 'inner')) seen.inCalled++;
    if (owners.some(({ rule }) => rule?.target?.kind === 'jump')) seen.callRedundant++;
    if (table.chains.some(({ rules }) => rules.some(({ target }) => !target))) seen.counting++;
  };
  fc.assert(
    fc.property(
      crossingTables(20),
      fc.constantFrom<Calls>('none', 'jump', 'goto', 'twice'),
      fc.integer(),
      fc.integer({ min: 1, max: 300 }),
      (table, calls, ...more) => check(called(table, calls), ...more),
    ),
    { numRuns: propertyRuns(100) },
  );
  for (const count of Object.values(seen)) expect(count).toBeGreaterThan(0);
});

test('so is one with every match there is', () => {
  let sliced = 0;
  fc.assert(
    fc.property(tables(4), fc.integer(), (any, seed) => {
      const table = unrewriting(any);
      const loaded = new Universe({ layerEdges: 10 }).load(table);
      if (loaded.isSliced) sliced++;
      expect(answers(loaded, table, seed)).toEqual(
        answers(new Universe().load(table), table, seed),
      );
    }),
    { numRuns: propertyRuns(40) },
  );
  expect(sliced).toBeGreaterThan(0);
});
