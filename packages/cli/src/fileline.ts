/** Lines of rule files that are typed as commands, and the command for each. */
import { EXIT } from '@sockfilter/language';
import { CommandError } from './failure.js';

const COMMANDS: readonly (readonly [RegExp, string])[] = [
  [/^(-G|--group)$/, '`sockfilter group add NAME --id N --path PATH` makes a group'],
  [/^create$/, '`sockfilter set create NAME TYPE` makes a set'],
  [/^:/, '`sockfilter -N CHAIN` makes a chain, `sockfilter -P CHAIN DROP` sets a policy'],
  [/^(\*.*|COMMIT)$/, '`sockfilter restore FILE` puts the lines of a file in force at once'],
];

/** Throws CommandError for a first word that begins a line of a rule file, and no command. */
export function refuseFileLine(word: string): void {
  const help = COMMANDS.find(([begins]) => begins.test(word))?.[1];
  if (help !== undefined)
    throw new CommandError(`\`${word}\` begins a line of a rule file`, EXIT.usage, help);
}
