/** What is said of words that no command takes: what is missing, and the nearest that there is. */
import { didYouMean, EXIT } from '@sockfilter/language';
import { COMMAND_NAMES, subcommandsOf } from './commandrow.js';
import { CommandError } from './failure.js';
import type { CommandRow } from './rows/row.js';

/** What yargs says, and the words of the other messages for it. */
const WORDING: readonly (readonly [RegExp, string])[] = [
  [/^Missing required arguments?: (.*)$/, 'missing option: `--$1`'],
  [/^Not enough arguments following: (.*)$/, 'option `$1` needs a value'],
  // yargs names an option in both of its spellings.
  [/^Unknown arguments?: ([^,]*).*$/s, 'unknown argument: `$1`'],
];

function reword(message: string): string {
  return WORDING.reduce((text, [said, meant]) => text.replace(said, meant), message);
}

/** Words that name what other commands do. */
const OTHER_WORDS: Readonly<Record<string, string>> = {
  list: '`sockfilter -L` lists the rules, `sockfilter group list` the groups',
  show: '`sockfilter -S` shows the rules, `sockfilter status` what is attached',
  add: '`sockfilter -A CHAIN RULE` adds a rule, `sockfilter group add NAME` a group, `sockfilter set add NAME ELEMENT` an element',
  delete: '`sockfilter -D CHAIN RULE` deletes a rule, `sockfilter group delete NAME` a group',
  move: '`sockfilter group move NAME PID` moves a process',
  flush: '`sockfilter -F` deletes all rules',
  load: '`sockfilter restore FILE` puts a file in force',
  apply: '`sockfilter restore FILE` puts a file in force',
  lint: '`sockfilter check FILE` says what is wrong with a file',
  run: '`sockfilter exec --group NAME -- COMMAND` runs a command in a group',
  stop: '`sockfilter teardown` removes every trace from the kernel',
};

/** Throws CommandError for a first word that is no command's. */
export function checkName(word: string | undefined): void {
  if (word === undefined || word.startsWith('-') || COMMAND_NAMES.includes(word)) return;
  const known = Object.hasOwn(OTHER_WORDS, word) ? OTHER_WORDS[word] : undefined;
  const help = known ?? didYouMean(word, COMMAND_NAMES) ?? '`sockfilter --help` says what there is';
  throw new CommandError(`there is no command \`${word}\``, EXIT.usage, help);
}

/** Refuses an option of every command where it can mean nothing: a command of files has no table. */
export function checkScope(
  name: string | undefined,
  row: CommandRow | undefined,
  typed: readonly string[],
) {
  const [option] = typed;
  if (row?.scope !== 'files' || option === undefined) return;
  const help = `\`${name}\` works on the files that it is given`;
  throw new CommandError(`\`${name}\` takes no \`--${option}\``, EXIT.usage, help);
}

/** Refuses the value of a flag. */
export function checkFlag(given: readonly [flag: string, value: string] | undefined): void {
  if (given === undefined) return;
  const [flag, value] = given;
  const help = `write \`${flag}\` alone, or leave it out`;
  throw new CommandError(`\`${flag}\` takes no value, and \`${value}\` is given`, EXIT.usage, help);
}

export interface CommandWords {
  readonly words: readonly string[];
  readonly row: CommandRow | undefined;
  /** Of every command, those that this one has. */
  readonly options: readonly string[];
}

/** What is wrong with the words, by what yargs says of them. */
export function wordsError(said: string, { words, row, options }: CommandWords): CommandError {
  const name = row?.words ?? words[0] ?? '';
  const usage = `\`sockfilter ${name} --help\` says what it takes`;
  const few = /^Not enough non-option arguments: got (\d+), need at least \d+$/.exec(said);
  if (few) {
    const missing = row?.args.slice(Number(few[1])).filter(({ optional }) => !optional) ?? [];
    const what = missing.map((each) => each.name.toUpperCase()).join(' and ');
    const example = row ? `for example \`sockfilter ${row.examples[0]}\`` : usage;
    return new CommandError(`\`${name}\` needs ${what || 'more words'}`, EXIT.usage, example);
  }
  const choice = /^Invalid values:\s+Argument: (.*), Given: "(.*)", Choices: (.*)$/s.exec(said);
  if (choice) {
    const [, option = '', given = '', choices = ''] = choice;
    const all = [...choices.matchAll(/"([^"]*)"/g)].map(([, each = '']) => each);
    const isWord = row?.args.some((each) => each.name === option);
    const shown = isWord ? option.toUpperCase() : `\`--${option}\``;
    const message = `${shown} is ${all.join(', ')}, not \`${given}\``;
    return new CommandError(message, EXIT.usage, didYouMean(given, all) ?? usage);
  }
  const [, unknown = ''] = /^Unknown arguments?: ([^,]*)/.exec(said) ?? [];
  const isOption = words.some((word) => word.startsWith(`--${unknown}`));
  const known = isOption
    ? [...Object.keys(row?.options ?? {}), ...options, 'help']
    : subcommandsOf(words[0] ?? '');
  const begun = known.filter((each) => unknown !== '' && each.startsWith(unknown));
  const near = begun.length === 1 ? `did you mean \`${begun[0]}\`?` : didYouMean(unknown, known);
  const help = near === undefined ? usage : isOption ? near.replace('`', '`--') : near;
  return new CommandError(reword(said), EXIT.usage, help);
}
