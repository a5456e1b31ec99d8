/** Commands that editors and shells run. */
import { SHELLS } from '../completion/shell.js';
import type { CommandRow } from './row.js';

export const EDITING_ROWS: readonly CommandRow[] = [
  {
    words: 'lsp',
    describe: 'serve editors with what rule files say, over standard input and output',
    args: [],
    options: {},
    scope: 'files',
    examples: ['lsp < /dev/null', 'lsp < /dev/null > /dev/null'],
  },
  {
    words: 'completion',
    describe: 'print a script that completes commands in bash, zsh or fish',
    args: [{ name: 'shell', filler: SHELLS, optional: true }],
    options: {},
    scope: 'files',
    examples: ['completion bash', 'completion fish'],
  },
];
