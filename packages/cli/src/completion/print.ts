/** `sockfilter completion`, and the scripts that the package has as files. */
import { EXIT } from '@sockfilter/language';
import { CommandError } from '../failure.js';
import { printDrawn } from '../output.js';
import { completionCases } from './cases.js';
import { fishScript } from './fish.js';
import { bashScript, zshScript } from './sh.js';
import { SHELLS, type Shell } from './shell.js';

const SCRIPTS = { bash: bashScript, zsh: zshScript, fish: fishScript } as const;

function completionScript(shell: Shell): string {
  return SCRIPTS[shell](completionCases());
}

/** Prints the script for the shell, or for the one that the user has. */
export function printCompletion(named: Shell | undefined): void {
  const login = process.env.SHELL?.replace(/^.*\//, '');
  const shell = named ?? SHELLS.find((each) => each === login);
  if (shell === undefined) {
    const help = `\`sockfilter completion ${SHELLS.join('|')}\``;
    throw new CommandError('for which shell is not known', EXIT.usage, help);
  }
  printDrawn(completionScript(shell));
}
