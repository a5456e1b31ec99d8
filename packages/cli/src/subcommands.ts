/** From the words of a command that is a word to what it does. */

import { EXIT } from '@sockfilter/language';
import type { Argv } from 'yargs';
import { commandRow } from './commandrow.js';
import { addCommands } from './commands.js';
import { CommandError } from './failure.js';
import { splitGlobals } from './globals.js';
import { STANDARD_INPUT } from './inputfile.js';
import { flagWithValue, readPlain } from './plainwords.js';
import type { CommandRow } from './rows/row.js';
import { checkFlag, checkName, checkScope } from './wordserror.js';

/**
 * yargs drops a `-` among words, and a check of nothing finds nothing: where the words are files, it gets
 * the name that standard input has as a file.
 */
function namingStandardInput(words: readonly string[], row: CommandRow | undefined) {
  const isWritten = (word = '') => row?.options[word.replace(/^--/, '')] === 'output';
  const named = words.map((word, at) =>
    word === '-' && !isWritten(words[at - 1]) ? STANDARD_INPUT : word,
  );
  if (named.filter((word, at) => word !== words[at]).length > 1)
    throw new CommandError('standard input can be read once, and `-` stands twice', EXIT.usage);
  return named;
}

/** ipset's ways to say `--exist`, which may stand anywhere. */
function asWritten(words: readonly string[]): readonly string[] {
  if (words[0] !== 'set') return words;
  const rest = words.filter((word) => word !== '-!' && word !== '-exist');
  return rest.length < words.length ? [...rest, '--exist'] : words;
}

/** A word after `--` as a file's name that no parser takes for an option. */
function fileName(word: string): string {
  return word.startsWith('-') && word !== '-' ? `./${word}` : word;
}

/** Options of the commands that take a rule's words as well. */
const BESIDE_RULES: readonly string[] = ['--json', '--help', '-h'];

/** Puts the options of a rule behind `--`: no parser of commands knows them. */
function asideRule(words: readonly string[]): readonly string[] {
  if (words[0] !== 'trace') return words;
  const own: string[] = [];
  const rule: string[] = [];
  let hasChain = false;
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? '';
    if (word === '--') continue;
    if (BESIDE_RULES.includes(word) || word.startsWith('--count=')) own.push(word);
    else if (word === '--count') own.push(word, ...words.slice(++at, at + 1));
    else if (at === 0 || (!hasChain && !word.startsWith('-'))) {
      own.push(word);
      hasChain = at > 0;
    } else rule.push(word);
  }
  return [...own, '--', ...rule];
}

export async function runSubcommand(argv: readonly string[]): Promise<void> {
  const { globals, rest: named, typed } = splitGlobals(argv);
  const rest = asideRule(named);
  const [name] = rest;
  checkName(name);
  const row = commandRow(rest);
  checkScope(name, row, typed);
  const dashes = rest.indexOf('--');
  const before = dashes < 0 ? rest : rest.slice(0, dashes);
  const words = dashes < 0 ? [] : rest.slice(dashes + 1);
  const takesFiles = row?.args.some(({ filler }) => filler === 'file') ?? false;
  const ours = takesFiles ? [...before, ...words.map(fileName)] : before;
  if (name !== 'exec' && name !== 'trace' && !takesFiles && words.length > 0)
    throw new CommandError(`\`${name}\` takes nothing after \`--\``, EXIT.usage);
  const given = [...(takesFiles ? namingStandardInput(ours, row) : asWritten(ours))];
  const declare = (parser: Argv) => addCommands(parser, globals, words);
  checkFlag(flagWithValue(given, declare));
  const plain = readPlain(given, declare);
  if (plain) return plain();
  const { runByYargs } = await import('./yargswords.js');
  await runByYargs(given, declare, { words: rest, row });
}
