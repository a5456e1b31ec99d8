/** Which chains of a dump are reached from which of its built-in ones. */
import type { Dump } from './dump.js';

/** The chains that the built-in chain reaches, and itself. */
export function reachedFrom({ rules }: Dump, start: string): ReadonlySet<string> {
  const reached = new Set([start]);
  for (const chain of reached)
    for (const rule of rules)
      if (rule.chain === chain && rule.target) reached.add(rule.target.name);
  return reached;
}
