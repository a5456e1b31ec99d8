/** Operations on bits. */
import type { Expression } from './expression.js';
import { isList } from './visit.js';

export interface Operation {
  readonly operator: '&' | '|' | '^' | '<<' | '>>';
  readonly operands: readonly Expression[];
}

/** The operation that the expression is, if it is one. */
export function operationOf(expression: Expression): Operation | undefined {
  if (typeof expression !== 'object' || isList(expression)) return undefined;
  if ('&' in expression) return { operator: '&', operands: expression['&'] };
  if ('|' in expression) return { operator: '|', operands: expression['|'] };
  if ('^' in expression) return { operator: '^', operands: expression['^'] };
  if ('<<' in expression) return { operator: '<<', operands: expression['<<'] };
  if ('>>' in expression) return { operator: '>>', operands: expression['>>'] };
  return undefined;
}
