/** Rules as a text says them. */
import type { Diagnostic } from '@sockfilter/language';
import { documentFile, type RuleFile } from '@sockfilter/policy';
import type { Table } from '@sockfilter/table';
import { DiagnosticsError } from '../failure.js';
import { parseRules as parse } from '../notation.js';
import { SYSTEM_NAMES } from '../systemnames.js';

/** A rule file that was read, in the syntax of iptables-save or in JSON. */
export interface Rules {
  /** What places name it by. */
  readonly name: string;
  readonly text: string;
  /** Without what has mistakes, where `diagnostics` has any. */
  readonly table: Table;
  /** Every mistake; empty if the rules can be put in force. */
  readonly diagnostics: readonly Diagnostic[];
}

export interface ParseOptions {
  /** What places name the text by; `rules` if left out. */
  readonly name?: string;
}

const files = new WeakMap<Rules, RuleFile>();

/** Reads rules. It never throws: every mistake is a diagnostic, with its place and, where there is one, a way out. */
export function parseRules(text: string, { name = 'rules' }: ParseOptions = {}): Rules {
  const { table, document, diagnostics } = parse(text, name, { names: SYSTEM_NAMES });
  const rules: Rules = Object.freeze({ name, text, table, diagnostics });
  if (diagnostics.length === 0) files.set(rules, documentFile(document, table));
  return rules;
}

/** The rules as answers need them. Throws DiagnosticsError where they have mistakes. */
export function requireFile(rules: Rules): RuleFile {
  const { name, text, diagnostics } = rules;
  const file = files.get(rules);
  if (file) return file;
  if (diagnostics.length > 0) throw new DiagnosticsError(diagnostics, { name, text });
  throw new TypeError('these are no rules of `parseRules`');
}
