/** Commands on groups. */
import { FAMILIES } from '@sockfilter/table';
import type { CommandRow } from './row.js';

const group = { name: 'name', filler: 'group' } as const;

export const GROUP_ROWS: readonly CommandRow[] = [
  {
    words: 'group add',
    describe: 'declare a group, and print its id',
    args: [{ name: 'name', filler: 'text' }],
    options: { path: 'text', id: 'text' },
    scope: 'table',
    examples: ['group add web', 'group add db --id 7 --path /db.slice'],
  },
  {
    words: 'group list',
    describe: 'list the groups',
    args: [],
    options: { json: 'flag' },
    scope: 'table',
    examples: ['group list', 'group list --json'],
  },
  {
    words: 'group delete',
    describe: 'forget a group; its id is not given out again',
    args: [group],
    options: { force: 'flag' },
    scope: 'table',
    examples: ['group delete web', 'group delete web --force'],
  },
  {
    words: 'group move',
    describe: 'move processes into a group',
    args: [group, { name: 'pid', filler: 'text', many: true }],
    options: {},
    scope: 'live',
    examples: ['group move web $$', 'group move web --wait 5 $$'],
  },
];

/** What a group may bind. */
export const BIND_LIST_ROWS: readonly CommandRow[] = FAMILIES.map(
  (family): CommandRow => ({
    words: `network.ipv${family}`,
    describe: `print, add to or delete from the IPv${family} addresses that a group may bind`,
    args: [
      { name: 'group', filler: 'group' },
      { name: 'change', filler: ['add', 'del'], optional: true },
      { name: 'address', filler: 'text', optional: true },
    ],
    options: {},
    scope: 'table',
    examples: [
      `network.ipv${family} web`,
      `network.ipv${family} web add ${family === 4 ? '10.0.0.5' : 'fd00::5'}`,
    ],
  }),
);
