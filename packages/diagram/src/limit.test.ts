import { EMPTY_TABLE, type Rule, type Table, type Target } from '@sockfilter/table';
import { Universe } from './analysis/universe.js';
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
const ALL = 0xffffffffn;
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

/** Each lets half of the calls pass, whichever. */
const drawing = (length: number) =>
  connect(
    Array.from(
      { length },
      (): Rule => ({
        matches: [
          {
            name: 'statistic',
            options: [
              { name: 'mode', negated: false, value: { kind: 'word', word: 'random' } },
              {
                name: 'probability',
                negated: false,
                value: { kind: 'probability', threshold: 2 ** 30 },
              },
            ],
          },
        ],
        target: DROP,
        packets: 0n,
      }),
    ),
  );

test('tests that follow each other have a limit, in diagrams and in answers', () => {
  expect(buildDiagram(drawing(1024)).outcomes.length).toBeGreaterThan(1024);
  expect(new Universe().load(drawing(1024)).deadCounters()).toEqual([]);
  const told = { limit: 'asked', figure: 1024, span: { chain: 'CONNECT' } };
  expect(limitOf(drawing(1025), {})).toMatchObject(told);
  expect(limitOf(drawing(16_000), {})).toMatchObject(told);
  expect(() => new Universe().load(drawing(16_000)).deadCounters()).toThrow(LimitError);
});

/** Each gives the call the destination that the next one asks for. */
const relay = (length: number) =>
  connect(
    Array.from({ length }, (_, n) => {
      const network = (address: number) =>
        ({ kind: 'network', family: 4, address: BigInt(address), mask: 0xffff_ffffn }) as const;
      return {
        matches: [
          {
            name: 'ip',
            options: [{ name: 'destination', negated: false, value: network(n) }],
          },
        ],
        target: { kind: 'dnat', address: { family: 4, first: BigInt(n + 1), last: BigInt(n + 1) } },
        packets: 0n,
      };
    }),
  );

test('calls that are rewritten again and again end somewhere', () => {
  expect(buildDiagram(relay(100)).outcomes.length).toBeGreaterThan(100);
  expect(limitOf(relay(3000), {})).toMatchObject({
    limit: 'rewritings',
    span: { chain: 'CONNECT', rules: [513, 513] },
  });
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

/** Rules that leave one end open each, in turn, for one of so many groups. */
function crossing(count: number, groups: number): Table {
  const network = (name: string, n: number) => ({
    name,
    negated: false,
    value: {
      kind: 'network' as const,
      family: 4 as const,
      address: (10n << 24n) | (BigInt(n) << 8n),
      mask: 0xffffff00n,
    },
  });
  return connect(
    Array.from({ length: count }, (_, n): Rule => {
      const end = n % 2 === 0 ? 'source' : 'destination';
      const id = 1 + ((n >> 1) % Math.max(1, groups));
      const group = {
        name: 'id',
        negated: false,
        value: { kind: 'groupRange' as const, from: id, to: id },
      };
      return {
        matches: [
          { name: 'ip', options: [network(end, n)] },
          ...(groups > 0 ? [{ name: 'cgroup' as const, options: [group] }] : []),
        ],
        target: n % 3 === 0 ? DROP : { kind: 'accept' },
        packets: 0n,
      };
    }),
  );
}

const CROSSED = { edges: 4000 };

test('the finished diagram names rules, and the way out that it tells is one', () => {
  const error = limitOf(crossing(200, 0), CROSSED);
  expect(error.limit).toBe('edges');
  const [from = 0, to = 0] = error.span?.rules ?? [];
  expect(error.span?.chain).toBe('CONNECT');
  expect(from).toBeGreaterThan(0);
  expect(to).toBeGreaterThan(from);
  expect(error.help).toMatch(
    /^of these \d+ rules \d+ leave the source open and \d+ the destination, so that they cross: name both ends, or one group in each with `-m cgroup --id`$/,
  );
  expect(buildDiagram(crossing(200, 20), CROSSED).store.edgeCount).toBeLessThan(CROSSED.edges);
});

test('rules that name groups of their own are not told to', () => {
  const error = limitOf(crossing(400, 2), CROSSED);
  expect(error.help).toMatch(/(?:name both ends|let fewer of them overlap)$/);
});

test('an answer that costs too much names rules, too', () => {
  const universe = new Universe({ poolEdges: 9000 });
  expect(() => universe.load(crossing(200, 0)).redundantCounters()).toThrow(
    expect.objectContaining({
      name: 'LimitError',
      help: expect.stringContaining('name both ends'),
      span: expect.objectContaining({ chain: 'CONNECT' }),
    }),
  );
});

test('rules that give each its own destination cost as much as others', () => {
  const rules = Array.from({ length: 400 }, (_, n): Rule => {
    const [asked, given] = [BigInt(0x0a000000 + n), BigInt(0x0b000000 + n)];
    const value = { kind: 'network' as const, family: 4 as const, address: asked, mask: ALL };
    return {
      matches: [{ name: 'ip', options: [{ name: 'destination', negated: false, value }] }],
      target: { kind: 'dnat', address: { family: 4, first: given, last: given } },
      packets: 0n,
    };
  });
  expect(() => buildDiagram(connect(rules), { poolEdges: 20_000 })).not.toThrow();
});
