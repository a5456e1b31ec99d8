/** The commands that speak with other programs, by yargs. */
import type { Argv } from 'yargs';
import { list, text } from './options.js';

export const INTEROP_NAMES = ['import'] as const;

const FROM = ['iptables-save', 'systemd-unit', 'networkpolicy'] as const;

export function interopCommands(parser: Argv): Argv {
  return parser.command(
    'import <files..>',
    'make a rule file of the rules of iptables, systemd or Kubernetes',
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
        .option('pods', { ...list, describe: 'a file of pods, for the selectors of networkpolicy' })
        .option('tests', { ...text, describe: 'write what must hold as an expectation file' })
        .option('report', { ...text, describe: 'write what is told as JSON too' })
        .conflicts('group', 'path'),
    async ({ files, from, chainMap, group, path, pods = [], tests, report }) => {
      const { importRules } = await import('./import.js');
      importRules({ files, from, chainMap, group, path, pods, tests, report });
    },
  );
}
