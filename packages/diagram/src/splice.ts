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

/** The first where it says something, else the second. */
function defineOverlay(store: DiagramStore, behind?: Behind): Operation {
  const settle = (a: Ref, b: Ref) => {
    if (a === NONE) return b;
    if (!behind) return isTerminal(a) ? a : undefined;
    if (!isTerminal(b)) return undefined;
    if (behind.isOver(b)) return b;
    return isTerminal(a) ? behind.join(a, b) : undefined;
  };
  return defineOperation(store, settle, {
    first: (a) => !behind && a !== NONE && isTerminal(a),
    second: (b) => behind !== undefined && isTerminal(b) && behind.isOver(b),
  });
}

/**
 * Lays what is inside over what is outside where the fields of some of the rules hold, which rewrite nothing. In both the terminal
 * NONE stands for nothing that a call comes to.
 */
export function replaceWhere(
  store: DiagramStore,
  rules: readonly Rule[],
  table: Table,
  behind?: Behind,
): (inside: Ref, outside: Ref) => Ref {
  const overlay = defineOverlay(store);
  const guard = defineGuard(store);
  const conditions = new ConditionCompiler(store, { overlay, guard });
  const where = rules
    .map((rule) => conditions.compileFields({ rule }, table, HOLDS))
    .reduce((a, b) => overlay(a, b), NONE);
  const lay = behind ? defineOverlay(store, behind) : overlay;
  return (inside, outside) => lay(guard(where, inside), outside);
}
