import { EMPTY_TABLE, type Rule, type Table, type Target } from '@sockfilter/table';
import { buildDiagram } from './build.js';
import { LimitError, type Limits } from './limit.js';

/** Matches where the mask's bits of both addresses are those of `address`. */
function holesRule(address: bigint, mask: bigint, target: Target | undefined): Rule {
  return {
    matches: [
      {
        name: 'ip',
        options: [
          { name: 'source', negated: false, value: { kind: 'network', family: 4, address, mask } },
          {
            name: 'destination',
            negated: false,
            value: { kind: 'network', family: 4, address, mask },
          },
        ],
      },
    ],
    target,
    packets: 0n,
  };
}

function connect(rules: readonly Rule[]): Table {
  return {
    ...EMPTY_TABLE,
    chains: EMPTY_TABLE.chains.map((chain) =>
      chain.name === 'CONNECT' ? { ...chain, rules } : chain,
    ),
  };
}

function limitOf(table: Table, limits: Partial<Limits>): LimitError {
  try {
    buildDiagram(table, limits);
  } catch (error) {
    if (error instanceof LimitError) return error;
    throw error;
  }
  throw new Error('no limit was reached');
}

const DROP: Target = { kind: 'drop' };
const ODD = 0x55555555n;
const EVEN = 0xaaaaaaaan;
const holes = connect([
  holesRule(0x11111111n, ODD, DROP),
  holesRule(0x22222222n, EVEN, { kind: 'accept' }),
  holesRule(0x00000000n, 0xff0ff0f0n, DROP),
]);

test('a limit names the figure and the rule that it is stuck at', () => {
  const error = limitOf(holes, { poolEdges: 1000 });
  expect(error).toMatchObject({ limit: 'poolEdges', figure: 1000 });
  expect(error.message).toBe(
    'the decision diagram needs more than 1000 edges while it is built: stuck at rule 1 of chain CONNECT',
  );
});

test('a limit names the rules whose merging reached it', () => {
  const error = limitOf(holes, { steps: 1_000 });
  expect(error.limit).toBe('steps');
  expect(error.span).toEqual({ chain: 'CONNECT', rules: [1, 2] });
  expect(error.message).toMatch(/stuck at rules 1 to 2 of chain CONNECT$/);
});

test('the finished diagram has a limit of its own', () => {
  expect(limitOf(holes, { edges: 100 })).toMatchObject({ limit: 'edges', figure: 100 });
});

test('counters have limits: in lists, and in diagrams', () => {
  const rules = Array.from({ length: 40 }, (_, index) => {
    const bit = 1n << BigInt(index % 32);
    return holesRule(bit, bit, undefined);
  });
  expect(limitOf(connect(rules), { countingDiagrams: 1 }).limit).toBe('countingDiagrams');
  const always: Rule = { matches: [], target: undefined, packets: 0n };
  expect(limitOf(connect([always, always, always]), { counted: 3 }).limit).toBe('counted');
});

test('chains that call each other twice a level do not hang', () => {
  const levels = Array.from({ length: 40 }, (_, level) => {
    const call: Rule = {
      matches: [],
      target: { kind: 'jump', chain: `level${level + 1}` },
      packets: 0n,
    };
    return { name: `level${level}`, policy: undefined, packets: 0n, rules: [call, call] };
  });
  const last = { name: 'level40', policy: undefined, packets: 0n, rules: [] };
  const start: Rule = { matches: [], target: { kind: 'jump', chain: 'level0' }, packets: 0n };
  const base = connect([start]);
  const error = limitOf({ ...base, chains: [...base.chains, ...levels, last] }, {});
  expect(error.limit).toBe('countingDiagrams');
});
