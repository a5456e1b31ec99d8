/** `sockfilter save`. */
import { writeOutput } from './atomicfile.js';
import type { Globals } from './globals.js';
import { notationNamed } from './notation.js';
import { withTable } from './opentable.js';
import { printRuleText } from './output.js';
import { withRevision } from './revision.js';

export interface SaveOptions {
  readonly counters: boolean;
  /** As nftables JSON. */
  readonly json: boolean;
  /** Standard output if undefined. */
  readonly to: string | undefined;
}

export function saveTable(globals: Globals, { counters, json, to }: SaveOptions): Promise<void> {
  return withTable(globals, 'read', (open) => {
    const notation = notationNamed(json ? 'json' : 'iptables');
    const body = notation.printSaved(open.table, counters ? open.counters : undefined);
    // JSON has no comments.
    const text = json ? body : withRevision(body, open.revision);
    writeOutput(to, text, printRuleText);
  });
}
