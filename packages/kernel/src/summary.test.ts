/** What is kept of nodes: no walk takes more steps, and one takes as many; what some walk asks is asked, and no more. */
import { firstPiece, PIECES } from '@sockfilter/diagram';
import { elementAt } from '@sockfilter/table';
import fc from 'fast-check';
import { READ_FIELDS } from './detail.js';
import { ASK_NODES, OP, SWITCH_NODES, wordOf } from './layout.js';
import { factsIn, noSummaries, stepsOf, summarize } from './summary.js';

const FIRST = 100;

interface Node {
  readonly op: number;
  /** Nodes behind it that it can lead to, beside the next. */
  readonly targets: readonly number[];
  /** What it asks, or refuses with. */
  readonly slot: number;
  readonly errno: number;
}

/** Where a node ends that begins at the address; a SWITCH with places of jumps. */
const endOf = (op: number, at: number, targets: number) => {
  if (op === OP.switch) return at + SWITCH_NODES + targets;
  return at + (op === OP.ask ? ASK_NODES : 1);
};

/** Slots of what is asked for. */
const ASKED = (['group', 'uid', 'gid', 'mark', ...READ_FIELDS] as const).map(firstPiece);

const nodes: fc.Arbitrary<readonly Node[]> = fc
  .array(
    fc.record({
      op: fc.constantFrom(
        OP.less,
        OP.unequal,
        OP.switch,
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
        return { op, targets, slot, errno: 0 };
      }),
      { op: OP.verdict, targets: [], slot: 0, errno },
    ]),
  );

/** Where each node lies, and where the last one ends. */
function addressesOf(some: readonly Node[]): readonly number[] {
  const addresses = [FIRST];
  let at = FIRST;
  for (const { op, targets } of some) {
    at = endOf(op, at, targets.length);
    addresses.push(at);
  }
  return addresses;
}

function encode(some: readonly Node[]): Uint32Array {
  const addresses = addressesOf(some);
  const words = new Uint32Array(2 * ((addresses.at(-1) ?? FIRST) - FIRST));
  const put = (address: number, head: number, target: number) =>
    words.set([head, target], 2 * (address - FIRST));
  some.forEach(({ op, targets, slot, errno }, n) => {
    const at = elementAt(addresses, n);
    const to = targets.map((target) => elementAt(addresses, target));
    const places = { last: to.length - 1, width: 0, shift: 0 };
    const first = at + SWITCH_NODES;
    put(at, (op << 24) | (slot << 16) | errno, op === OP.switch ? first : (to[0] ?? 0));
    if (op !== OP.switch) return;
    put(at + 1, wordOf(places), 0);
    for (const [place, address] of to.entries()) put(first + place, OP.jump << 24, address);
  });
  return words;
}

const JUMP: Node = { op: OP.jump, targets: [], slot: 0, errno: 0 };

/** The nodes of all ways from the node on. */
function waysFrom(some: readonly Node[], at: number): readonly (readonly Node[])[] {
  const node = elementAt(some, at);
  const { op, targets } = node;
  const [target = at + 1] = targets;
  const next = (): readonly number[] => {
    if (op === OP.verdict) return [];
    if (op === OP.jump) return [target];
    if (op === OP.switch) return targets;
    return op === OP.count || op === OP.report || op === OP.rewrite ? [at + 1] : [at + 1, target];
  };
  const ways = next().flatMap((each) => waysFrom(some, each));
  // A place of a SWITCH is a step of its own.
  const steps = op === OP.switch ? [node, JUMP] : [node];
  return ways.length === 0 ? [steps] : ways.map((way) => [...steps, ...way]);
}

const ASKING: readonly number[] = [OP.less, OP.unequal, OP.switch];

test('says what all ways come to, whatever of it is known', () => {
  const met = { refusing: 0, asking: 0, detail: 0 };
  fc.assert(
    fc.property(nodes, fc.nat(), fc.nat(), (some, entry, before) => {
      const starts = addressesOf(some);
      const addresses = [0, entry % some.length].map((each) => elementAt(starts, each));
      const words = encode(some);
      const known = noSummaries(words.length / 2);
      // What has been asked before is not looked at again.
      summarize(words, FIRST, [elementAt(starts, before % some.length)], known);
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

test('a walk is too long, however long it is, and those before it are known exactly', () => {
  const count: Node = { op: OP.count, targets: [], slot: 0, errno: 0 };
  const verdict: Node = { op: OP.verdict, targets: [], slot: 0, errno: 0 };
  const long = [...Array.from({ length: 100_000 }, () => count), verdict];
  const words = encode(long);
  const end = FIRST + long.length;
  const entries = [end - 1, end - 500, end - 1022, end - 1023, end - 1024, FIRST];
  const summaries = summarize(words, FIRST, entries, noSummaries(words.length / 2));
  expect(summaries.map(stepsOf)).toEqual([1, 500, 1022, 1023, 1023, 1023]);
  expect(summarize(words, FIRST, [FIRST], noSummaries(words.length / 2)).map(stepsOf)).toEqual([
    1023,
  ]);
});
