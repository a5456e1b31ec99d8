/** Commands on named sets. */
import { SET_TYPE_NAMES } from '@sockfilter/table';
import type { CommandRow } from './row.js';

const set = { name: 'name', filler: 'set' } as const;
const element = { name: 'element', filler: 'text' } as const;
const words = { name: 'words', filler: 'text', optional: true, many: true } as const;

export const SET_ROWS: readonly CommandRow[] = [
  {
    words: 'set create',
    describe: 'make a set',
    args: [{ name: 'name', filler: 'text' }, { name: 'type', filler: SET_TYPE_NAMES }, words],
    options: { exist: 'flag' },
    scope: 'table',
    examples: ['set create office net', 'set create banned ip,port timeout 300 maxelem 1000'],
  },
  {
    words: 'set add',
    describe: 'add to a set in force, at once and without a commit',
    args: [set, element, words],
    options: { exist: 'flag', resolve: 'flag', server: 'text' },
    scope: 'table',
    examples: [
      'set add office 10.0.0.0/8',
      'set add banned 10.0.0.5,tcp:80 timeout 60',
      'set add mirrors host.example --resolve',
    ],
  },
  {
    words: 'set del',
    describe: 'take out of a set',
    args: [set, element],
    options: { exist: 'flag' },
    scope: 'table',
    examples: ['set del office 10.0.0.0/8', 'set del --exist office 10.9.0.0/16'],
  },
  {
    words: 'set test',
    describe: 'say whether a set has an element, or a network that holds it',
    args: [set, element],
    options: {},
    scope: 'table',
    examples: ['set test office 10.0.0.5', '--file web.rules set test office 10.0.0.5'],
  },
  {
    words: 'set list',
    describe: 'list sets with what they hold',
    args: [{ ...set, optional: true }],
    options: { json: 'flag' },
    scope: 'table',
    examples: ['set list office', 'set list --json'],
  },
  {
    words: 'set flush',
    describe: 'empty a set, or all',
    args: [{ ...set, optional: true }],
    options: {},
    scope: 'table',
    examples: ['set flush office', 'set flush'],
  },
  {
    words: 'set refresh',
    describe: 'ask DNS again for the host names in a set, or in all',
    args: [{ ...set, optional: true }],
    options: { server: 'text' },
    scope: 'table',
    examples: ['set refresh office', 'set refresh office --server 10.0.0.53'],
  },
  {
    words: 'set destroy',
    describe: 'remove a set, or all; none that a rule asks',
    args: [{ ...set, optional: true }],
    options: {},
    scope: 'table',
    examples: ['set destroy office', 'set destroy'],
  },
  {
    words: 'set rename',
    describe: 'rename a set, also in the rules that ask it',
    args: [set, { name: 'to', filler: 'text' }],
    options: {},
    scope: 'table',
    examples: ['set rename office home', '--file web.rules set rename office home'],
  },
  {
    words: 'set swap',
    describe: 'give each of two sets what the other holds, at one moment',
    args: [set, { name: 'to', filler: 'set' }],
    options: {},
    scope: 'table',
    examples: ['set swap office new', '--file web.rules set swap office new'],
  },
];
