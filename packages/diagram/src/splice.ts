/** What some rules' calls come to put in the place of what they came to. */
import type { Rule, Table } from '@sockfilter/table';
import { ConditionCompiler, HOLDS } from './condition.js';
import { defineGuard, defineOperation, NONE, type Operation } from './operation.js';
import { type DiagramStore, isTerminal, type Ref } from './store.js';

/** How what is inside comes behind what is outside, in the stead of in its place. */
export interface Behind {
  /** Whether nothing comes behind the terminal. */
  readonly isOver: (outside: Ref) => boolean;
  readonly join: (inside: Ref, outside: Ref) => Ref;
}

/** Whether some value from `low` to `high` is looked at. */
export type Meets = (low: number, high: number) => boolean;

/** Diagrams that some terminals stand for, of which nothing has been looked at yet. */
export interface Unread {
  /** The piece that the first node asks; undefined of all other terminals. */
  readonly pieceOf: (terminal: Ref) => number | undefined;
  /** The first node. Where values of its piece are not met it may lead to such a terminal for a node that asks it again. */
  readonly open: (terminal: Ref, meets: Meets) => Ref;
}

/** For which values of the piece the diagram says something. */
function saysAt(store: DiagramStore, ref: Ref, piece: number): Meets {
  if (store.pieceOf(ref) !== piece) return () => true;
  const [first, end] = [store.firstEdge(ref), store.endEdge(ref)];
  return (low, high) => {
    for (let at = store.edgeAt(first, end, low); at < end && store.edgeStart(at) <= high; at++)
      if (store.edgeTarget(at) !== NONE) return true;
    return false;
  };
}

/** The first where it says something, else the second; what that leads to elsewhere is not opened. */
function defineOverlay(store: DiagramStore, unread: Unread, behind?: Behind): Operation {
  const settle = (a: Ref, b: Ref) => {
    if (a === NONE) return b;
    if (!isTerminal(b)) return undefined;
    const piece = unread.pieceOf(b);
    if (piece !== undefined) {
      if (store.pieceOf(a) < piece) return undefined;
      const opened = unread.open(b, saysAt(store, a, piece));
      const made = overlay(a, opened);
      return made === opened ? b : made;
    }
    if (!behind) return undefined;
    if (behind.isOver(b)) return b;
    return isTerminal(a) ? behind.join(a, b) : undefined;
  };
  const overlay = defineOperation(store, settle, {
    first: (a) => (!behind && a !== NONE && isTerminal(a) ? a : undefined),
  });
  return overlay;
}

const NOTHING_UNREAD: Unread = {
  pieceOf: () => undefined,
  open: (terminal) => terminal,
};

/**
 * Lays what is inside over what is outside where the fields of some of the rules hold, which rewrite nothing. In both the terminal
 * NONE stands for nothing that a call comes to. Of what is outside that alone is opened which they meet.
 */
export function replaceWhere(
  store: DiagramStore,
  rules: readonly Rule[],
  table: Table,
  unread: Unread,
  behind?: Behind,
): (inside: Ref, outside: Ref) => Ref {
  const overlay = defineOverlay(store, NOTHING_UNREAD);
  const guard = defineGuard(store);
  const conditions = new ConditionCompiler(store, { overlay, guard });
  const where = rules
    .map((rule) => conditions.compileFields({ rule }, table, HOLDS))
    .reduce((a, b) => overlay(a, b), NONE);
  const lay = defineOverlay(store, unread, behind);
  return (inside, outside) => lay(guard(where, inside), outside);
}
