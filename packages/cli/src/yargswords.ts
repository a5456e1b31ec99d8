/** Words that need more than plain reading, by yargs: help, and what is wrong with them. */
import yargs, { type Argv } from 'yargs';
import { examplesOf, rowsBelow } from './commandrow.js';
import { print } from './output.js';
import type { CommandRow } from './rows/row.js';
import { wordsError } from './wordserror.js';

/** For help: they are taken out before yargs sees the words. */
const GLOBAL_OPTIONS = {
  file: { type: 'string', describe: 'work on a saved rule file [SOCKFILTER_FILE]' },
  root: { type: 'string', describe: 'police this control group only [SOCKFILTER_ROOT]' },
  wait: { alias: 'w', describe: 'wait for another command to end, at most so many seconds' },
} as const;

/** The options of every command that this one has. */
function globalOptions(row: CommandRow | undefined) {
  const { file, root, wait } = GLOBAL_OPTIONS;
  if (row?.scope === 'files') return {};
  return row?.scope === 'live' ? { root, wait } : { file, root, wait };
}

interface Typed {
  /** As typed, without the options of every command. */
  readonly words: readonly string[];
  readonly row: CommandRow | undefined;
}

/**
 * The parser with what holds for every command, and none of them.
 *
 * @internal
 */
export function baseParser({ words, row }: Typed): Argv {
  return yargs()
    .scriptName('sockfilter')
    .locale('en')
    .parserConfiguration({
      'parse-numbers': false,
      'parse-positional-numbers': false,
      // `--no-new-access` is an option of its own.
      'boolean-negation': false,
    })
    .version(false)
    .alias('h', 'help')
    .options(globalOptions(row))
    .group([...Object.keys(globalOptions(row)), 'help'], 'Options of every command:')
    .exitProcess(false)
    .showHelpOnFail(false)
    .strict()
    .fail((message: string | undefined, error: Error | undefined) => {
      if (error && error.name !== 'YError') throw error;
      const options = Object.keys(globalOptions(row));
      throw wordsError(message ?? error?.message ?? '', { words, row, options });
    });
}

/** Runs the command of these words, or prints its help. */
export async function runByYargs(
  given: readonly string[],
  declare: (parser: Argv) => Argv,
  typed: Typed,
): Promise<void> {
  const parser = declare(baseParser(typed));
  let help = '';
  // To one that listens yargs makes the text of help each time; it is printed only where a word has an `h`.
  const listen = (_error: unknown, _argv: unknown, output: string) => {
    help = output;
  };
  await (given.some((word) => /^-.*h/.test(word))
    ? parser.parseAsync([...given], {}, listen)
    : parser.parseAsync([...given]));
  const { row, words } = typed;
  if (help !== '') print(`${help}\n\n${examplesOf(row ? [row] : rowsBelow(words[0] ?? ''))}`);
}
