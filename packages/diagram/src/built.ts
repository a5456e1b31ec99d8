/** One recording of a table as a diagram, and the gathering of several into one result. */
import { elementAt, type Table } from '@sockfilter/table';
import { TableCompiler } from './compiler.js';
import type { Diagram } from './diagram.js';
import { LimitError, type Limits, type RuleSpan } from './limit.js';
import { OutcomeTable } from './outcome.js';
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

/** Copies diagrams into one store, which numbers their terminals together; the verdicts' must be the last. */
export function gather(parts: readonly Built[], limits: Limits): Diagram {
  const store = new DiagramStore(limits);
  const outcomes = new OutcomeTable(limits.counted);
  const roots = parts.flatMap(({ compiler, root }) => {
    const known = new Map<Ref, Ref>();
    return store.copy(compiler.store, [root], (terminal) =>
      outcomes.take(
        compiler.outcomes,
        terminal,
        (end) => ({ ...end, onward: 'over', becomes: undefined }),
        known,
      ),
    );
  });
  if (store.edgeCount > limits.edges) throw new LimitError('edges', limits.edges);
  return {
    store,
    roots,
    outcomes: outcomes.all,
    reporters: elementAt(parts, 0).compiler.reporters,
  };
}
