/** One recording of a table as a diagram, and the gathering of several into one result. */
import { BUILTIN_CHAINS, type BuiltinChain, elementAt, type Table } from '@sockfilter/table';
import { TableCompiler } from './compiler.js';
import type { Diagram } from './diagram.js';
import type { LayeredChain } from './layers.js';
import { LimitError, type Limits, type RuleSpan } from './limit.js';
import { OutcomeTable, type PartialOutcome } from './outcome.js';
import { firstPiece } from './piece.js';
import { PreparedConditions } from './preparedcondition.js';
import type { Recording } from './record.js';
import { DiagramStore, type Ref } from './store.js';

/** A diagram as built, with the garbage of building it. */
export interface Built {
  readonly compiler: TableCompiler;
  readonly root: Ref;
  readonly edges: number;
}

/** @param prepared what is known of the table's rules from other recordings */
export function build(
  table: Table,
  recording: Recording,
  limits: Limits,
  prepared = new PreparedConditions(),
): Built {
  const compiler = new TableCompiler(table, recording, { limits, prepared });
  const root = compiler.compile();
  const { edges } = compiler.store.size([root]);
  if (edges > limits.edges) {
    const span = crossing(table, recording, limits);
    throw new LimitError('edges', limits.edges, { span });
  }
  return { compiler, root, edges };
}

/** The rules at work when a diagram that comes to more edges than it may have has had so many. */
function crossing(table: Table, recording: Recording, limits: Limits): RuleSpan | undefined {
  const prepared = new PreparedConditions();
  const tight = { ...limits, poolEdges: Math.min(limits.poolEdges, limits.edges) };
  try {
    new TableCompiler(table, recording, { limits: tight, prepared }).compile();
  } catch (error) {
    if (error instanceof LimitError) return error.span;
    throw error;
  }
  return undefined;
}

const CHAIN_PIECE = firstPiece('chain');

/** An end as nothing follows it any more. */
function over(end: PartialOutcome): PartialOutcome {
  return end.onward === 'over' && !end.becomes
    ? end
    : { ...end, onward: 'over', becomes: undefined };
}

/** What each chain of a step has, of those that come so far; where the others go does not matter. */
function ofChains(store: DiagramStore, targets: ReadonlyMap<BuiltinChain, Ref>): Ref {
  const [anywhere] = targets.values();
  const row = store.row(CHAIN_PIECE);
  BUILTIN_CHAINS.forEach((name, value) => {
    const target = targets.get(name) ?? anywhere;
    if (target !== undefined) row.push(value, target);
  });
  return store.intern(CHAIN_PIECE);
}

/** Of so many edges one may be left over from building before all is copied to be without them. */
const GARBAGE_SHARE = 8;

/** A diagram of all verdicts as it was built, if hardly anything is left over in its store: its ends are over. */
function asBuilt(
  { compiler: { store, outcomes, reporters }, root, edges }: Built,
  limits: Limits,
): Diagram | undefined {
  if (edges > limits.edges || store.edgeCount > edges + edges / GARBAGE_SHARE) return undefined;
  const layered = new Map();
  return { store, roots: [root], verdicts: 0, layered, outcomes, reporters };
}

/**
 * Copies diagrams into one store, which numbers their terminals together; the verdicts' must be the last. Chains in
 * layers go on from there.
 */
export function gather(
  parts: readonly Built[],
  limits: Limits,
  layered: readonly LayeredChain[] = [],
): Diagram {
  const [only, other] = parts;
  const built = only && !other && layered.length === 0 ? asBuilt(only, limits) : undefined;
  if (built) return built;
  const store = new DiagramStore(limits);
  const outcomes = new OutcomeTable(limits);
  const copy = (from: Pick<LayeredChain, 'store' | 'outcomes'>, roots: readonly Ref[]) => {
    const known = new Map<Ref, Ref>();
    return store.copy(from.store, roots, (terminal) =>
      outcomes.take(from.outcomes, terminal, over, known),
    );
  };
  const roots = parts.flatMap(({ compiler, root }) => copy(compiler, [root]));
  const steps = layered.map((chain) => ({ name: chain.name, roots: copy(chain, chain.roots) }));
  const stepOf = (n: number) =>
    steps.flatMap(({ name, roots }): [BuiltinChain, Ref][] => {
      const root = roots[n];
      return root === undefined ? [] : [[name, root]];
    });
  const verdicts = roots.length - 1;
  if (layered.length > 0) {
    const single = elementAt(roots, verdicts);
    const others = BUILTIN_CHAINS.map((name, value): [BuiltinChain, Ref] => [
      name,
      store.pieceOf(single) === CHAIN_PIECE ? store.follow(single, value) : single,
    ]);
    roots[verdicts] = ofChains(store, new Map([...others, ...stepOf(0)]));
    const most = Math.max(...steps.map((chain) => chain.roots.length));
    for (let n = 1; n < most; n++) roots.push(ofChains(store, new Map(stepOf(n))));
  }
  if (store.edgeCount > limits.edges) throw new LimitError('edges', limits.edges);
  return {
    store,
    roots,
    verdicts,
    layered: new Map(
      layered.map(({ name, layers, roots }) => [name, { layers, steps: roots.length }]),
    ),
    outcomes,
    reporters: elementAt(parts, 0).compiler.reporters,
  };
}
