/** Carries edit commands out on a table. */
import {
  appendRules,
  calledChain,
  deleteChain,
  deleteRule,
  deleteRuleNumber,
  deletion,
  findChain,
  flush,
  insertion,
  insertRules,
  newChain,
  type Rule,
  type RuleSplice,
  renameChain,
  replacement,
  replaceRule,
  setDenyUnseen,
  setPolicy,
  type Table,
  TableError,
  type Target,
  zero,
} from '@sockfilter/table';
import type { EditCommand } from './command.js';
import type { Diagnostic } from './diagnostic.js';
import type { Span } from './source.js';

function requireTarget(table: Table, target: Target | undefined): void {
  const called = calledChain(target);
  if (called !== undefined && !findChain(table, called))
    throw new TableError('No chain/target/match by that name.');
}

/** How many rules a chain has, and the number of the first that says the same; that throws TableError if none does. */
export interface RuleList {
  readonly length: number;
  readonly find: (rule: Rule) => number;
}

interface ChainSplice extends RuleSplice {
  readonly chain: string;
}

/**
 * What becomes of the rules of the command's chain, of which `list` is told; undefined for a command of another kind.
 * Throws TableError, as applyEdit() does.
 */
export function ruleSplice(
  table: Table,
  command: EditCommand,
  list: (chain: string) => RuleList,
): ChainSplice | undefined {
  switch (command.kind) {
    case 'insert': {
      const { chain, number, rules } = command;
      for (const { target } of rules) requireTarget(table, target);
      return { chain, ...insertion(list(chain), number, rules) };
    }
    case 'replace': {
      const { chain, number, rule } = command;
      requireTarget(table, rule.target);
      return { chain, ...replacement(list(chain), number, rule) };
    }
    case 'delete-number': {
      const { chain, number } = command;
      return { chain, ...deletion(list(chain), number) };
    }
    case 'delete': {
      const { chain } = command;
      const [rule, other] = command.rules;
      if (!rule || other) return undefined;
      const rules = list(chain);
      return { chain, ...deletion(rules, rules.find(rule)) };
    }
    default:
      return undefined;
  }
}

/**
 * The table after the command. Throws TableError if the table forbids it. It does not look at the
 * table as a whole: `requireValid` does.
 */
export function applyEdit(table: Table, command: EditCommand): Table {
  switch (command.kind) {
    case 'append':
      for (const { target } of command.rules) requireTarget(table, target);
      return appendRules(table, command.chain, command.rules);
    case 'insert':
      for (const { target } of command.rules) requireTarget(table, target);
      return insertRules(table, command.chain, command.number, command.rules);
    case 'delete':
      return command.rules.reduce((rest, rule) => deleteRule(rest, command.chain, rule), table);
    case 'delete-number':
      return deleteRuleNumber(table, command.chain, command.number);
    case 'replace':
      requireTarget(table, command.rule.target);
      return replaceRule(table, command.chain, command.number, command.rule);
    case 'flush':
      return flush(table, command.chain);
    case 'zero':
      return zero(table, command.chain, command.number);
    case 'new-chain':
      return newChain(table, command.chain);
    case 'delete-chain':
      return deleteChain(table, command.chain);
    case 'policy':
      return setPolicy(table, command.chain, command.policy);
    case 'rename-chain':
      return renameChain(table, command.chain, command.to);
    case 'deny-unseen':
      return setDenyUnseen(table, command.on);
  }
}

/** A table's refusal as a diagnostic at the words that asked. */
export function tableDiagnostic(error: TableError, span: Span): Diagnostic {
  return { code: 'does-not-fit', message: error.message, help: error.help, span, exit: 1 };
}
