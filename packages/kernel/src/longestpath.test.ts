/** The longest way: no walk takes more steps, and one takes as many. */
import fc from 'fast-check';
import { ASK_NODES, OP } from './layout.js';
import { longestPath } from './longestpath.js';

const FIRST = 100;

interface Node {
  readonly op: number;
  /** How many nodes it takes. */
  readonly size: number;
  /** Nodes behind it that it can lead to, beside the next. */
  readonly targets: readonly number[];
}

const sizeOf = (op: number, targets: number) => {
  if (op === OP.ask) return ASK_NODES;
  return op === OP.index ? 1 + Math.ceil(targets / 2) : 1;
};

const nodes: fc.Arbitrary<readonly Node[]> = fc
  .array(
    fc.record({
      op: fc.constantFrom(
        OP.less,
        OP.unequal,
        OP.index,
        OP.jump,
        OP.count,
        OP.report,
        OP.rewrite,
        OP.ask,
      ),
      picks: fc.array(fc.nat({ max: 5 }), { minLength: 1, maxLength: 4 }),
    }),
    { maxLength: 9 },
  )
  .map((some) => [
    ...some.map(({ op, picks }, n): Node => {
      const targets = picks.map((pick) => Math.min(n + 1 + pick, some.length));
      return { op, targets, size: sizeOf(op, targets.length) };
    }),
    { op: OP.verdict, size: 1, targets: [] },
  ]);

/** Where each node lies. */
function placesOf(some: readonly Node[]): readonly number[] {
  const places: number[] = [];
  let at = FIRST;
  for (const { size } of some) {
    places.push(at);
    at += size;
  }
  return places;
}

function encode(some: readonly Node[]): Uint32Array {
  const places = placesOf(some);
  const words: number[] = [];
  for (const { op, size, targets } of some) {
    const to = targets.map((target) => places[target] ?? 0);
    const node = op === OP.index ? [to.length - 1, ...to] : [to[0] ?? 0];
    words.push(op << 24, ...node, ...new Array<number>(2 * size - 1 - node.length).fill(0));
  }
  return Uint32Array.from(words);
}

/** How many steps all ways from the node take. */
function waysFrom(some: readonly Node[], at: number): readonly number[] {
  const node = some[at];
  if (!node) throw new Error(`no node ${at}`);
  const { op, targets } = node;
  const [target = at + 1] = targets;
  const next = (): readonly number[] => {
    if (op === OP.verdict) return [];
    if (op === OP.jump) return [target];
    if (op === OP.index) return targets;
    return op === OP.count || op === OP.report || op === OP.rewrite ? [at + 1] : [at + 1, target];
  };
  const ways = next().flatMap((each) => waysFrom(some, each));
  return ways.length === 0 ? [1] : ways.map((steps) => steps + 1);
}

test('is as long as the longest of all ways', () => {
  fc.assert(
    fc.property(nodes, fc.nat(), (some, entry) => {
      const places = placesOf(some);
      const entries = [0, entry % some.length];
      const ways = entries.flatMap((each) => waysFrom(some, each));
      const addresses = entries.map((each) => places[each] ?? 0);
      expect(longestPath(encode(some), FIRST, addresses)).toBe(Math.max(...ways));
    }),
  );
});
