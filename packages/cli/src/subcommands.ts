/** The commands that are words, by yargs. What each does is loaded when it is called. */

import { EXIT } from '@sockfilter/language';
import yargs, { type Argv } from 'yargs';
import { ciCommands } from './ci/commands.js';
import { type CommandRow, commandRow, examplesOf, rowsBelow } from './commandrow.js';
import { CommandError } from './failure.js';
import { type Globals, splitGlobals } from './globals.js';
import { VERSION_LINE } from './help.js';
import { STANDARD_INPUT } from './inputfile.js';
import { interopCommands } from './interopcommands.js';
import { liveCommands } from './livecommands.js';
import { optimizeLater } from './optimizer.js';
import { json, text } from './options.js';
import { print } from './output.js';
import { setCommands } from './setcommands.js';
import { checkName, checkScope, wordsError } from './wordserror.js';

/** For help: they are taken out before yargs sees the words. */
const GLOBAL_OPTIONS = {
  file: { type: 'string', describe: 'work on a saved rule file [SOCKFILTER_FILE]' },
  root: { type: 'string', describe: 'police this control group only [SOCKFILTER_ROOT]' },
  wait: { alias: 'w', describe: 'wait for another command to end, at most so many seconds' },
} as const;

const flag = (alias: string, describe: string) =>
  ({ type: 'boolean', default: false, alias, describe }) as const;

/** Save files and tables of other names are told apart by `-t`, as with iptables-save. */
const TABLE = { ...text, alias: 't', choices: ['socket'], describe: 'the only table' } as const;

/** `sockfilter-save -V` and `sockfilter-restore -V`. */
const VERSION_FLAG = flag('V', 'print the version');

function saveCommand(parser: Argv, globals: Globals): Argv {
  return parser.command(
    'save',
    'print the table in the format of iptables-save',
    (command) =>
      command
        .option('counters', flag('c', 'with counters'))
        .option('output', { ...text, alias: 'f', describe: 'write this file, atomically' })
        .option('table', TABLE)
        .option('json', { ...json, describe: 'as nftables JSON' })
        .option('version', VERSION_FLAG),
    async ({ counters, output, json: asJson, version }) => {
      if (version) return print(VERSION_LINE);
      const { saveTable } = await import('./save.js');
      await saveTable(globals, { counters, json: asJson, to: output });
    },
  );
}

function restoreCommand(parser: Argv, globals: Globals): Argv {
  return parser.command(
    'restore [rules]',
    'put a saved rule file in force, all of it or nothing',
    (command) =>
      command
        .positional('rules', { type: 'string', describe: 'standard input if absent' })
        .option('json', { ...json, describe: 'refuse what is not nftables JSON' })
        .option('noflush', flag('n', 'add to the table that is there'))
        .option('test', flag('t', 'say what is wrong, and change nothing'))
        .option('counters', flag('c', 'take the counters that the file gives'))
        .option('reset-state', {
          type: 'boolean',
          default: false,
          describe: 'begin limits and other states anew, also of rules that stay',
        })
        .option('label', {
          ...text,
          describe: 'name the revision; the git revision of the file if absent',
        })
        .option('confirm', {
          ...text,
          describe: 'undo it after so many seconds unless confirmed',
        })
        .option('fail-closed', {
          type: 'boolean',
          default: false,
          describe: 'if it fails and nothing is in force, refuse all but bind(2) and loopback',
        })
        .option('version', VERSION_FLAG),
    async ({
      rules,
      json: onlyJson,
      noflush,
      test,
      counters,
      resetState: resetsState,
      label,
      confirm,
      failClosed,
      version,
    }) => {
      if (version) return print(VERSION_LINE);
      const { restoreTable } = await import('./restore.js');
      const confirmWithin =
        confirm === undefined ? undefined : (await import('./trial.js')).readSeconds(confirm);
      const words = { from: rules, onlyJson, noflush, test, counters, label };
      const options = { ...words, confirmWithin, resetsState };
      if (!failClosed) return restoreTable(globals, options);
      const { restoreOrClose } = await import('./failclosed.js');
      await restoreOrClose(globals, options);
    },
  );
}

function trialCommands(parser: Argv, globals: Globals): Argv {
  return parser
    .command(
      'confirm',
      'keep the table that `restore --confirm` has put in force',
      {},
      async () => {
        const { confirm } = await import('./trial.js');
        confirm(globals);
      },
    )
    .command(
      'undo',
      'put the table before back: of a trial at once, else of the history',
      {},
      async () => {
        const { undo } = await import('./trial.js');
        undo(globals);
      },
    );
}

function groupCommands(parser: Argv, globals: Globals): Argv {
  const name = { type: 'string', demandOption: true, describe: 'name of the group' } as const;
  return parser
    .command(
      'add <name>',
      'declare a group, and print its id',
      (command) =>
        command
          .positional('name', name)
          .option('path', {
            ...text,
            describe: 'its control group; sockfilter/NAME below the root if absent',
          })
          .option('id', {
            ...text,
            describe: 'its id; the next that was never given out if absent',
          }),
      async (argv) => {
        const { addGroupCommand } = await import('./group.js');
        await addGroupCommand(globals, { name: argv.name, path: argv.path, id: argv.id });
      },
    )
    .command(
      'list',
      'list the groups',
      (command) => command.option('json', json),
      async (argv) => {
        const { listGroups } = await import('./group.js');
        await listGroups(globals, argv.json);
      },
    )
    .command(
      'delete <name>',
      'forget a group; its id is not given out again',
      (command) =>
        command.positional('name', name).option('force', {
          type: 'boolean',
          default: false,
          describe: 'also if rules name it',
        }),
      async (argv) => {
        const { deleteGroupCommand } = await import('./group.js');
        await deleteGroupCommand(globals, { name: argv.name, force: argv.force });
      },
    )
    .command(
      'move <name> <pid..>',
      'move processes into a group',
      (command) =>
        command
          .positional('name', name)
          .positional('pid', { type: 'string', array: true, demandOption: true }),
      async (argv) => {
        const { moveToGroup } = await import('./group.js');
        await moveToGroup(globals, { name: argv.name, pids: argv.pid });
      },
    )
    .demandCommand(1, 'say what to do: add, list, delete or move');
}

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

/** The options of every command that this one has. */
function globalOptions(row: CommandRow | undefined) {
  const { file, root, wait } = GLOBAL_OPTIONS;
  if (row?.scope === 'files') return {};
  return row?.scope === 'live' ? { root, wait } : { file, root, wait };
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

/** Commands that compile tables or analyse them, and then end. */
const COMPUTING = new Set(['restore', 'check', 'test', 'diff', 'review', 'query', 'simplify']);

export async function runSubcommand(argv: readonly string[]): Promise<void> {
  const { globals, rest: named, typed } = splitGlobals(argv);
  const rest = asideRule(named);
  const [name] = rest;
  checkName(name);
  if (COMPUTING.has(name ?? '')) optimizeLater();
  const row = commandRow(rest);
  checkScope(name, row, typed);
  const dashes = rest.indexOf('--');
  const before = dashes < 0 ? rest : rest.slice(0, dashes);
  const words = dashes < 0 ? [] : rest.slice(dashes + 1);
  const takesFiles = row?.args.some(({ filler }) => filler === 'file') ?? false;
  const ours = takesFiles ? [...before, ...words.map(fileName)] : before;
  if (name !== 'exec' && name !== 'trace' && !takesFiles && words.length > 0)
    throw new CommandError(`\`${name}\` takes nothing after \`--\``, EXIT.usage);
  const base = yargs()
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
      throw wordsError(message ?? error?.message ?? '', { words: rest, row, options });
    });
  const live = liveCommands(
    trialCommands(restoreCommand(saveCommand(base, globals), globals), globals),
    globals,
    words,
  );
  const parser = interopCommands(ciCommands(live, globals), globals)
    .command('group', 'add, list, delete groups; move processes into them', (command) =>
      groupCommands(command, globals),
    )
    .command('set', 'create, change, list and destroy named sets', (command) =>
      setCommands(command, globals),
    );
  let help = '';
  const given = [...(takesFiles ? namingStandardInput(ours, row) : asWritten(ours))];
  // To one that listens yargs makes the text of help each time; it is printed only where a word has an `h`.
  const listen = (_error: unknown, _argv: unknown, output: string) => {
    help = output;
  };
  await (given.some((word) => /^-.*h/.test(word))
    ? parser.parseAsync(given, {}, listen)
    : parser.parseAsync(given));
  if (help !== '') print(`${help}\n\n${examplesOf(row ? [row] : rowsBelow(name ?? ''))}`);
}
