/** The commands that speak with other programs, by yargs. */
import { FAMILIES } from '@sockfilter/table';
import type { Argv } from 'yargs';
import type { Globals } from './globals.js';
import { list, text } from './options.js';

const TO = ['nft', 'json'] as const;
const FROM = ['iptables-save', 'nft-json', 'systemd-unit', 'networkpolicy'] as const;

/** The files of the patches of 2007, as commands. */
function bindListCommands(parser: Argv, globals: Globals): Argv {
  return FAMILIES.reduce(
    (commands, family) =>
      commands.command(
        `network.ipv${family} <group> [change] [address]`,
        `print, add to or delete from the IPv${family} addresses that a group may bind`,
        (command) =>
          command
            .positional('group', { type: 'string', demandOption: true, describe: 'its name' })
            .positional('change', { type: 'string', describe: 'add or del' })
            .positional('address', { type: 'string' }),
        async ({ group, change, address }) => {
          const { bindList } = await import('./bindlist.js');
          await bindList(globals, { family, group, change, address });
        },
      ),
    parser,
  );
}

function exportCommand(parser: Argv, globals: Globals): Argv {
  return parser.command(
    'export [rules]',
    'print a table for nft, or as JSON for other tools',
    (command) =>
      command
        .positional('rules', {
          type: 'string',
          describe: 'a rule file; without one the table in force',
        })
        .option('to', {
          choices: TO,
          demandOption: true,
          requiresArg: true,
          describe: 'what is to read it',
        })
        .option('report', { ...text, describe: 'write what is told as JSON too' }),
    async ({ rules, to, report }) => {
      const { exportTable } = await import('./export.js');
      await exportTable(globals, { file: rules, to, report });
    },
  );
}

function learnCommand(parser: Argv, globals: Globals): Argv {
  return parser.command(
    'learn [events..]',
    'make a rule file that allows the calls that events tell of',
    (command) =>
      command
        .positional('events', {
          type: 'string',
          array: true,
          default: [],
          describe: 'what `monitor --json` printed; standard input if absent',
        })
        .option('group', { ...list, alias: 'g', describe: 'of this group alone: name or id' })
        .option('rules', { ...text, describe: 'leave out what this rule file accepts' })
        .option('prefix', { ...text, describe: 'join IPv4 addresses of peers to networks so long' })
        .option('prefix6', { ...text, describe: 'the same of IPv6' })
        .option('for', { ...text, describe: 'listen to what happens so long: 90s, 10m, 2h' })
        .option('live', { type: 'boolean', default: false, describe: 'the same, until ^C' })
        .option('into', { ...text, describe: 'print what this rule file lacks, as a patch' })
        .option('write', {
          type: 'boolean',
          default: false,
          describe: 'add it to the file, too',
        }),
    async ({ events, group, for: time, ...words }) => {
      const { learnRules } = await import('./learn/learn.js');
      const { rules, prefix, prefix6, live, into, write } = words;
      const groups = group ?? [];
      const all = { events, groups, rules, prefix, prefix6, for: time, live, into, write };
      await learnRules(globals, all);
    },
  );
}

export function interopCommands(parser: Argv, globals: Globals): Argv {
  return learnCommand(exportCommand(bindListCommands(parser, globals), globals), globals).command(
    'import <files..>',
    'make a rule file of the rules of iptables, nft, systemd or Kubernetes',
    (command) =>
      command
        .positional('files', { type: 'string', array: true, demandOption: true })
        .option('from', {
          choices: FROM,
          demandOption: true,
          requiresArg: true,
          describe: 'what the files are',
        })
        .option('chain-map', {
          ...text,
          default: 'INPUT=ACCEPT,OUTPUT=CONNECT:SENDTO',
          describe: 'the chains that stand for those of iptables',
        })
        .option('group', { ...text, describe: 'about the calls of the group with this id' })
        .option('path', { ...text, describe: 'about the calls of this control group' })
        .option('id', {
          ...text,
          describe: 'the id of the first group that the file needs; 1 if absent',
        })
        .option('pods', { ...list, describe: 'a file of pods, for the selectors of networkpolicy' })
        .option('tests', { ...text, describe: 'write what must hold as an expectation file' })
        .option('report', { ...text, describe: 'write what is told as JSON too' })
        .conflicts('group', 'path'),
    async ({ files, from, chainMap, group, path, id, pods = [], tests, report }) => {
      const { importRules } = await import('./import.js');
      importRules({ files, from, chainMap, group, path, id, pods, tests, report });
    },
  );
}
