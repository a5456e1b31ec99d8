/** The commands of CI, by yargs: they exit with 0, 1 for findings, 2 for wrong usage, 3 for a failure. */
import { FORMATS, REGION_KEYS, type RegionKey, SEVERITIES } from '@sockfilter/policy';
import type { Argv } from 'yargs';
import type { Globals } from '../globals.js';
import { type ReportOptions, readReportOptions } from './reporting.js';

export const CI_NAMES = ['check', 'test', 'diff', 'query', 'simplify', 'rules', 'schema'] as const;

const json = { type: 'boolean', default: false, describe: 'print JSON' } as const;
const page = {
  type: 'string',
  requiresArg: true,
  describe: 'write an HTML page that shows it',
} as const;
const list = { type: 'string', array: true, requiresArg: true, nargs: 1 } as const;

function reportOptions<T>(command: Argv<T>) {
  return command
    .option('format', {
      ...list,
      describe: `${FORMATS.join(', ')}; FORMAT=FILE writes a file, and more than one can be given`,
    })
    .option('fail-on', {
      type: 'string',
      requiresArg: true,
      default: 'error',
      describe: `exit with 1 from this severity on: ${SEVERITIES.join(', ')}`,
    })
    .option('exit-zero', {
      type: 'boolean',
      default: false,
      describe: 'exit with 0 whatever is found',
    });
}

interface GivenReport {
  readonly format: readonly string[] | undefined;
  readonly failOn: string;
  readonly exitZero: boolean;
}

function given({ format = [], failOn, exitZero }: GivenReport): ReportOptions {
  return readReportOptions({ format, failOn, exitZero });
}

function checkCommands(parser: Argv): Argv {
  return parser
    .command(
      'check <paths..>',
      'say what is wrong with rule files',
      (command) =>
        reportOptions(command)
          .positional('paths', {
            type: 'string',
            array: true,
            demandOption: true,
            describe: 'rule files, and folders of *.rules',
          })
          .option('kernel', {
            type: 'string',
            requiresArg: true,
            describe: 'the oldest kernel that must enforce them, such as 6.1',
          }),
      async (argv) => {
        const { check } = await import('./check.js');
        check({ paths: argv.paths, kernel: argv.kernel }, given(argv));
      },
    )
    .command(
      'test [paths..]',
      'hold rule files against their expectations',
      (command) =>
        reportOptions(command).positional('paths', {
          type: 'string',
          array: true,
          describe: 'rule files, *.test.yaml and folders; the current folder if absent',
        }),
      async (argv) => {
        const { testRules } = await import('./testrules.js');
        await testRules(argv.paths ?? [], given(argv));
      },
    );
}

function diffCommand(parser: Argv, globals: Globals): Argv {
  const side = { type: 'string', demandOption: true } as const;
  return parser.command(
    'diff <old> <new>',
    'say what a change means for calls',
    (command) =>
      reportOptions(command)
        .positional('old', { ...side, describe: 'a file, git:REVISION:PATH or live' })
        .positional('new', { ...side, describe: 'the same' })
        .option('no-new-access', {
          type: 'boolean',
          default: false,
          describe: 'only what is newly accepted is wrong',
        })
        .option('intended', {
          type: 'string',
          requiresArg: true,
          describe: 'a YAML file with the regions that must change, and no others',
        })
        .option('report', page),
    async (argv) => {
      const { diff } = await import('./diff.js');
      const { old: before, new: after, noNewAccess, intended, report } = argv;
      await diff(globals, { before, after, noNewAccess, intended, report }, given(argv));
    },
  );
}

/** One option for each field of a region. */
function regionOptions<T>(command: Argv<T>): Argv<T> {
  for (const key of REGION_KEYS) command.option(key, list);
  return command.group([...REGION_KEYS], 'Region, each with values or !values:');
}

/** The values that yargs has for the fields. */
function regionOf(argv: Readonly<Record<string, unknown>>) {
  const region: Partial<Record<RegionKey, readonly string[]>> = {};
  for (const key of REGION_KEYS) {
    const values = argv[key];
    if (Array.isArray(values)) region[key] = values.map(String);
  }
  return region;
}

function queryCommand(parser: Argv, globals: Globals): Argv {
  return parser.command(
    'query <verdict> [rules]',
    'list the calls that are accepted or refused',
    (command) =>
      regionOptions(
        command
          .positional('verdict', {
            choices: ['accept', 'refuse'],
            demandOption: true,
            type: 'string',
          })
          .positional('rules', {
            type: 'string',
            describe: 'a rule file; else the table in force',
          }),
      )
        .option('matrix', {
          type: 'boolean',
          default: false,
          describe: 'groups by destinations and ports',
        })
        .option('report', page)
        .option('json', json),
    async (argv) => {
      const { query } = await import('./query.js');
      const { verdict, rules: file, matrix, json: asJson, report } = argv;
      await query(globals, { verdict, file, region: regionOf(argv), matrix, json: asJson, report });
    },
  );
}

/** Adds the commands to the parser. */
export function ciCommands(parser: Argv, globals: Globals): Argv {
  return queryCommand(diffCommand(checkCommands(parser), globals), globals)
    .command(
      'simplify <rules>',
      'print an equivalent rule file with fewer rules',
      (command) => command.positional('rules', { type: 'string', demandOption: true }),
      async ({ rules }) => {
        const { simplifyFile } = await import('./simplify.js');
        simplifyFile(rules);
      },
    )
    .command(
      'rules [code]',
      'list the codes of findings, or explain one',
      (command) => command.positional('code', { type: 'string' }).option('json', json),
      async (argv) => {
        const { listCodes } = await import('./rules.js');
        listCodes(argv.code, argv.json);
      },
    )
    .command(
      'schema [kind]',
      'print a JSON schema of expectations for editors',
      (command) =>
        command.positional('kind', {
          choices: ['expectations', 'intended'] as const,
          default: 'expectations' as const,
        }),
      async ({ kind }) => {
        const { printSchema } = await import('./rules.js');
        await printSchema(kind);
      },
    );
}
