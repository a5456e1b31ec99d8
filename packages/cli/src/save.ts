/** `sockfilter save`. */
import { printSave } from '@sockfilter/iptables';
import { replaceFile } from './atomicfile.js';
import type { Globals } from './globals.js';
import { withTable } from './opentable.js';
import { printRuleText } from './output.js';

export interface SaveOptions {
  readonly counters: boolean;
  /** Standard output if undefined. */
  readonly to: string | undefined;
}

export function saveTable(globals: Globals, { counters, to }: SaveOptions): Promise<void> {
  return withTable(globals, 'read', (open) => {
    const text = printSave(open.table, counters ? { counters: open.counters } : {});
    if (to === undefined || to === '-') printRuleText(text);
    else replaceFile(to, text);
  });
}
