/** Conditions compiled in a store of their own. */
import { ConditionCompiler } from '../../packages/diagram/src/condition.js';
import { DEFAULT_LIMITS } from '../../packages/diagram/src/limit.js';
import { defineGuard, defineOperation, NONE } from '../../packages/diagram/src/operation.js';
import { PreparedConditions } from '../../packages/diagram/src/preparedcondition.js';
import { DiagramStore, isTerminal } from '../../packages/diagram/src/store.js';

/** @param prepared what is known of rules already */
export function makeConditions(prepared = new PreparedConditions()) {
  const store = new DiagramStore(DEFAULT_LIMITS);
  const overlay = defineOperation(store, (a, b) =>
    a === NONE ? b : b === NONE || isTerminal(a) ? a : undefined,
  );
  const conditions = new ConditionCompiler(store, { overlay, guard: defineGuard(store) }, prepared);
  return { store, conditions };
}
