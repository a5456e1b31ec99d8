/** `sockfilter simplify`: an equivalent file with fewer rules, on standard output. */
import { simplify } from '@sockfilter/policy';
import { DiagnosticsError } from '../failure.js';
import { editRules, parseRules } from '../notation.js';
import { note, printRuleText } from '../output.js';
import { SYSTEM_NAMES } from '../systemnames.js';
import { withinLimits } from './reporting.js';
import { readText, Sources } from './rulesource.js';

export function simplifyFile(path: string): void {
  const text = readText(path, new Sources());
  const { document, table, diagnostics } = parseRules(text, path, { names: SYSTEM_NAMES });
  if (diagnostics.length > 0) throw new DiagnosticsError(diagnostics, document.source);
  const { table: simple, removed, chains, isComplete } = withinLimits(path, () => simplify(table));
  printRuleText(editRules(document, simple));
  const plural = (count: number, noun: string) => `${count} ${noun}${count === 1 ? '' : 's'}`;
  const said = [`removed ${plural(removed.length, 'rule')}, ${plural(chains.length, 'chain')}`];
  if (!isComplete) said.push('more may be removable: run it again on what it printed');
  note(said.join('; '));
}
