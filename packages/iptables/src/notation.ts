/** Rule files in the words of iptables-save, edited in place. */
import { type Document, editDocument, type LineNotation } from '@sockfilter/language';
import type { Table } from '@sockfilter/table';
import { printGroup } from './groupline.js';
import { parseSave } from './restore.js';
import { DENY_UNSEEN_LINE, printChainLine, printRuleFile, printRuleLine } from './save.js';
import { printAdd, printCreate } from './setline.js';

const COUNTER = /^\s*\[(\d+):\d+\](?=\s)/;

const SAVE_LINES: LineNotation = {
  chainLine: printChainLine,
  groupLine: printGroup,
  setLine: printCreate,
  elementLine: (set, element) => printAdd(set, element, true),
  denyUnseenLine: DENY_UNSEEN_LINE,
  ruleLine: printRuleLine,
  recount: (text, from, to) => {
    const written = COUNTER.exec(text)?.[1];
    if (written === undefined || BigInt(written) !== from) return undefined;
    return text.replace(COUNTER, `[${to}:0]`);
  },
  print: printRuleFile,
  parse: (text, name, names) => {
    const { table, diagnostics } = parseSave(text, name, { names });
    return diagnostics.length === 0 ? table : undefined;
  },
};

/** The save file's text for the new table; see `editDocument` of the language. */
export function editSave(document: Document, table: Table): string {
  return editDocument(document, table, SAVE_LINES);
}
