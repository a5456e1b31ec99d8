/** What some rules' calls come to put in the place of what they came to. */
import type { Rule, Table } from '@sockfilter/table';
import { ConditionCompiler, HOLDS } from './condition.js';
import { defineGuard, defineOperation, NONE, type Operation } from './operation.js';
import { type DiagramStore, isTerminal, type Ref } from './store.js';

/** The first where it says something, else the second. */
function defineOverlay(store: DiagramStore): Operation {
  return defineOperation(
    store,
    (a, b) => {
      if (a === NONE) return b;
      return isTerminal(a) ? a : undefined;
    },
    { first: (a) => a === NONE },
  );
}

/**
 * Lays what is inside over what is outside where the fields of some of the rules hold, which rewrite nothing. In both the terminal
 * NONE stands for nothing that a call comes to.
 */
export function replaceWhere(
  store: DiagramStore,
  rules: readonly Rule[],
  table: Table,
): (inside: Ref, outside: Ref) => Ref {
  const overlay = defineOverlay(store);
  const guard = defineGuard(store);
  const conditions = new ConditionCompiler(store, { overlay, guard });
  const where = rules
    .map((rule) => conditions.compileFields({ rule }, table, HOLDS))
    .reduce((a, b) => overlay(a, b), NONE);
  return (inside, outside) => overlay(guard(where, inside), outside);
}
