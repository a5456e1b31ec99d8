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

/** The diagram that some terminals stand for, of which nothing has been looked at yet; undefined for all others. */
export type Open = (terminal: Ref) => Ref | undefined;

/** The first where it says something, else the second; what that leads to elsewhere is not opened. */
function defineOverlay(store: DiagramStore, open: Open, behind?: Behind): Operation {
  const settle = (a: Ref, b: Ref) => {
    if (a === NONE) return b;
    if (!isTerminal(b)) return undefined;
    const opened = open(b);
    if (opened !== undefined) {
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

const nothingToOpen: Open = () => undefined;

/**
 * Lays what is inside over what is outside where the fields of some of the rules hold, which rewrite nothing. In both the terminal
 * NONE stands for nothing that a call comes to. Of what is outside that alone is opened which they meet.
 */
export function replaceWhere(
  store: DiagramStore,
  rules: readonly Rule[],
  table: Table,
  open: Open,
  behind?: Behind,
): (inside: Ref, outside: Ref) => Ref {
  const overlay = defineOverlay(store, nothingToOpen);
  const guard = defineGuard(store);
  const conditions = new ConditionCompiler(store, { overlay, guard });
  const where = rules
    .map((rule) => conditions.compileFields({ rule }, table, HOLDS))
    .reduce((a, b) => overlay(a, b), NONE);
  const lay = defineOverlay(store, open, behind);
  return (inside, outside) => lay(guard(where, inside), outside);
}
