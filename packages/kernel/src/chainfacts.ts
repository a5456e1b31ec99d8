/** What the programs must know of chains before they walk. */
import {
  type Diagram,
  type DiagramStore,
  firstPiece,
  isTerminal,
  PIECES,
  pieceAt,
  type Ref,
  RefMap,
  rootsOf,
} from '@sockfilter/diagram';
import {
  BUILTIN_CHAINS,
  type BuiltinChain,
  chainNumber,
  changedParts,
  elementAt,
  type Field,
  type Luck,
  leadsElsewhere,
  looksAtGroup,
  type PlacedTest,
  type Rewriting,
  UNCHANGED,
} from '@sockfilter/table';
import { READ_FIELDS, type ReadField } from './detail.js';

/** What the programs must know of a chain before they walk it. */
export interface ChainFacts {
  /** True too where a call gets another destination, since one for which that fails is refused. */
  readonly canRefuse: boolean;
  /** Whether a call may get another destination than the one that it names. */
  readonly leadsElsewhere: boolean;
  readonly testsGroup: boolean;
  /** Whether the ids of the owner are asked for. */
  readonly testsOwner: boolean;
  /** Whether the mark is asked for, or some bits of it are kept. */
  readonly testsMark: boolean;
  /** The details that are asked for, and what is drawn. */
  readonly details: readonly ReadField[];
}

/** Where the diagram goes on for packets of the chain. */
export function inChain(store: DiagramStore, root: Ref, chain: BuiltinChain): Ref {
  if (store.pieceOf(root) !== firstPiece('chain')) return root;
  return store.follow(root, BUILTIN_CHAINS.indexOf(chain));
}

/** The facts of a chain of the diagram; `placed` are the table's opaque tests, `seen` what a chain before has come to. */
export function factsOf(
  diagram: Diagram,
  chain: BuiltinChain,
  placed: readonly PlacedTest[],
  seen = new RefMap(diagram.store.nodeCount),
): ChainFacts {
  const { store, outcomes } = diagram;
  const mark = chainNumber(chain);
  let canRefuse = false;
  let keepsMark = false;
  let leads = false;
  let asksGroup = false;
  const drawn = new Set<Luck>();
  const tested = new Set<number>();
  const addDrawn = (rewriting: Rewriting) => {
    for (const [, { among }] of changedParts(rewriting)) if (among) drawn.add(among.by);
  };
  const visit = (ref: Ref): void => {
    if (seen.get(ref) === mark) return;
    seen.set(ref, mark);
    if (isTerminal(ref)) {
      const { verdict, ask } = outcomes.of(ref);
      canRefuse ||= verdict !== undefined && verdict.errno !== 0;
      if (verdict && verdict.rewriting !== UNCHANGED) {
        keepsMark ||= (verdict.rewriting.mark?.keep ?? 0n) !== 0n;
        leads ||= leadsElsewhere(verdict.rewriting);
        addDrawn(verdict.rewriting);
      }
      if (!ask) return;
      addDrawn(ask.as);
      asksGroup ||= looksAtGroup(elementAt(placed, ask.test).test);
      for (const each of [ask.holds, ask.fails]) visit(each);
      return;
    }
    tested.add(store.pieceOf(ref));
    for (let edge = store.firstEdge(ref); edge < store.endEdge(ref); edge++)
      visit(store.edgeTarget(edge));
  };
  for (const root of rootsOf(diagram, chain)) visit(inChain(store, root, chain));
  return chainFacts(tested, { canRefuse, leads, keepsMark, asksGroup }, drawn);
}

/** The facts of a chain whose nodes ask these pieces. */
function chainFacts(
  tested: ReadonlySet<number>,
  {
    canRefuse,
    leads,
    keepsMark,
    asksGroup,
  }: Readonly<Record<'canRefuse' | 'leads' | 'keepsMark' | 'asksGroup', boolean>>,
  drawn: ReadonlySet<ReadField>,
): ChainFacts {
  const fields = new Set(
    [...tested].flatMap((piece) => (piece < PIECES.length ? [pieceAt(piece).field] : [])),
  );
  const tests = (field: Field) => fields.has(field);
  return {
    canRefuse: canRefuse || leads,
    leadsElsewhere: leads,
    testsGroup: asksGroup || tests('group'),
    testsOwner: tests('uid') || tests('gid'),
    testsMark: tests('mark') || keepsMark,
    details: READ_FIELDS.filter((field) => drawn.has(field) || tests(field)),
  };
}
