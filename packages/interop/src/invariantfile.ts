/** Invariants as the text of an expectation file: a region stands on a line. */
import { Document, isCollection, isPair, visit } from 'yaml';
import type { Invariant } from './draft.js';

/** How deep collections lie in what is printed on one line. */
const FLAT = 2;

function depthOf(node: unknown): number {
  if (isPair(node)) return depthOf(node.value);
  if (!isCollection(node)) return 0;
  return 1 + Math.max(0, ...node.items.map(depthOf));
}

export function printInvariants(invariants: readonly Invariant[]): string {
  const document = new Document({ invariants });
  visit(document, {
    Map: (_, node) => {
      const names = node.items.map(({ key }) => String(key));
      if (depthOf(node) <= FLAT && !names.includes('name') && !names.includes('accept'))
        node.flow = true;
    },
  });
  return document.toString({ lineWidth: 0 });
}
