/** The commands of CI, by yargs. */

import { EXIT } from '@sockfilter/language';
import {
  FORMATS,
  REGION_KEYS,
  type RegionKey,
  SCHEMA_KINDS,
  SEVERITIES,
} from '@sockfilter/policy/words';
import type { Argv } from 'yargs';
import { CommandError } from '../failure.js';
import type { Globals } from '../globals.js';
import { optimizeLater } from '../optimizer.js';
import { flag, json, list, readCircumstances, state, text, time } from '../options.js';
import { type ReportOptions, readReportOptions } from './reportoptions.js';

const page = { ...text, describe: 'write an HTML page that shows it' } as const;
const exclude = { ...list, describe: 'leave out what matches, as in .gitignore' } as const;
const kernel = {
  ...text,
  describe: 'the oldest kernel that must enforce them, such as 6.1',
} as const;
const requireReason = {
  ...flag,
  describe: 'a comment that ignores a finding must say why',
} as const;
const fetch = { ...flag, describe: 'fetch the history that is not here, from origin' } as const;

/** What of a change is wrong, by the names of `--gate`. */
const GATES = ['report', 'no-new-access', 'same'] as const;

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
    .option('exit-zero', { ...flag, describe: 'exit with 0 whatever is found' })
    .option('all', { ...flag, describe: 'every finding by itself, however many there are' });
}

interface GivenReport {
  readonly format: readonly string[] | undefined;
  readonly failOn: string;
  readonly exitZero: boolean;
  readonly all: boolean;
}

function given({ format = [], failOn, exitZero, all }: GivenReport): ReportOptions {
  return readReportOptions({ format, failOn, exitZero, all });
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
          .option('kernel', kernel)
          .option('exclude', exclude)
          .option('require-reason', requireReason),
      async (argv) => {
        const { check } = await import('./check.js');
        optimizeLater();
        const { paths, kernel, exclude = [], requireReason } = argv;
        check({ paths, kernel, exclude, requireReason }, given(argv));
      },
    )
    .command(
      'test [paths..]',
      'hold rule files against their expectations',
      (command) =>
        reportOptions(command)
          .positional('paths', {
            type: 'string',
            array: true,
            describe: 'rule files, *.test.yaml and folders; the current folder if absent',
          })
          .option('exclude', exclude)
          .option('pass-with-no-tests', {
            ...flag,
            describe: 'well if nothing is expected at all',
          }),
      async (argv) => {
        const { testRules } = await import('./testrules.js');
        optimizeLater();
        const { paths = [], exclude = [], passWithNoTests: allowNone } = argv;
        await testRules({ paths, exclude, allowNone }, given(argv));
      },
    );
}

/** The two words of `diff OLD NEW`. */
function readSides(paths: readonly string[]): { readonly before: string; readonly after: string } {
  const [before, after] = paths;
  if (before !== undefined && after !== undefined && paths.length === 2) return { before, after };
  const help = '`diff OLD NEW`, or `diff --since REVISION [PATH...]`';
  throw new CommandError(`\`diff\` compares two files, not ${paths.length}`, EXIT.usage, help);
}

function diffCommand(parser: Argv, globals: Globals): Argv {
  return parser.command(
    'diff [paths..]',
    'say what a change means for calls',
    (command) =>
      reportOptions(command)
        .usage(
          '$0 diff OLD NEW\n$0 diff --since REVISION [PATH...]\n\nsay what a change means for calls',
        )
        .positional('paths', {
          type: 'string',
          array: true,
          describe: 'two of: a file, git:REVISION:PATH, live. With --since files and folders',
        })
        .option('since', {
          ...text,
          describe: 'compare every rule file with what it was where the change left REVISION',
        })
        .option('no-new-access', { ...flag, describe: 'only what is newly accepted is wrong' })
        .option('fetch', fetch)
        .option('exclude', exclude)
        .option('intended', {
          ...text,
          describe: 'a YAML file with the regions that must change, and no others',
        })
        .option('report', page)
        .conflicts('since', ['intended', 'report']),
    async (argv) => {
      const { diff, diffSince } = await import('./diff.js');
      optimizeLater();
      const { paths = [], since, noNewAccess, fetch, exclude = [], intended, report } = argv;
      if (since !== undefined) {
        const gate = noNewAccess ? 'no-new-access' : 'same';
        return diffSince({ since, paths, fetch, exclude }, gate, given(argv));
      }
      await diff(globals, { ...readSides(paths), noNewAccess, intended, report }, given(argv));
    },
  );
}

function reviewCommand(parser: Argv): Argv {
  return parser.command(
    'review [paths..]',
    'diff --since, test and check in one report, for pull requests',
    (command) =>
      reportOptions(command)
        .positional('paths', {
          type: 'string',
          array: true,
          describe: 'rule files and folders; the current folder if absent',
        })
        .option('since', { ...text, describe: 'the revision that the change is made on' })
        .option('gate', {
          choices: GATES,
          requiresArg: true,
          default: 'report' as const,
          describe: 'report: changes are told; else they are wrong if they give access, or at all',
        })
        .option('fetch', fetch)
        .option('exclude', exclude)
        .option('kernel', kernel)
        .option('require-reason', requireReason),
    async (argv) => {
      const { review } = await import('./review.js');
      optimizeLater();
      const { paths = [], since, gate, fetch, exclude = [], kernel, requireReason } = argv;
      const words = { paths, since: since || undefined, gate, fetch, exclude };
      await review({ ...words, kernel, requireReason }, given(argv));
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
        .option('state', state)
        .option('time', time)
        .option('matrix', {
          type: 'boolean',
          default: false,
          describe: 'groups by destinations and ports',
        })
        .option('report', page)
        .option('json', json),
    async (argv) => {
      const { query } = await import('./query.js');
      optimizeLater();
      const { verdict, rules: file, matrix, json: asJson, report } = argv;
      const words = { verdict, file, region: regionOf(argv), matrix, json: asJson, report };
      await query(globals, { ...words, circumstances: readCircumstances(argv) });
    },
  );
}

/** Adds the commands to the parser. */
export function ciCommands(parser: Argv, globals: Globals): Argv {
  return queryCommand(reviewCommand(diffCommand(checkCommands(parser), globals)), globals)
    .command(
      'simplify <rules>',
      'print an equivalent rule file with fewer rules',
      (command) => command.positional('rules', { type: 'string', demandOption: true }),
      async ({ rules }) => {
        const { simplifyFile } = await import('./simplify.js');
        optimizeLater();
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
      'print a JSON schema: of files that people write, tables in JSON, and answers',
      (command) =>
        command.positional('kind', {
          choices: [...SCHEMA_KINDS, 'table'] as const,
          default: 'expectations' as const,
        }),
      async ({ kind }) => {
        const { printSchema } = await import('./rules.js');
        await printSchema(kind);
      },
    );
}
