/** Commands on tables as a whole. */
import type { CommandRow } from './row.js';

export const TABLE_ROWS: readonly CommandRow[] = [
  {
    words: 'save',
    describe: 'print the table in the format of iptables-save',
    args: [],
    options: {
      counters: 'flag',
      output: 'output',
      table: ['socket'],
      json: 'flag',
      version: 'flag',
    },
    scope: 'table',
    examples: ['save > web.rules', 'save -c -f web.rules'],
  },
  {
    words: 'restore',
    describe: 'put a saved rule file in force, all of it or nothing',
    args: [{ name: 'rules', filler: 'file', optional: true }],
    options: {
      json: 'flag',
      noflush: 'flag',
      test: 'flag',
      counters: 'flag',
      label: 'text',
      confirm: 'text',
      'reset-state': 'flag',
      'fail-closed': 'flag',
      version: 'flag',
    },
    scope: 'table',
    examples: ['restore --test web.rules', 'restore -c < web.rules'],
  },
  {
    words: 'confirm',
    describe: 'keep the table that `restore --confirm` has put in force',
    args: [],
    options: {},
    scope: 'live',
    examples: ['confirm', 'confirm --wait 5'],
  },
  {
    words: 'undo',
    describe: 'put the table before back: of a trial at once, else of the history',
    args: [],
    options: {},
    scope: 'live',
    examples: ['undo', 'undo --wait 5'],
  },
];
