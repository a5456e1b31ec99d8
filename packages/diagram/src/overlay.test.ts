/** Diagrams laid over each other at once, held against the same two by two. */
import { type Clause, elementAt, type Rule, ruleCondition } from '@sockfilter/table';
import fc from 'fast-check';
import { tables } from '../../../test/arbitrary/table.js';
import { propertyRuns } from '../../../test/harness/length.js';
import { terminalsWithin } from './analysis/within.js';
import { ConditionCompiler } from './condition.js';
import { intervalPath } from './intervalpath.js';
import { DEFAULT_LIMITS } from './limit.js';
import { defineGuard, defineOperation, NONE } from './operation.js';
import { overlayAll } from './overlay.js';
import { DiagramStore, isTerminal, type Ref, terminalNumber, terminalRef } from './store.js';

const RUNS = { numRuns: propertyRuns(30) };

/** A terminal of a set of rules, by bits, and whether nothing can be added. NONE is the empty open one. */
const meaning = (rules: number, isClosed: boolean) => terminalRef(rules * 2 + Number(isClosed));
const isClosed = (terminal: Ref) => terminalNumber(terminal) % 2 === 1;

function makeStore() {
  const store = new DiagramStore(DEFAULT_LIMITS);
  const pair = defineOperation(store, (a, b) => {
    if (a === NONE) return b;
    if (b === NONE) return a;
    if (!isTerminal(a)) return undefined;
    if (isClosed(a)) return a;
    if (!isTerminal(b)) return undefined;
    return meaning((terminalNumber(a) >> 1) | (terminalNumber(b) >> 1), isClosed(b));
  });
  const guard = defineGuard(store);
  return { store, pair, guard, conditions: new ConditionCompiler(store, { overlay: pair, guard }) };
}

const MOST = 20;

/** Conditions of rules, with many that differ in one value. */
const conditions = fc
  .tuple(tables(6), fc.array(fc.tuple(fc.nat(5), fc.nat(3), fc.nat(40), fc.nat(9), fc.boolean())))
  .map(([table, exact]) => {
    const rules: readonly Rule[] = table.chains.flatMap((chain) => chain.rules);
    const others = exact.map(([host, length, port, ports, hasPort]): readonly Clause[] => {
      const address = (10n << 24n) + (BigInt(host) << 16n) + 1n;
      const free = (1n << BigInt(5 * length)) - 1n;
      const range = (from: bigint, to: bigint) => ({
        kind: 'ranges' as const,
        ranges: [[from, to] as const],
      });
      const is = (
        field: 'destination' | 'destinationPort' | 'family',
        from: bigint,
        to: bigint,
      ) => [{ field, set: range(from, to), negated: false }];
      const low = address - (address & free);
      return [
        is('family', 4n, 4n),
        is('destination', low, low + free),
        ...(hasPort ? [is('destinationPort', BigInt(port), BigInt(port + ports))] : []),
      ];
    });
    const own = rules.map((rule) => ruleCondition(rule, table));
    return [...own, ...others].slice(0, MOST);
  });

test('many at once are what they are two by two, in whatever order', () => {
  fc.assert(
    fc.property(
      conditions.chain((all) => fc.shuffledSubarray(all, { minLength: all.length })),
      fc.integer(),
      (clauses, closed) => {
        const { store, pair, conditions: compiler } = makeStore();
        const parts = clauses.map((each, n) =>
          compiler.compile(each, meaning(1 << n, ((closed >> n) & 1) === 1)),
        );
        const blamed: (readonly [number, number])[] = [];
        const all = overlayAll(store, parts, {
          pair,
          isOver: isClosed,
          during: (from, to, work) => {
            blamed.push([from, to]);
            return work();
          },
        });
        expect(all).toBe(parts.reduceRight((rest, part) => pair(part, rest), NONE));
        for (const [from, to] of blamed) {
          expect(from).toBeLessThan(to);
          expect(to).toBeLessThan(parts.length);
        }
      },
    ),
    RUNS,
  );
});

test('over a terminal they are what they come to, and that below it', () => {
  fc.assert(
    fc.property(conditions, fc.integer(), fc.boolean(), (clauses, closed, arePaths) => {
      const { store, pair, conditions: compiler } = makeStore();
      const hit = (n: number) => meaning(1 << n, ((closed >> n) & 1) === 1);
      const below = meaning(1 << clauses.length, true);
      const parts = clauses.map((each, n) => compiler.compile(each, hit(n)));
      const { paths } = compiler;
      const links = clauses.map((each, n) => {
        const path = arePaths ? intervalPath(each) : undefined;
        return path ? paths.add(path, hit(n)) : elementAt(parts, n);
      });
      const all = overlayAll(store, links, { pair, isOver: isClosed, paths, below });
      expect(all).toBe(parts.reduceRight((rest, part) => pair(part, rest), below));
    }),
    RUNS,
  );
});

test.each([NONE, meaning(1001, true)])(
  'values that differ are sorted, and each node is made once',
  (below) => {
    const { store, pair, conditions: compiler } = makeStore();
    const rules = Array.from({ length: 1000 }, (_, n) => (n * 7919) % 1000);
    const parts = rules.map((port) => {
      const set = { kind: 'ranges' as const, ranges: [[BigInt(port), BigInt(port)] as const] };
      return compiler.compile(
        [[{ field: 'destinationPort', set, negated: false }]],
        meaning(port + 1, true),
      );
    });
    const before = store.edgeCount;
    const all = overlayAll(store, parts, { pair, isOver: isClosed, below });
    expect(store.edgeCount - before).toBe(1001);
    for (const port of [0, 1, 500, 999])
      expect(store.follow(all, port)).toBe(meaning(port + 1, true));
    expect(store.follow(all, 1000)).toBe(below);
  },
);

test('terminals within a set are those of the diagram cut to it', () => {
  fc.assert(
    fc.property(conditions, conditions, (first, second) => {
      const { store, pair, guard, conditions: compiler } = makeStore();
      const lay = (all: readonly (readonly Clause[])[], hit: (n: number) => Ref) =>
        overlayAll(
          store,
          all.map((each, n) => compiler.compile(each, hit(n))),
          { pair, isOver: isClosed },
        );
      const set = lay(first, () => meaning(0, true));
      const diagram = lay(second, (n) => meaning(1 << n, true));
      const within = [...terminalsWithin(store, set, diagram, NONE)].filter((ref) => ref !== NONE);
      const cut = [...store.reachable(guard(set, diagram))].filter(
        (ref) => isTerminal(ref) && ref !== NONE,
      );
      expect(within.sort()).toEqual(cut.sort());
    }),
    RUNS,
  );
});
