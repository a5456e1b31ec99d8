/** Answers about whole tables, held against brute force over all packets that matter. */
import {
  counterOwners,
  elementAt,
  evaluator,
  isUnchanged,
  type Packet,
  rewritingOf,
  type Table,
  type Target,
} from '@sockfilter/table';
import fc from 'fast-check';
import { goesOnAs } from '../../../../test/arbitrary/decision.js';
import { smallSpace, smallTables, twiceRefused } from '../../../../test/arbitrary/smalltable.js';
import { packets, tables } from '../../../../test/arbitrary/table.js';
import { leastHits } from '../../../../test/harness/chance.js';
import { forLength, propertyRuns } from '../../../../test/harness/length.js';
import { difference } from './difference.js';
import { equals, includes, intersect, isEmpty, type PacketSet, union } from './packetset.js';
import { Universe } from './universe.js';

/** The packets of the set, as indexes; what `expect` compares at once. */
function members(set: PacketSet, space: readonly Packet[]): readonly number[] {
  return space.flatMap((packet, at) => (includes(set, packet) ? [at] : []));
}

function indexes<T>(items: readonly T[], wanted: (item: T) => boolean): readonly number[] {
  return items.flatMap((item, at) => (wanted(item) ? [at] : []));
}

/** The table without the rule at the position of its chain. */
function withoutRule(table: Table, name: string, at: number): Table {
  const chains = table.chains.map((chain) =>
    chain.name === name ? { ...chain, rules: chain.rules.toSpliced(at, 1) } : chain,
  );
  return { ...table, chains };
}

/** Whether a rule is there for more than a verdict. */
const isTold = (target: Target) =>
  target.kind === 'log' ||
  !isUnchanged(rewritingOf(target)) ||
  (target.kind === 'drop' && target.audited === true);

/** Whether a packet that is sent into the chain can meet a rule that is there for more than verdicts. */
function leadsToCounter(table: Table, name: string): boolean {
  const chain = table.chains.find((each) => each.name === name);
  return (chain?.rules ?? []).some(
    ({ target }) =>
      !target ||
      isTold(target) ||
      ((target.kind === 'jump' || target.kind === 'goto') && leadsToCounter(table, target.chain)),
  );
}

function bruteRedundant(table: Table, space: readonly Packet[]): readonly number[] {
  const evaluate = evaluator(table);
  const decisions = space.map((packet) => evaluate(packet));
  const counted = new Set(decisions.flatMap((decision) => decision.counted));
  return indexes([...counterOwners(table).entries()], ([counter, { chain, rule, number }]) => {
    if (!rule?.target || isTold(rule.target) || !counted.has(counter)) return false;
    const { target } = rule;
    if ((target.kind === 'jump' || target.kind === 'goto') && leadsToCounter(table, target.chain))
      return false;
    const removed = evaluator(withoutRule(table, chain.name, number - 1));
    // A call that does not meet the rule cannot miss it.
    return space.every((packet, at) => {
      const whole = elementAt(decisions, at);
      if (!whole.counted.includes(counter)) return true;
      const { errno, packet: goesOn } = removed(packet);
      return errno === whole.errno && goesOnAs(goesOn) === goesOnAs(whole.packet);
    });
  });
}

const RUNS = forLength({ long: 80, short: 40 });

test('deciding, counting, dead and redundant rules are what brute force finds', () => {
  const found = { dead: 0, redundant: new Set<string | undefined>(), counting: 0 };
  fc.assert(
    fc.property(smallTables, ([table]) => {
      const space = smallSpace(table);
      const evaluateOne = evaluator(table);
      const decisions = space.map((call) => evaluateOne(call));
      const loaded = new Universe().load(table);
      expect(members(loaded.mayAccept, space)).toEqual(indexes(decisions, (d) => d.errno === 0));
      expect(members(loaded.mayRefuse, space)).toEqual(indexes(decisions, (d) => d.errno > 0));

      const owners = counterOwners(table);
      const decided = owners.map((_, counter) => members(loaded.decidedBy(counter), space));
      expect(decided).toEqual(
        owners.map((_, counter) => indexes(decisions, (d) => d.decider === counter)),
      );
      const counted = owners.map((_, counter) =>
        indexes(decisions, (d) => d.counted.includes(counter)),
      );
      expect(owners.map((_, at) => members(loaded.countedBy(at), space))).toEqual(counted);
      const dead = indexes(counted, (each) => each.length === 0);
      expect(loaded.deadCounters()).toEqual(dead);
      const redundant = bruteRedundant(table, space);
      expect(loaded.redundantCounters()).toEqual(redundant);

      if (dead.length > 0) found.dead++;
      for (const counter of redundant)
        found.redundant.add(elementAt(owners, counter).rule?.target?.kind);
      if (owners.some(({ rule }, at) => rule && !rule.target && elementAt(counted, at).length > 0))
        found.counting++;
    }),
    { numRuns: RUNS, examples: [[[twiceRefused, twiceRefused]]] },
  );
  expect(found.dead).toBeGreaterThanOrEqual(leastHits(RUNS, 0.9));
  expect(found.counting).toBeGreaterThanOrEqual(leastHits(RUNS, 0.35));
  for (const kind of ['accept', 'drop', 'reject', 'return', 'jump', 'goto'])
    expect(found.redundant).toContain(kind);
});

test('a difference is what brute force finds, and none where the tables mean the same', () => {
  let same = 0;
  fc.assert(
    fc.property(smallTables, fc.nat(3), ([before, other], how) => {
      const [chain, another] = [elementAt(before.chains, how), elementAt(other.chains, how)];
      const after = {
        ...before,
        chains: before.chains.with(how, { ...chain, rules: another.rules }),
      };
      const space = smallSpace(before, after);
      const decisionsOf = (table: Table) => {
        const evaluate = evaluator(table);
        return space.map((packet) => evaluate(packet));
      };
      const [olds, news] = [decisionsOf(before), decisionsOf(after)];
      const both = space.map((_, at) => [elementAt(olds, at), elementAt(news, at)] as const);
      const universe = new Universe();
      const result = difference(universe.load(before), universe.load(after));
      const expected = (changed: (old: number, now: number) => boolean) =>
        indexes(both, ([old, now]) => changed(old.errno, now.errno));
      expect(members(result.newlyAccepted, space)).toEqual(
        expected((old, now) => old > 0 && now === 0),
      );
      expect(members(result.newlyRefused, space)).toEqual(
        expected((old, now) => old === 0 && now > 0),
      );
      expect(members(result.otherErrno, space)).toEqual(
        expected((old, now) => old > 0 && now > 0 && old !== now),
      );
      const isOther = ([old, now]: (typeof both)[number]) =>
        old.errno === 0 && now.errno === 0 && goesOnAs(old.packet) !== goesOnAs(now.packet);
      expect(members(result.otherRewriting, space)).toEqual(indexes(both, isOther));
      const isSame = both.every((each) => each[0].errno === each[1].errno && !isOther(each));
      expect(Object.values(result).every(isEmpty)).toBe(isSame);
      if (isSame) same++;
    }),
    { numRuns: propertyRuns(120) },
  );
  expect(same).toBeGreaterThanOrEqual(leastHits(propertyRuns(120), 0.25));
});

test('tables with every match there is: verdicts are those of evaluate', () => {
  fc.assert(
    fc.property(tables(3), fc.array(packets, { minLength: 30, maxLength: 60 }), (table, calls) => {
      const universe = new Universe();
      const loaded = universe.load(table);
      const evaluateOne = evaluator(table);
      const decisions = calls.map((call) => ({ ...evaluateOne(call), call }));
      expect(members(loaded.mayAccept, calls)).toEqual(indexes(decisions, (d) => d.errno === 0));
      const wrong = decisions.filter(
        ({ decider, counted, call }) =>
          !includes(loaded.decidedBy(decider), call) ||
          !counted.every((counter) => includes(loaded.countedBy(counter), call)) ||
          !counted.every((counter) => includes(loaded.conditionOf(counter), call)),
      );
      expect(wrong).toEqual([]);
      expect(equals(union(loaded.mayAccept, loaded.mayRefuse), universe.possible)).toBe(true);
      expect(isEmpty(intersect(loaded.mayAccept, loaded.mayRefuse))).toBe(true);
    }),
    { numRuns: propertyRuns(50) },
  );
});

test('what arrives at a chain is sent there by a call that counts it', () => {
  fc.assert(
    fc.property(smallTables, ([table]) => {
      const space = smallSpace(table);
      const evaluateOne = evaluator(table);
      const decisions = space.map((call) => ({ ...evaluateOne(call), call }));
      const loaded = new Universe().load(table);
      for (const { name, policy } of table.chains) {
        const calls = indexes(counterOwners(table), ({ rule }) => {
          const target = rule?.target;
          return (target?.kind === 'jump' || target?.kind === 'goto') && target.chain === name;
        });
        const arrived = indexes(decisions, ({ counted, call }) =>
          policy === undefined
            ? counted.some((counter) => calls.includes(counter))
            : call.chain === name,
        );
        expect(members(loaded.arrivingAt(name), space)).toEqual(arrived);
      }
    }),
    { numRuns: propertyRuns(60) },
  );
});

test('the deciders of a set are those of its packets', () => {
  fc.assert(
    fc.property(smallTables, fc.nat(), ([table], pick) => {
      const space = smallSpace(table);
      const loaded = new Universe().load(table);
      const set = loaded.conditionOf(pick % counterOwners(table).length);
      const inside = space.filter((packet) => includes(set, packet));
      const evaluateOne = evaluator(table);
      const deciders = new Set(
        inside.map((call) => evaluateOne(call)).map(({ decider }) => decider),
      );
      expect(loaded.deciders(set)).toEqual([...deciders].sort((a, b) => a - b));
    }),
    { numRuns: propertyRuns(100) },
  );
});
