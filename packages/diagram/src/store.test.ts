import { EMPTY_TABLE, elementAt, type Rule, type Table } from '@sockfilter/table';
import fc from 'fast-check';
import { tables } from '../../../test/arbitrary/table.js';
import { propertyRuns } from '../../../test/harness/length.js';
import { buildDiagram } from './build.js';
import { type Diagram, verdictRoot } from './diagram.js';
import { DEFAULT_LIMITS } from './limit.js';
import { PIECES } from './piece.js';
import { DiagramStore, isTerminal, type Ref, terminalRef } from './store.js';

/** The verdict diagrams in one store, with terminals that tell the errno alone. */
function verdicts(...diagrams: readonly Diagram[]): readonly Ref[] {
  const store = new DiagramStore(DEFAULT_LIMITS);
  return diagrams.flatMap((diagram) =>
    store.copy(diagram.store, [verdictRoot(diagram)], (terminal) =>
      terminalRef(diagram.outcomes.of(terminal).verdict?.errno ?? -1),
    ),
  );
}

/** The table with the rules of each chain changed. */
function withRules(table: Table, change: (rules: readonly Rule[]) => readonly Rule[]): Table {
  const chains = table.chains.map((chain) => ({ ...chain, rules: change(chain.rules) }));
  return { ...table, chains };
}

/** What is wrong with the nodes of a store that should hold nothing but what the roots reach. */
function faults({ store, roots }: Diagram): readonly string[] {
  const found: string[] = [];
  const check = (holds: boolean, fault: string) => {
    if (!holds) found.push(fault);
  };
  const seen = new Set<string>();
  for (let node = 0; node < store.nodeCount; node++) {
    const piece = store.pieceOf(node);
    const first = store.firstEdge(node);
    let key = `${piece}`;
    check(store.endEdge(node) - first > 1, `node ${node} has one target`);
    check(store.edgeStart(first) === 0, `node ${node} does not begin at 0`);
    for (let edge = first; edge < store.endEdge(node); edge++) {
      const start = store.edgeStart(edge);
      const target = store.edgeTarget(edge);
      check(store.pieceOf(target) > piece, `node ${node} leads to an earlier piece`);
      check(target < node, `node ${node} leads to a later node`);
      check(
        start < 2 ** elementAt(PIECES, piece).bits,
        `node ${node} has an interval past its piece`,
      );
      if (edge > first) {
        check(start > store.edgeStart(edge - 1), `node ${node} is not sorted`);
        check(target !== store.edgeTarget(edge - 1), `node ${node} has a needless interval`);
      }
      key += ` ${start}:${target}`;
    }
    check(!seen.has(key), `node ${node} is there twice`);
    seen.add(key);
  }
  const { nodes, edges } = store.size(roots);
  check(nodes === store.nodeCount && edges === store.edgeCount, 'there is garbage');
  return found;
}

test('finished diagrams are reduced, ordered and without garbage', () => {
  fc.assert(
    fc.property(tables(2), (table) => {
      expect(faults(buildDiagram(table))).toEqual([]);
    }),
    { numRuns: propertyRuns(100) },
  );
});

test('below family 4 only the last two pieces of an address are asked', () => {
  const family = PIECES.findIndex(({ field }) => field === 'family');
  fc.assert(
    fc.property(tables(2), (table) => {
      const { store, roots } = buildDiagram(table);
      const seen = new Set<string>();
      let asked = 0;
      const visit = (ref: Ref, inside: boolean) => {
        if (isTerminal(ref) || seen.has(`${ref} ${inside}`)) return;
        seen.add(`${ref} ${inside}`);
        const { field, index } = elementAt(PIECES, store.pieceOf(ref));
        if (inside && index < 6 && (field === 'source' || field === 'destination')) asked++;
        for (let edge = store.firstEdge(ref); edge < store.endEdge(ref); edge++)
          visit(
            store.edgeTarget(edge),
            inside || (store.pieceOf(ref) === family && store.edgeStart(edge) === 0),
          );
      };
      for (const root of roots) visit(root, false);
      expect(asked).toBe(0);
    }),
    { numRuns: propertyRuns(100) },
  );
});

test('the same table gives the same diagram, number by number', () => {
  fc.assert(
    fc.property(tables(2), (table) => {
      const [a, b] = [buildDiagram(table), buildDiagram(structuredClone(table))];
      expect(a.roots).toEqual(b.roots);
      const meanings = ({ outcomes }: Diagram) =>
        Array.from({ length: outcomes.length }, (_, n) => outcomes.of(terminalRef(n)));
      expect(meanings(a)).toEqual(meanings(b));
      expect(a.store.edgeCount).toBe(b.store.edgeCount);
      const edges = ({ store }: Diagram) =>
        Array.from({ length: store.edgeCount }, (_, edge) => [
          store.edgeStart(edge),
          store.edgeTarget(edge),
        ]);
      expect(edges(a)).toEqual(edges(b));
    }),
    { numRuns: propertyRuns(20) },
  );
});

test('tables that decide alike have one verdict diagram', () => {
  fc.assert(
    fc.property(tables(2), (table) => {
      const counting: Rule = { matches: [], target: undefined, packets: 0n };
      const same = withRules(table, (rules) => [
        counting,
        // A rule once more changes nothing, unless it calls a chain that came back.
        ...rules.flatMap((rule) => (rule.target?.kind === 'jump' ? [rule] : [rule, rule])),
      ]);
      const [a, b] = verdicts(buildDiagram(table), buildDiagram(same));
      expect(a).toBe(b);
    }),
    { numRuns: propertyRuns(50) },
  );
});

test('disjoint rules may stand in any order', () => {
  const ports = fc.uniqueArray(fc.integer({ min: 0, max: 65535 }), { maxLength: 20 });
  const errnos = fc.infiniteStream(fc.constantFrom('EPERM', 'EACCES'));
  fc.assert(
    fc.property(ports, errnos, fc.infiniteStream(fc.nat()), (all, kinds, order) => {
      const rules = all.map((port): Rule => {
        const value = { kind: 'portRange', from: port, to: port } as const;
        const { value: errno } = kinds.next();
        return {
          matches: [{ name: 'socket', options: [{ name: 'local-port', negated: false, value }] }],
          target: { kind: 'reject', errno: errno === 'EPERM' ? 'EPERM' : 'EACCES' },
          packets: 0n,
        };
      });
      const keys = new Map(rules.map((rule) => [rule, order.next().value]));
      const shuffled = rules.toSorted((a, b) => Number(keys.get(a)) - Number(keys.get(b)));
      const inConnect = (some: readonly Rule[]): Table => ({
        ...EMPTY_TABLE,
        chains: EMPTY_TABLE.chains.map((chain) =>
          chain.name === 'CONNECT' ? { ...chain, rules: some } : chain,
        ),
      });
      const [a, b, none] = verdicts(
        buildDiagram(inConnect(rules)),
        buildDiagram(inConnect(shuffled)),
        buildDiagram(EMPTY_TABLE),
      );
      expect(a).toBe(b);
      expect(a === none).toBe(rules.length === 0);
    }),
  );
});
