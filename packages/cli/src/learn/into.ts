/** `learn --into FILE`: what a rule file lacks so that it accepts what was seen, as a patch with what it means for calls. */
import {
  type Addition,
  additionsFor,
  type LearnOptions,
  type SeenCall,
  withTwins,
} from '@sockfilter/interop';
import { parseCommand } from '@sockfilter/iptables';
import { EXIT } from '@sockfilter/language';
import { Comparison, fileWithoutText } from '@sockfilter/policy';
import {
  findChain,
  insertRules,
  type Rule,
  registerPaths,
  requireValid,
  type Table,
} from '@sockfilter/table';
import { replaceFile, resolveFile } from '../atomicfile.js';
import { CommandError, DiagnosticsError } from '../failure.js';
import { withFileLock } from '../filelock.js';
import type { Globals } from '../globals.js';
import { readInput } from '../inputfile.js';
import { editRules } from '../notation.js';
import { note, print } from '../output.js';
import { SYSTEM_NAMES } from '../systemnames.js';
import { additionPatch } from './patch.js';
import { allows, type RuleText } from './ruletext.js';

export interface Base extends RuleText {
  readonly path: string;
  /** Whether the file is to be changed. */
  readonly write: boolean;
}

function parseRule(chain: string, words: string, table: Table): readonly Rule[] {
  const text = `-A ${chain} ${words}`;
  const parsed = parseCommand(wordsOf(text), { names: SYSTEM_NAMES, groups: table.groups });
  if (parsed.diagnostics.length > 0 || parsed.command?.kind !== 'append')
    throw new DiagnosticsError(parsed.diagnostics, parsed.source);
  return parsed.command.rules;
}

/** The words of a rule of ours: only its comment has quotes, and no other signs. */
const wordsOf = (text: string) =>
  [...text.matchAll(/"([^"]*)"|\S+/g)].map(([word, quoted]) => quoted ?? word);

/** The place in a chain that `learn` has made, before what drops the rest; undefined where the file has none. */
function learnedPlace(table: Table, { learned }: Addition): number | undefined {
  const rules = findChain(table, learned)?.rules;
  const last = rules?.at(-1);
  if (!rules || last?.target?.kind !== 'drop' || last.matches.length > 0) return undefined;
  return rules.length;
}

/** The table with the rules at the end of the chain that was learned, or at the head of the built-in one. */
function add(table: Table, addition: Addition, place: 'learned' | 'head'): Table {
  const { chain, group, learned, rules } = addition;
  const number = place === 'learned' ? learnedPlace(table, addition) : undefined;
  if (number !== undefined)
    return insertRules(
      table,
      learned,
      number,
      rules.flatMap((words) => parseRule(learned, words, table)),
    );
  const ofGroup = rules.flatMap((words) =>
    parseRule(chain, `-m cgroup --id ${group} ${words}`, table),
  );
  return insertRules(table, chain, 1, ofGroup);
}

/** The table that accepts the calls as well. */
function extend(table: Table, calls: readonly SeenCall[], options: LearnOptions): Table {
  const grown = additionsFor(calls, options).reduce(
    (before, addition) => add(before, addition, 'learned'),
    table,
  );
  const isKnown = allows(grown);
  const left = calls.filter(({ packet }) => !isKnown(packet));
  // Rules before the learned chain refuse them: theirs have to come first.
  const whole = additionsFor(left, options).reduce(
    (before, addition) => add(before, addition, 'head'),
    grown,
  );
  const accepts = allows(whole);
  if (!calls.every(({ packet }) => accepts(packet)))
    throw new Error('rules that were learned do not accept what was seen');
  return whole;
}

export function learnInto(
  globals: Globals,
  { path, table, document, write }: Base,
  seen: readonly SeenCall[],
  options: LearnOptions,
): void {
  const isKnown = allows(table);
  const calls = withTwins(seen).filter(({ packet }) => !isKnown(packet));
  if (calls.length === 0) {
    note(seen.length > 0 ? `\`${path}\` accepts all that was seen` : 'nothing was seen');
    return;
  }
  const grown = registerPaths(requireValid(extend(table, calls, options)), 0);
  const before = document.source.text;
  const after = editRules(document, grown);
  const { regions, unlisted } = new Comparison(
    fileWithoutText(path, table),
    fileWithoutText(path, grown),
  ).describe();
  const means = [
    ...regions.map(({ kind, text }) => `# ${kind}: ${text}\n`),
    ...unlisted.map((kind) => `# ${kind}: more regions than can be listed\n`),
  ];
  print(`${means.join('')}${additionPatch(path, before, after)}`);
  if (!write) {
    process.exitCode = EXIT.unfit;
    return;
  }
  withFileLock(resolveFile(path), globals.wait, () => {
    if (readInput(path).text !== before)
      throw new CommandError(`\`${path}\` has changed meanwhile`, EXIT.resource, 'try again');
    replaceFile(path, after);
  });
}
