/**
 * What sets of packets are made of: diagrams with the two terminals OUT and IN, in one store, and the
 * operations on them. Diagrams with other terminals lie in the same store; `guard` cuts them to a set.
 */
import { BUILTIN_CHAINS, valueSet } from '@sockfilter/table';
import { ConditionCompiler, HOLDS } from '../condition.js';
import type { Link } from '../intervalpath.js';
import type { Limits } from '../limit.js';
import {
  type Absorbing,
  absorbs,
  defineGuard,
  defineOperation,
  NONE,
  type Operation,
} from '../operation.js';
import { type OverlayRules, overlayAll } from '../overlay.js';
import { PreparedConditions } from '../preparedcondition.js';
import { DiagramStore, isTerminal, type Ref, terminalNumber, terminalRef } from '../store.js';
import { FreePieces } from './freepieces.js';
import { RewritingNumbers } from './rewritingnumbers.js';
import { terminalsWithin } from './within.js';

export const OUT: Ref = NONE;
export const IN: Ref = HOLDS;

/** Terminals from this number on are free for meanings of one's own. */
const FIRST_FREE = terminalNumber(IN) + 1;

/** How many diagrams of the size that may be loaded the answers about a table may take. */
const SHARE = { poolEdges: 4, steps: 3 };

/** The terminal of a number that is not OUT or IN. */
export function markRef(mark: number): Ref {
  return terminalRef(FIRST_FREE + mark);
}

/** The number that `markRef` has made a terminal of; below 0 for OUT and IN. */
export function markOf(terminal: Ref): number {
  return terminalNumber(terminal) - FIRST_FREE;
}

export class SetStore {
  readonly limits: Limits;
  /** The packets that can happen. */
  readonly possible: Ref;
  readonly diagrams: DiagramStore;
  readonly union: Operation;
  readonly intersect: Operation;
  readonly subtract: Operation;
  /** The second diagram where the first, a set, holds; else OUT. */
  readonly guard: Operation;
  /** The first diagram where it is not OUT, else the second. */
  readonly overlay: Operation;
  /** What rules mean, taken apart once for its own diagrams and those of the tables that it loads. */
  readonly prepared = new PreparedConditions();
  readonly conditions: ConditionCompiler;
  /** How its tables rewrite packets. */
  readonly rewritings = new RewritingNumbers();
  /** The opaque tests of all its tables, as variables. */
  readonly freePieces = new FreePieces();

  constructor(limits: Limits, possible: (store: SetStore) => Ref) {
    this.limits = limits;
    this.diagrams = new DiagramStore({
      poolEdges: SHARE.poolEdges * limits.poolEdges,
      steps: SHARE.steps * limits.steps,
      asked: limits.asked,
    });
    const define = (settle: (a: Ref, b: Ref) => Ref | undefined, absorbing: Absorbing) =>
      defineOperation(this.diagrams, settle, absorbing);
    /** The other where one is the neutral, either where they are equal. */
    const either = (neutral: Ref) => (a: Ref, b: Ref) =>
      a === neutral || a === b ? b : b === neutral ? a : undefined;
    const [isOut, isIn] = [absorbs(OUT), absorbs(IN)];
    this.union = define(either(OUT), { first: isIn, second: isIn });
    this.intersect = define(either(IN), { first: isOut, second: isOut });
    this.subtract = define((a, b) => (a === b ? OUT : b === OUT ? a : undefined), {
      first: isOut,
      second: (b) => (b === IN ? OUT : undefined),
    });
    this.overlay = define(either(OUT), {
      first: (a) => (a !== OUT && isTerminal(a) ? a : undefined),
    });
    this.guard = defineGuard(this.diagrams);
    this.conditions = new ConditionCompiler(this.diagrams, this, this.prepared);
    this.possible = possible(this);
  }

  /** All packets of a built-in chain, possible or not. */
  chain(name: string): Ref {
    const names: readonly string[] = BUILTIN_CHAINS;
    const value = names.indexOf(name);
    return this.conditions.compile(
      [[{ field: 'chain', set: valueSet(value), negated: false }]],
      IN,
    );
  }

  /** The first of many diagrams that is not OUT; or what another operation makes of them, and its end is said by `isOver`. */
  overlayAll(
    parts: readonly (Ref | Link)[],
    pair: Operation = this.overlay,
    isOver: (terminal: Ref) => boolean = (terminal) => terminal !== OUT,
    more: Pick<OverlayRules, 'during' | 'below'> = {},
  ): Ref {
    const { paths } = this.conditions;
    return overlayAll(this.diagrams, parts, { pair, isOver, paths, ...more });
  }

  /** The diagram with its terminals replaced. */
  replace(diagram: Ref, change: (terminal: Ref) => Ref): Ref {
    return this.diagrams.copyOne(this.diagrams, diagram, change);
  }

  /** The set of packets that the diagram leads to such terminals. */
  select(diagram: Ref, wanted: (terminal: Ref) => boolean): Ref {
    return this.replace(diagram, (terminal) => (wanted(terminal) ? IN : OUT));
  }

  /** The marks of the terminals that the diagram leads to. */
  marks(diagram: Ref): ReadonlySet<number> {
    const marks = [...this.diagrams.reachable(diagram)].filter(isTerminal).map(markOf);
    return new Set(marks.filter((mark) => mark >= 0));
  }

  /** The marks of the terminals to which the diagram leads packets of the set. */
  marksWithin(set: Ref, diagram: Ref): ReadonlySet<number> {
    const marks = [...terminalsWithin(this.diagrams, set, diagram, OUT)].map(markOf);
    return new Set(marks.filter((mark) => mark >= 0));
  }

  /** Whether the diagram leads some packet of the set to a terminal of another mark. */
  marksOthers(set: Ref, diagram: Ref, mark: number): boolean {
    const isOther = (terminal: Ref) => markOf(terminal) >= 0 && markOf(terminal) !== mark;
    return [...terminalsWithin(this.diagrams, set, diagram, OUT, isOther)].some(isOther);
  }

  /** Makes the pieces free for which `forgotten` is true: some value of theirs would be in the set. */
  forget(set: Ref, forgotten: (piece: number) => boolean): Ref {
    const { diagrams } = this;
    const results = new Map<Ref, Ref>();
    const visit = (ref: Ref): Ref => {
      if (isTerminal(ref)) return ref;
      const known = results.get(ref);
      if (known !== undefined) return known;
      const piece = diagrams.pieceOf(ref);
      const first = diagrams.firstEdge(ref);
      const end = diagrams.endEdge(ref);
      let result: Ref;
      if (forgotten(piece)) {
        const targets = new Set<Ref>();
        for (let edge = first; edge < end; edge++) targets.add(visit(diagrams.edgeTarget(edge)));
        result = this.overlayAll([...targets], this.union, (terminal) => terminal === IN);
      } else {
        const row = diagrams.row(piece);
        for (let edge = first; edge < end; edge++)
          row.push(diagrams.edgeStart(edge), visit(diagrams.edgeTarget(edge)));
        result = diagrams.intern(piece);
      }
      results.set(ref, result);
      return result;
    };
    return visit(set);
  }
}
