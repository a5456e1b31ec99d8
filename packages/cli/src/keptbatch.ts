/** Lines that edit rules, made in the text that is kept, as one edit. */
import { editDrafts } from '@sockfilter/iptables';
import { TableError } from '@sockfilter/table';
import { countRules } from './keptcounters.js';
import { type EditedChain, KeptDrafts } from './keptdraft.js';
import type { KeptTable, Lines, OpenTable } from './opentable.js';
import { SYSTEM_NAMES } from './systemnames.js';

/** Past so many, and past a tenth of the rules that there are, they cost as much as the whole table: each has rules near it looked for. */
const MOST_LINES = 1000;
const FEW_LINES = 10;

function isMany(table: KeptTable, lines: number): boolean {
  return lines > Math.min(MOST_LINES, Math.max(FEW_LINES, countRules(table) / 10));
}

function countLines(text: string): number {
  let count = 0;
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) count++;
  return count;
}

/** What they make of chains; undefined where they do anything else, or something may be said against one. */
function chainsAfter(
  table: KeptTable,
  { text, firstLine }: Lines,
): readonly EditedChain[] | undefined {
  const drafts = new KeptDrafts(table);
  const context = { names: SYSTEM_NAMES, base: table.head, firstLine };
  return editDrafts(text, context, drafts.of) ? drafts.edited : undefined;
}

/** With what comes at 0. */
const uncounted = ({ name, changes }: EditedChain): EditedChain => ({
  name,
  changes: changes.map((change) => ({
    ...change,
    added: change.added.map(({ rule, line }) => ({ rule: { ...rule, packets: 0n }, line })),
  })),
});

/**
 * Puts into force what the lines make of the table; false, with nothing changed, where that takes the whole table, and where
 * something is wrong, which who reads that tells.
 */
export function editLines(
  { kept, editPart }: Pick<OpenTable, 'kept' | 'editPart'>,
  lines: Lines,
  counters: boolean,
): boolean {
  if (!kept || !editPart || isMany(kept, countLines(lines.text))) return false;
  try {
    const chains = chainsAfter(kept, lines);
    if (!chains) return false;
    return editPart({ kind: 'rules', chains: counters ? chains : chains.map(uncounted) });
  } catch (error) {
    if (error instanceof TableError) return false;
    throw error;
  }
}
