/** How long a walk of nodes can be. */
import { largePages } from '@sockfilter/bpf';
import { elementAt } from '@sockfilter/table';
import { ASK_NODES, OP } from './layout.js';

/** Steps on the longest way from any of the entries to a verdict, that included. */
export function longestPath(words: Uint32Array, first: number, entries: readonly number[]): number {
  /** By the place of the node; 0 where it is not known yet. */
  const { buffer, byteOffset } = largePages(2 * words.length);
  const known = new Uint32Array(buffer, byteOffset, words.length / 2);
  const visit = (address: number): number => {
    const node = address - first;
    const at = 2 * node;
    const op = elementAt(words, at) >>> 24;
    if (op === OP.verdict) return 1;
    const steps = elementAt(known, node);
    if (steps > 0) return steps;
    const longest = 1 + behind(op, at, elementAt(words, at + 1), address);
    known[node] = longest;
    return longest;
  };
  const behind = (op: number, at: number, target: number, address: number): number => {
    if (op === OP.jump) return visit(target);
    if (op === OP.count || op === OP.report || op === OP.rewrite) return visit(address + 1);
    if (op === OP.ask) return Math.max(visit(target), visit(address + ASK_NODES));
    if (op !== OP.index) return Math.max(visit(target), visit(address + 1));
    let longest = 0;
    for (let n = 0; n <= target; n++)
      longest = Math.max(longest, visit(elementAt(words, at + 2 + n)));
    return longest;
  };
  return Math.max(...entries.map(visit));
}
