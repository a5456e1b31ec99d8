/** From the arguments to the command that they name. */
import { EXIT } from '@sockfilter/language';
import { CommandError } from './failure.js';
import { refuseFileLine } from './fileline.js';
import { firstWord } from './globals.js';
import { textOf } from './help.js';
import { finish, print } from './output.js';
import { PROBE } from './probe.js';

async function route(argv: readonly string[]): Promise<void> {
  const word = firstWord(argv);
  if (word === undefined) {
    const help = '`sockfilter --help` says what there is';
    throw new CommandError('no command specified', EXIT.usage, help);
  }
  const text = textOf(word);
  if (text !== undefined) return print(text);
  if (word === PROBE) {
    const { callFrom } = await import('@sockfilter/kernel');
    return print(await callFrom(argv[1], argv[2]));
  }
  refuseFileLine(word);
  if (word === '-') {
    const { runBatch } = await import('./batch.js');
    return runBatch(argv);
  }
  if (word.startsWith('-')) {
    const { runTableCommand } = await import('./tablecommand.js');
    return runTableCommand(argv);
  }
  const { runSubcommand } = await import('./subcommands.js');
  return runSubcommand(argv);
}

/** Runs the command line; the exit status is set when it resolves. */
export function run(argv: readonly string[]): Promise<void> {
  return finish(argv, () => route(argv));
}
