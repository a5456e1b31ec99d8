/** The words of `sockfilter set`, by yargs. */
import { SET_TYPE_NAMES } from '@sockfilter/table';
import type { Argv } from 'yargs';
import type { Globals } from './globals.js';
import { json } from './options.js';

const string = { type: 'string', demandOption: true } as const;
const name = { ...string, describe: 'name of the set' } as const;
const some = { type: 'string', describe: 'name of the set; all if absent' } as const;
const element = { ...string, describe: 'in the form of its type' } as const;
const exist = {
  type: 'boolean',
  default: false,
  describe: 'what is there already, or is not there, is no fault',
} as const;

const server = {
  type: 'string',
  describe: 'DNS server to ask, ADDR[:PORT]; of the system if absent',
} as const;

const rest = (describe: string) =>
  ({ type: 'string', array: true, default: [], describe }) as const;

function elementCommands(parser: Argv, globals: Globals): Argv {
  return parser
    .command(
      'add <name> <element> [words..]',
      'add to a set in force, at once and without a commit',
      (command) =>
        command
          .positional('name', name)
          .positional('element', element)
          .positional('words', rest('timeout SECONDS, nomatch, packets NUMBER, comment TEXT'))
          .option('exist', exist)
          .option('resolve', {
            type: 'boolean',
            default: false,
            describe: 'the element is a host name: add the addresses that DNS tells',
          })
          .option('server', server),
      async (argv) => {
        if (argv.resolve || argv.server !== undefined) {
          const { addResolved } = await import('./setresolve.js');
          return addResolved(globals, argv);
        }
        const { editElements } = await import('./set.js');
        editElements(globals, 'add', [argv.name, argv.element, ...argv.words], argv);
      },
    )
    .command(
      'del <name> <element>',
      'take out of a set',
      (command) =>
        command.positional('name', name).positional('element', element).option('exist', exist),
      async (argv) => {
        const { editElements } = await import('./set.js');
        editElements(globals, 'del', [argv.name, argv.element], argv);
      },
    )
    .command(
      'test <name> <element> [words..]',
      'say whether a set has an element, or a network that holds it',
      (command) =>
        command
          .positional('name', name)
          .positional('element', element)
          .positional('words', rest('nomatch: whether an exception holds it')),
      async (argv) => {
        const { testElement } = await import('./set.js');
        testElement(globals, [argv.name, argv.element, ...argv.words]);
      },
    );
}

function heldCommands(parser: Argv, globals: Globals): Argv {
  return parser
    .command(
      'list [name]',
      'list sets with what they hold',
      (command) => command.positional('name', some).option('json', json),
      async (argv) => {
        const { listSets } = await import('./set.js');
        listSets(globals, { name: argv.name, json: argv.json });
      },
    )
    .command(
      'flush [name]',
      'empty a set, or all',
      (command) => command.positional('name', some),
      async (argv) => {
        const { flushSets } = await import('./set.js');
        flushSets(globals, argv.name);
      },
    )
    .command(
      'refresh [name]',
      'ask DNS again for the host names in a set, or in all',
      (command) => command.positional('name', some).option('server', server),
      async (argv) => {
        const { refreshSets } = await import('./setresolve.js');
        await refreshSets(globals, argv.name, argv);
      },
    );
}

function nameCommands(parser: Argv, globals: Globals): Argv {
  return parser
    .command(
      'destroy [name]',
      'remove a set, or all; none that a rule asks',
      (command) => command.positional('name', some),
      async (argv) => {
        const { destroySets } = await import('./set.js');
        destroySets(globals, argv.name);
      },
    )
    .command(
      'rename <name> <to>',
      'rename a set, also in the rules that ask it',
      (command) =>
        command.positional('name', name).positional('to', { ...string, describe: 'its new name' }),
      async (argv) => {
        const { renameSetCommand } = await import('./set.js');
        renameSetCommand(globals, argv.name, argv.to);
      },
    )
    .command(
      'swap <name> <to>',
      'give each of two sets what the other holds, at one moment',
      (command) =>
        command.positional('name', name).positional('to', { ...string, describe: 'the other set' }),
      async (argv) => {
        const { swapSetsCommand } = await import('./set.js');
        swapSetsCommand(globals, argv.name, argv.to);
      },
    );
}

export function setCommands(parser: Argv, globals: Globals): Argv {
  const made = parser.command(
    'create <name> <type> [words..]',
    'make a set',
    (command) =>
      command
        .positional('name', name)
        .positional('type', { ...string, describe: SET_TYPE_NAMES.join(' | ') })
        .positional(
          'words',
          rest('family inet|inet6, timeout SECONDS, maxelem NUMBER, counters, comment'),
        )
        .option('exist', exist),
    async (argv) => {
      const { createSetCommand } = await import('./set.js');
      createSetCommand(globals, [argv.name, argv.type, ...argv.words], argv);
    },
  );
  return nameCommands(heldCommands(elementCommands(made, globals), globals), globals).demandCommand(
    1,
    'say what to do: create, add, del, test, list, flush, refresh, destroy, rename or swap',
  );
}
