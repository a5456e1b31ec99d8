/** Commands that answer for rule files, as in CI. */
import { FORMATS, REGION_KEYS, SEVERITIES } from '@sockfilter/policy/words';
import { STATE_NAMES } from '@sockfilter/table';
import type { CommandRow, Filler } from './row.js';

const REPORT = {
  format: FORMATS,
  'fail-on': SEVERITIES,
  'exit-zero': 'flag',
  all: 'flag',
} as const;

const REGION = Object.fromEntries(
  REGION_KEYS.map((key): [string, Filler] => {
    if (key === 'chain' || key === 'group') return [key, key];
    return [key, 'text'];
  }),
);

const paths = { name: 'paths', filler: 'file', many: true } as const;

export const CI_ROWS: readonly CommandRow[] = [
  {
    words: 'check',
    describe: 'say what is wrong with rule files',
    args: [paths],
    options: { ...REPORT, kernel: 'text', exclude: 'text', 'require-reason': 'flag' },
    scope: 'files',
    examples: ['check web.rules', 'check . --kernel 6.1 --fail-on warning --format github'],
  },
  {
    words: 'test',
    describe: 'hold rule files against their expectations',
    args: [{ ...paths, optional: true }],
    options: { ...REPORT, exclude: 'text', 'pass-with-no-tests': 'flag' },
    scope: 'files',
    examples: ['test', 'test rules --pass-with-no-tests --format junit=results.xml'],
  },
  {
    words: 'diff',
    describe: 'say what a change means for calls',
    args: [{ ...paths, optional: true }],
    options: {
      ...REPORT,
      since: 'text',
      'no-new-access': 'flag',
      fetch: 'flag',
      exclude: 'text',
      intended: 'file',
      report: 'output',
    },
    scope: 'table',
    examples: ['diff web.rules new.rules', 'diff --since origin/main --no-new-access rules'],
  },
  {
    words: 'review',
    describe: 'diff --since, test and check in one report, for pull requests',
    args: [{ ...paths, optional: true }],
    options: {
      ...REPORT,
      since: 'text',
      gate: ['report', 'no-new-access', 'same'],
      fetch: 'flag',
      exclude: 'text',
      kernel: 'text',
      'require-reason': 'flag',
    },
    scope: 'files',
    examples: ['review --since origin/main', 'review rules --gate same --format markdown'],
  },
  {
    words: 'query',
    describe: 'list the calls that are accepted or refused',
    args: [
      { name: 'verdict', filler: ['accept', 'refuse'] },
      { name: 'rules', filler: 'file', optional: true },
    ],
    options: {
      ...REGION,
      state: STATE_NAMES,
      time: 'text',
      matrix: 'flag',
      report: 'output',
      json: 'flag',
    },
    scope: 'table',
    examples: [
      'query accept web.rules --chain BIND',
      'query refuse web.rules --chain CONNECT --remote 10.0.0.0/8',
    ],
  },
  {
    words: 'simplify',
    describe: 'print an equivalent rule file with fewer rules',
    args: [{ name: 'rules', filler: 'file' }],
    options: {},
    scope: 'files',
    examples: ['simplify web.rules', 'simplify web.rules > new.rules'],
  },
  {
    words: 'rules',
    describe: 'list the codes of findings, or explain one',
    args: [{ name: 'code', filler: 'code', optional: true }],
    options: { json: 'flag' },
    scope: 'files',
    examples: ['rules', 'rules SF001'],
  },
  {
    words: 'schema',
    describe: 'print a JSON schema: of files that people write, tables in JSON, and answers',
    args: [
      {
        name: 'kind',
        filler: ['expectations', 'intended', 'diff', 'query', 'event', 'table'],
        optional: true,
      },
    ],
    options: {},
    scope: 'files',
    examples: ['schema', 'schema intended'],
  },
];
