import {
  counterOwners,
  type Decision,
  EMPTY_TABLE,
  elementAt,
  evaluator,
  type MatchOption,
  type Packet,
  type Rule,
  requireValid,
  TARGETS,
  type Table,
  type Target,
} from '@sockfilter/table';
import fc from 'fast-check';
import { decisionWords } from '../../../test/arbitrary/decision.js';
import { PACKET } from '../../../test/arbitrary/ordinary.js';
import { packets, tables } from '../../../test/arbitrary/table.js';
import { propertyRuns } from '../../../test/harness/length.js';
import { buildDiagram } from './build.js';
import { build, gather } from './built.js';
import { type Diagram, decide } from './diagram.js';
import { DEFAULT_LIMITS } from './limit.js';

/** Diagrams that were divided by hand do not keep together what is traced. */
const withoutReports = (decision: Decision): Decision => ({ ...decision, reports: [] });

function expectSame(
  table: Table,
  diagram: Diagram,
  calls: readonly Packet[],
  shown: (decision: Decision) => Decision = (decision) => decision,
) {
  const evaluate = evaluator(table);
  for (const packet of calls) {
    const [decision, wanted] = [shown(decide(diagram, packet)), shown(evaluate(packet))];
    expect(decisionWords(decision)).toBe(decisionWords(wanted));
    if (diagram.roots.length === 1) expect(decision.reports).toEqual(wanted.reports);
  }
}

const someCalls = fc.array(packets, { minLength: 20, maxLength: 60 });

function ruleWhere(target: Target | undefined, ...options: readonly MatchOption[]): Rule {
  return { matches: [{ name: 'socket', options }], target, packets: 0n };
}

/** A rule on one port bit of the local end and one of the remote. */
function portRule(target: Target | undefined, local: number, remote: number): Rule {
  const option = (name: string, from: number): MatchOption => ({
    name,
    negated: false,
    value: { kind: 'portRange', from, to: 65535 },
  });
  return ruleWhere(target, option('local-port', local), option('remote-port', remote));
}

function tableWith(chain: string, rules: readonly Rule[]): Table {
  const chains = EMPTY_TABLE.chains.map((each) =>
    each.name === chain ? { ...each, rules } : each,
  );
  return requireValid({ ...EMPTY_TABLE, chains });
}

test('the tables of the generator are valid, and their rules of every kind decide and count', () => {
  const deciders = new Set<string>();
  fc.assert(
    fc.property(tables(5), someCalls, (table, calls) => {
      requireValid(table);
      const owners = counterOwners(table);
      const evaluate = evaluator(table);
      for (const packet of calls) {
        const { counted } = evaluate(packet);
        for (const counter of counted) {
          const rule = elementAt(owners, counter).rule;
          deciders.add(rule ? `target ${rule.target?.kind}` : 'policy');
          for (const match of rule?.matches ?? [])
            for (const { name, negated } of match.options)
              deciders.add(`${match.name}${negated ? ' !' : ''} ${name}`);
        }
      }
    }),
    // What it makes is a claim about the generator: the same each time, not now and then.
    { numRuns: 500, seed: 1 },
  );
  for (const target of ['undefined', ...Object.keys(TARGETS)])
    expect(deciders).toContain(`target ${target}`);
  for (const name of ['ip source', 'ip ! destination', 'multiport ports', 'multiport ! ports'])
    expect(deciders).toContain(name);
  for (const name of ['iprange src-range', 'cgroup path', 'cgroup ! id', 'owner gid-owner'])
    expect(deciders).toContain(name);
  for (const name of ['socket local', 'socket ! remote', 'socket remote-port', 'tcp tcp-flags'])
    expect(deciders).toContain(name);
});

test('the diagram decides and counts as evaluate does', () => {
  fc.assert(
    fc.property(tables(3), someCalls, (table, calls) => {
      expectSame(table, buildDiagram(table), calls);
    }),
    { numRuns: propertyRuns(200) },
  );
});

test('verdicts and counts may lie in diagrams of their own, however the counters are divided', () => {
  fc.assert(
    fc.property(tables(3), someCalls, fc.integer({ min: 1, max: 4 }), (table, calls, parts) => {
      const counting = Array.from({ length: parts }, (_, part) =>
        build(
          table,
          { verdicts: false, counts: (counter) => counter % parts === part, asksSets: true },
          DEFAULT_LIMITS,
        ),
      );
      const verdicts = build(
        table,
        { verdicts: true, counts: () => false, asksSets: true },
        DEFAULT_LIMITS,
      );
      expectSame(table, gather([...counting, verdicts], DEFAULT_LIMITS), calls, withoutReports);
    }),
    { numRuns: propertyRuns(60) },
  );
});

test('what is traced stays in the diagram of the verdicts, where others only count', () => {
  const rules = Array.from({ length: 120 }, (_, index) =>
    portRule(undefined, index * 500, ((index * 37) % 120) * 500),
  );
  const chains = EMPTY_TABLE.chains.map((each) => {
    if (each.name === 'CONNECT') return { ...each, rules };
    const traced = [portRule({ kind: 'trace' }, 0, 500), portRule(undefined, 500, 0)];
    return each.name === 'SENDTO' ? { ...each, rules: traced } : each;
  });
  const table = requireValid({ ...EMPTY_TABLE, chains });
  const diagram = buildDiagram(table);
  expect(diagram.roots.length).toBeGreaterThan(1);
  const packet = { ...PACKET, chain: 'SENDTO', protocol: 17, flags: 0, sourcePort: 600 } as const;
  expectSame(table, diagram, [{ ...packet, destinationPort: 700 }, packet]);
  const { reports } = decide(diagram, { ...packet, destinationPort: 700 });
  expect(reports.map(({ kind }) => kind)).toEqual(['trace', 'trace', 'trace']);
});

test('rules that count and overlap a lot get diagrams that only count', () => {
  const rules = Array.from({ length: 120 }, (_, index) =>
    portRule(undefined, index * 500, ((index * 37) % 120) * 500),
  );
  const table = tableWith('CONNECT', [...rules, portRule({ kind: 'drop' }, 30_000, 30_000)]);
  const diagram = buildDiagram(table);
  expect(diagram.roots.length).toBeGreaterThan(1);
  const ports = Array.from({ length: 200 }, (_, index) => ({
    ...PACKET,
    sourcePort: (index * 7919) % 65536,
    destinationPort: (index * 104729) % 65536,
  }));
  expectSame(table, diagram, ports);
});

test('one diagram is enough where counting rules are disjoint', () => {
  const rules = Array.from({ length: 300 }, (_, index) => {
    const value = { kind: 'portRange', from: index * 100, to: index * 100 + 99 } as const;
    return ruleWhere(undefined, { name: 'remote-port', negated: false, value });
  });
  expect(buildDiagram(tableWith('CONNECT', rules)).roots).toHaveLength(1);
});

test('a chain that is called twice counts twice', () => {
  const call: Rule = { matches: [], target: { kind: 'jump', chain: 'twice' }, packets: 0n };
  const base = tableWith('CONNECT', []);
  const rules: readonly Rule[] = [{ matches: [], target: undefined, packets: 0n }];
  const table: Table = {
    ...base,
    chains: [
      ...base.chains.map((chain) =>
        chain.name === 'CONNECT' ? { ...chain, rules: [call, call] } : chain,
      ),
      { name: 'twice', policy: undefined, packets: 0n, rules },
    ],
  };
  const inside = counterOwners(table).findIndex(({ chain }) => chain.name === 'twice');
  const { counted } = decide(buildDiagram(table), PACKET);
  expect(counted.filter((counter) => counter === inside)).toHaveLength(2);
});

test('an address with bits outside its mask matches nothing', () => {
  const value = { kind: 'network', family: 4, address: 0x0a000001n, mask: 0xff000000n } as const;
  const rule = ruleWhere({ kind: 'drop' }, { name: 'remote', negated: false, value });
  const calls = [0x0a000001n, 0x0a000000n, 0n].map((destination) => ({ ...PACKET, destination }));
  const table = tableWith('CONNECT', [rule]);
  expectSame(table, buildDiagram(table), calls);
});
