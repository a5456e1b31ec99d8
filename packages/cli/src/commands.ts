/** The commands that are words, declared as for yargs. What each does is loaded when it is called. */
import type { Argv } from 'yargs';
import { ciCommands } from './ci/commands.js';
import type { Globals } from './globals.js';
import { VERSION_LINE } from './help.js';
import { interopCommands } from './interopcommands.js';
import { liveCommands } from './livecommands.js';
import { json, text } from './options.js';
import { print } from './output.js';
import { setCommands } from './setcommands.js';

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
 * Adds all commands to the parser.
 *
 * @param words what stands after `--`
 */
export function addCommands(parser: Argv, globals: Globals, words: readonly string[]): Argv {
  const tables = trialCommands(restoreCommand(saveCommand(parser, globals), globals), globals);
  const live = liveCommands(tables, globals, words);
  return interopCommands(ciCommands(live, globals), globals)
    .command('group', 'add, list, delete groups; move processes into them', (command) =>
      groupCommands(command, globals),
    )
    .command('set', 'create, change, list and destroy named sets', (command) =>
      setCommands(command, globals),
    );
}
