/** `sockfilter export`: a table for programs that are not sockfilter, and what they can't enforce of it. */
import { exportNft, type LocateOwner } from '@sockfilter/interop';
import type { ParsedSave } from '@sockfilter/iptables';
import { EXIT, writeJson } from '@sockfilter/language';
import { replaceFile } from './atomicfile.js';
import { CommandError, DiagnosticsError } from './failure.js';
import type { Globals } from './globals.js';
import { readInput } from './inputfile.js';
import { notationNamed, parseRules } from './notation.js';
import { withTable } from './opentable.js';
import { printRuleText } from './output.js';
import { tellRemarks } from './remarks.js';
import { SYSTEM_NAMES } from './systemnames.js';

export interface ExportWords {
  readonly to: 'nft' | 'json';
  /** Without one the table in force, or of `--file`, as `save` prints it. */
  readonly file: string | undefined;
  /** Where the remarks go as JSON, beside standard error. */
  readonly report: string | undefined;
}

function locateIn({ document }: ParsedSave): LocateOwner {
  const written = document.source.text.split('\n');
  return (owner) => {
    const line =
      'matches' in owner
        ? document.places.get(owner)?.rule.line
        : (document.chains.get(owner.name)?.line ??
          (owner.rules[0] && document.places.get(owner.rules[0])?.rule.line));
    return { line: line ?? 1, text: (written[(line ?? 1) - 1] ?? '').trim() };
  };
}

async function readTable(globals: Globals, file: string | undefined): Promise<ParsedSave> {
  const { name, text } =
    file === undefined
      ? await withTable(globals, 'read', ({ table }) => ({
          name: globals.file ?? 'table in force',
          text: notationNamed('iptables').printSaved(table, undefined),
        }))
      : readInput(file);
  const parsed = parseRules(text, name, { names: SYSTEM_NAMES });
  if (parsed.diagnostics.length > 0)
    throw new DiagnosticsError(parsed.diagnostics, parsed.document.source);
  return parsed;
}

export async function exportTable(globals: Globals, words: ExportWords): Promise<void> {
  const parsed = await readTable(globals, words.file);
  if (words.to === 'json') {
    printRuleText(notationNamed('json').printFile(parsed.table));
    return;
  }
  const { name } = parsed.document.source;
  const { text, remarks } = exportNft(parsed.table, name, locateIn(parsed));
  tellRemarks(remarks);
  if (words.report !== undefined) replaceFile(words.report, writeJson(remarks));
  if (remarks.some(({ fate }) => fate === 'wider')) {
    const help = 'take out what is named as wider above, or change it';
    throw new CommandError('nft would accept more than the table', EXIT.unfit, help);
  }
  printRuleText(text);
}
