/** What a command asks of a table that has not got it: every mistake, each at its word. */
import type { Command, Diagnostic, Span } from '@sockfilter/language';
import {
  type BuiltinChain,
  calledChain,
  findChain,
  type Rule,
  type Table,
} from '@sockfilter/table';
import { misfit, targetMisfit } from './chainfit.js';
import { missingChainHelp, missingTargetHelp, type Purpose } from './chainhelp.js';
import type { RuleContext } from './values/syntax.js';

const NO_CHAIN = 'No chain/target/match by that name.';

interface Places {
  readonly place: Span;
  /** The word that names the chain. */
  readonly chain: Span | undefined;
  /** The word after -j or -g. */
  readonly target: Span | undefined;
}

/** The rules that the command says. */
export function rulesOf(command: Command): readonly Rule[] {
  if (command.kind === 'replace') return [command.rule];
  return 'rules' in command ? command.rules : [];
}

/** Whether the chain could have the rules. */
function fitsIn(chain: BuiltinChain, rules: readonly Rule[], context: RuleContext): boolean {
  return rules.every(
    ({ matches, target }) =>
      targetMisfit(chain, target) === undefined &&
      matches.every(({ name, options }) =>
        options.every((option) => misfit(chain, name, option, context) === undefined),
      ),
  );
}

const PUTS: readonly Command['kind'][] = ['append', 'insert'];

/** Chains and targets that the command names and the table has not. */
export function unfitNames(
  table: Table,
  command: Command,
  { place, chain, target }: Places,
  context: RuleContext,
  purpose: Exclude<Purpose, 'find'> = 'command',
): readonly Diagnostic[] {
  if (!('chain' in command) || command.chain === undefined) return [];
  const { kind, chain: name } = command;
  if (kind === 'new-chain' || kind === 'policy') return [];
  const found: Diagnostic[] = [];
  const rules = rulesOf(command);
  const here: Purpose = PUTS.includes(kind) ? purpose : 'find';
  if (!findChain(table, name)) {
    const help = missingChainHelp(table, name, here, (each) => fitsIn(each, rules, context));
    const span = chain ?? place;
    found.push({ code: 'does-not-fit', message: NO_CHAIN, span, exit: 1, help });
  }
  // Rules of one line have one target.
  for (const { target: to } of rules.slice(0, 1)) {
    const called = calledChain(to);
    if (called === undefined || findChain(table, called)) continue;
    const help = missingTargetHelp(table, name, to, kind === 'replace' ? purpose : here);
    found.push({ code: 'unknown-name', message: NO_CHAIN, span: target ?? place, exit: 2, help });
  }
  return found;
}
