/** The words of the commands about calls and this machine, by yargs. */
import { EXIT } from '@sockfilter/language';
import { describeDetail, detailRecord } from '@sockfilter/table';
import type { Argv } from 'yargs';
import { SHELLS } from './completion/shell.js';
import { CommandError } from './failure.js';
import type { Globals } from './globals.js';
import { json, readCircumstances, state, text, time } from './options.js';

function execCommand(parser: Argv, globals: Globals, words: readonly string[]): Argv {
  return parser.command(
    'exec',
    'run a command in a group, with inherited sockets closed',
    (command) =>
      command
        .usage(
          '$0 exec --group NAME -- COMMAND ARGS...\n\nrun a command in a group, with inherited sockets closed',
        )
        .option('group', { ...text, alias: 'g', demandOption: true, describe: 'its name' })
        .option('keep-sockets', {
          type: 'boolean',
          default: false,
          describe: 'leave inherited sockets open; they keep the group that they have',
        }),
    async ({ group, keepSockets }) => {
      const { execInGroup } = await import('./exec.js');
      await execInGroup(globals, { group, keepSockets, words });
    },
  );
}

function explainCommand(parser: Argv, globals: Globals): Argv {
  return parser.command(
    'explain [chain]',
    'say what becomes of a call, and which rule decides',
    (command) =>
      command
        .positional('chain', { type: 'string', describe: 'BIND, ...' })
        .option('last', { type: 'boolean', default: false, describe: 'the last refusal' })
        .option('group', { ...text, describe: 'name, id or control group of the caller' })
        .option('pid', {
          ...text,
          describe: 'the process that calls: its control group, uid and gid',
        })
        .option('proto', { ...text, alias: 'p', describe: 'tcp, udp, ...' })
        .option('src', { ...text, alias: 's', describe: '10.0.0.5:80 or [fd00::1]:80' })
        .option('dst', { ...text, alias: 'd', describe: '10.0.0.5:80 or [fd00::1]:80' })
        .option('uid', { ...text, describe: 'filesystem uid of the caller' })
        .option('gid', { ...text, describe: 'filesystem gid of the caller' })
        .option('mark', { ...text, describe: 'mark of the socket (SO_MARK): 31 or 0x1f' })
        .options(detailRecord((detail) => ({ ...text, describe: describeDetail(detail).text })))
        .option('state', state)
        .option('time', time)
        .option('rules', {
          type: 'boolean',
          default: false,
          describe: 'with each rule that is asked, and why it does not match',
        })
        .option('json', json),
    async ({
      chain,
      group,
      pid,
      proto,
      src,
      dst,
      uid,
      gid,
      mark,
      rules,
      last,
      json: asJson,
      ...rest
    }) => {
      const details = detailRecord((detail) => rest[detail]);
      if (last) {
        const call = [chain, group, pid, proto, src, dst, uid, gid, mark, rest.state, rest.time];
        if ([...call, ...Object.values(details)].some((word) => word !== undefined))
          throw new CommandError('`--last` says already which call it is', EXIT.usage);
        const { explainLast } = await import('./events/last.js');
        return explainLast(globals, asJson);
      }
      if (chain === undefined)
        throw new CommandError(
          '`explain` needs CHAIN, or `--last`',
          EXIT.usage,
          'for example `sockfilter explain BIND --dst 10.0.0.5:80`',
        );
      const { explain } = await import('./explain.js');
      const words = { chain, group, proto, src, dst, uid, gid, mark, ...details };
      const circumstances = readCircumstances(rest);
      await explain(globals, words, { pid, json: asJson, rules, circumstances });
    },
  );
}

/** What follows calls as they happen. */
function eventCommands(parser: Argv, globals: Globals, words: readonly string[]): Argv {
  return parser
    .command(
      'monitor',
      'print what is refused, logged and traced, as it happens',
      (command) =>
        command
          .option('refused', { type: 'boolean', default: false, describe: 'refusals alone' })
          .option('audited', {
            type: 'boolean',
            default: false,
            describe: 'what passes and would be refused, were it not audited',
          })
          .option('passed', { type: 'boolean', default: false, describe: 'what passes' })
          .option('group', { ...text, describe: 'of callers in this group: name, id or path' })
          .option('chain', { ...text, describe: 'of calls of this chain, or rules in it' })
          .option('rule', { ...text, describe: 'of the rule with this number in the chain' })
          .option('rate', {
            ...text,
            describe: 'no more than, for example, 10/second: those beyond are counted',
          })
          .option('summary', {
            type: 'boolean',
            default: false,
            describe: 'equal events as one row: live on a terminal, else once at the end',
          })
          .option('journal', {
            type: 'boolean',
            default: false,
            describe: "write them to systemd's journal, or to syslog",
          })
          .option('json', { ...json, describe: 'print a line of JSON for each event' }),
      async ({ json: asJson, ...options }) => {
        const { monitor } = await import('./events/monitor.js');
        await monitor(globals, { ...options, json: asJson });
      },
    )
    .command(
      'trace <chain>',
      'for calls that match, print each rule that was asked',
      (command) =>
        command
          .usage(
            '$0 trace CHAIN RULE-OPTIONS...\n\nfor calls that match, print each rule that was asked',
          )
          .positional('chain', { type: 'string', demandOption: true, describe: 'BIND, ...' })
          .option('count', { ...text, describe: 'end after so many calls' })
          .option('json', { ...json, describe: 'print a line of JSON for each call' }),
      async ({ chain, count, json: asJson }) => {
        const { trace } = await import('./events/trace.js');
        await trace(globals, { chain, count, rule: words, json: asJson });
      },
    );
}

/** What shows how things are to others than who types. */
function shownCommands(parser: Argv, globals: Globals): Argv {
  return parser
    .command(
      'metrics',
      'print what is in force in numbers, as OpenMetrics',
      (command) =>
        command
          .option('listen', { ...text, describe: 'serve them at this address, 127.0.0.1:9184' })
          .option('output', { ...text, alias: 'f', describe: 'write this file, atomically' })
          .option('prometheus', {
            type: 'boolean',
            describe: 'in the text format of Prometheus, for node_exporter',
          }),
      async ({ listen, output, prometheus }) => {
        const { showMetrics } = await import('./metrics/metrics.js');
        await showMetrics(globals, {
          listen,
          output,
          format: prometheus ? 'prometheus' : undefined,
        });
      },
    )
    .command(
      'dashboard',
      'show what happens as a page in a browser',
      (command) =>
        command
          .option('listen', { ...text, describe: 'serve it at this address; 127.0.0.1:9185' })
          .option('remote', {
            type: 'boolean',
            default: false,
            describe: 'also at an address that is not of this host alone',
          })
          .option('passed', { type: 'boolean', default: false, describe: 'calls that pass, too' }),
      async ({ listen, remote, passed }) => {
        const { serveDashboard } = await import('./dashboard/dashboard.js');
        await serveDashboard(globals, { listen, remote, passed });
      },
    );
}

function machineCommands(parser: Argv, globals: Globals): Argv {
  return parser
    .command(
      'status',
      'say what is attached, and how big it is',
      (command) =>
        command.option('json', json).option('verify', {
          type: 'boolean',
          default: false,
          describe: 'compile the text in force and compare all that the kernel has with it',
        }),
      async (argv) => {
        const { showStatus } = await import('./status.js');
        await showStatus(globals, argv);
      },
    )
    .command(
      'doctor',
      'say what this machine can do, by trying',
      (command) => command.option('json', json),
      async (argv) => {
        const { showAbilities } = await import('./doctor.js');
        showAbilities(globals, argv.json);
      },
    )
    .command(
      'install-service',
      'have systemd restore a rule file at boot, before the network',
      (command) =>
        command
          .option('fail', {
            ...text,
            choices: ['open', 'closed'],
            describe: 'what is to be if the file can not be put in force',
          })
          .option('rules', { ...text, describe: 'the file; /etc/sockfilter/rules if absent' })
          .option('journal', {
            type: 'boolean',
            default: false,
            describe: 'the unit that runs `monitor --journal` instead',
          })
          .option('print', { type: 'boolean', default: false, describe: 'print the unit alone' }),
      async ({ fail, rules, journal, print: only }) => {
        const { installService } = await import('./service.js');
        installService(globals, { fail, rules, journal, print: only });
      },
    )
    .command('teardown', 'remove every trace from the kernel', {}, async () => {
      const { tearDown } = await import('./status.js');
      await tearDown(globals);
    });
}

function toolCommands(parser: Argv): Argv {
  return parser
    .command(
      'lsp',
      'serve editors with what rule files say, over standard input and output',
      {},
      async () => {
        const { serveLanguage } = await import('./lsp/server.js');
        await serveLanguage();
      },
    )
    .command(
      'completion [shell]',
      'print a script that completes commands in bash, zsh or fish',
      (command) =>
        command.positional('shell', {
          choices: SHELLS,
          describe: 'the shell of SHELL if absent',
        }),
      async ({ shell }) => {
        const { printCompletion } = await import('./completion/print.js');
        printCompletion(shell);
      },
    );
}

export function liveCommands(parser: Argv, globals: Globals, words: readonly string[]): Argv {
  const calls = explainCommand(execCommand(parser, globals, words), globals);
  const events = shownCommands(eventCommands(calls, globals, words), globals);
  return toolCommands(machineCommands(events, globals));
}
