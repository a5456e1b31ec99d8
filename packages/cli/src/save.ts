/** `sockfilter save`. */
import { printKeptSave } from '@sockfilter/iptables';
import { writeOutput } from './atomicfile.js';
import type { Globals } from './globals.js';
import { notationNamed } from './notation.js';
import { type OpenTable, withTable } from './opentable.js';
import { printRuleText } from './output.js';
import { withRevision } from './revision.js';

export interface SaveOptions {
  readonly counters: boolean;
  /** As nftables JSON. */
  readonly json: boolean;
  /** Standard output if undefined. */
  readonly to: string | undefined;
}

/** JSON has no comments. */
function jsonText(open: OpenTable, counters: boolean): string {
  return notationNamed('json').printSaved(open.table, counters ? open.counters : undefined);
}

function savedText(open: OpenTable, counters: boolean): string | Uint8Array {
  if (open.kept) {
    const { kept, head } = open.kept;
    return counters ? printKeptSave(kept, head, open.kept.totals) : kept.bytes;
  }
  const notation = notationNamed('iptables');
  const body = notation.printSaved(open.table, counters ? open.counters : undefined);
  return withRevision(body, open.revision);
}

export function saveTable(globals: Globals, { counters, json, to }: SaveOptions): Promise<void> {
  return withTable(globals, 'read', (open) => {
    const text = json ? jsonText(open, counters) : savedText(open, counters);
    writeOutput(to, text, printRuleText);
  });
}
