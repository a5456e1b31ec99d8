/** What is kept of nodes: no walk takes more steps, and one takes as many; what some walk asks is asked, and no more. */
import { firstPiece, PIECES } from '@sockfilter/diagram';
import { elementAt } from '@sockfilter/table';
import fc from 'fast-check';
import { READ_FIELDS } from './detail.js';
import { ASK_NODES, OP } from './layout.js';
import { factsIn, noSummaries, stepsOf, summarize } from './summary.js';

const FIRST = 100;

interface Node {
  readonly op: number;
  /** How many nodes it takes. */
  readonly size: number;
  /** Nodes behind it that it can lead to, beside the next. */
  readonly targets: readonly number[];
  /** What it asks, or refuses with. */
  readonly slot: number;
  readonly errno: number;
}

const sizeOf = (op: number, targets: number) => {
  if (op === OP.ask) return ASK_NODES;
  return op === OP.index ? 1 + Math.ceil(targets / 2) : 1;
};

/** Slots of what is asked for. */
const ASKED = (['group', 'uid', 'gid', 'mark', ...READ_FIELDS] as const).map(firstPiece);

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
      slot: fc.oneof(fc.constantFrom(...ASKED), fc.nat({ max: PIECES.length })),
    }),
    { maxLength: 9 },
  )
  .chain((some) =>
    fc.constantFrom(0, 1).map((errno) => [
      ...some.map(({ op, picks, slot }, n): Node => {
        const targets = picks.map((pick) => Math.min(n + 1 + pick, some.length));
        return { op, targets, size: sizeOf(op, targets.length), slot, errno: 0 };
      }),
      { op: OP.verdict, size: 1, targets: [], slot: 0, errno },
    ]),
  );

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
  for (const { op, size, targets, slot, errno } of some) {
    const to = targets.map((target) => places[target] ?? 0);
    const node = op === OP.index ? [to.length - 1, ...to] : [to[0] ?? 0];
    words.push(
      (op << 24) | (slot << 16) | errno,
      ...node,
      ...new Array<number>(2 * size - 1 - node.length).fill(0),
    );
  }
  return Uint32Array.from(words);
}

/** The nodes of all ways from the node on. */
function waysFrom(some: readonly Node[], at: number): readonly (readonly Node[])[] {
  const node = elementAt(some, at);
  const { op, targets } = node;
  const [target = at + 1] = targets;
  const next = (): readonly number[] => {
    if (op === OP.verdict) return [];
    if (op === OP.jump) return [target];
    if (op === OP.index) return targets;
    return op === OP.count || op === OP.report || op === OP.rewrite ? [at + 1] : [at + 1, target];
  };
  const ways = next().flatMap((each) => waysFrom(some, each));
  return ways.length === 0 ? [[node]] : ways.map((way) => [node, ...way]);
}

const ASKING: readonly number[] = [OP.less, OP.unequal, OP.index];

test('says what all ways come to, whatever of it is known', () => {
  const met = { refusing: 0, asking: 0, detail: 0 };
  fc.assert(
    fc.property(nodes, fc.nat(), fc.nat(), (some, entry, before) => {
      const places = placesOf(some);
      const addresses = [0, entry % some.length].map((each) => elementAt(places, each));
      const words = encode(some);
      const known = noSummaries(words.length / 2);
      // What has been asked before is not looked at again.
      summarize(words, FIRST, [elementAt(places, before % some.length)], known);
      const summaries = summarize(words, FIRST, addresses, known);
      [0, entry % some.length].forEach((each, n) => {
        const ways = waysFrom(some, each);
        const summary = elementAt(summaries, n);
        expect(stepsOf(summary)).toBe(Math.max(...ways.map((way) => way.length)));
        const all = ways.flat();
        const fields = new Set(
          all.filter(({ op }) => ASKING.includes(op)).map(({ slot }) => PIECES[slot]?.field),
        );
        const facts = {
          canRefuse: all.some(({ errno }) => errno !== 0),
          leadsElsewhere: false,
          testsGroup: fields.has('group'),
          testsOwner: fields.has('uid') || fields.has('gid'),
          testsMark: fields.has('mark'),
          details: READ_FIELDS.filter((field) => fields.has(field)),
        };
        expect(factsIn(summary)).toEqual(facts);
        met.refusing += Number(facts.canRefuse);
        met.asking += Number(facts.testsGroup && !facts.testsOwner);
        met.detail += Number(facts.details.length === 1);
      });
    }),
    { numRuns: 500 },
  );
  expect(Math.min(met.refusing, met.asking, met.detail)).toBeGreaterThan(20);
});
