/** The options that every command has, wherever they stand: `--root`, `--file` and `--wait`. */
import { type CommandFlags, EXIT, quoteShell } from '@sockfilter/language';
import { patternOf, readPath } from '@sockfilter/table';
import { CommandError } from './failure.js';

export interface Globals {
  /** The control group that is policed with all below it, as a path below the cgroup2 mount. */
  readonly root: string;
  /** The saved rule file to work on in the kernel's stead. */
  readonly file: string | undefined;
  /** Seconds to wait for the lock; 0 not at all, Infinity without end. */
  readonly wait: number;
}

type Given = Pick<CommandFlags, 'root' | 'file' | 'wait'>;

function usage(message: string, help?: string): CommandError {
  return new CommandError(message, EXIT.usage, help);
}

/** A path of a control group as the user wrote it, made canonical. */
export function readGroupPath(text: string): string {
  const read = readPath(text);
  if ('path' in read) return read.path;
  throw usage(read.fault.message, read.fault.help);
}

/** The control group to police, made canonical; it is no pattern. */
export function readRoot(text: string): string {
  const root = readGroupPath(text);
  if (patternOf(root) === undefined) return root;
  throw usage(`the root \`${root}\` is a pattern: it is one control group`);
}

/** What was given, completed from the environment. */
export function completeGlobals({ root, file, wait }: Given): Globals {
  if (file === '') throw usage('`--file` needs the name of a file');
  if (file !== undefined && root !== undefined)
    throw usage('`--file` and `--root` exclude each other', 'a saved rule file has no root');
  // What is typed is meant: the environment only stands in where neither is.
  const isTyped = file !== undefined || root !== undefined;
  const rules = isTyped ? file : process.env.SOCKFILTER_FILE || undefined;
  const place = root ?? (rules === undefined ? process.env.SOCKFILTER_ROOT : undefined);
  return { root: readRoot(place || '/'), file: rules, wait: wait ?? 0 };
}

interface Option {
  readonly key: keyof Given;
  readonly value: string | undefined;
  /** How many words it takes. */
  readonly words: number;
}

const NUMBER = /^\d+$/;

/** The global option that starts at this word, if one does. */
function optionAt(argv: readonly string[], at: number): Option | undefined {
  const word = argv[at] ?? '';
  const next = argv[at + 1];
  const [, name, , glued] = /^--(root|file|wait)(=(.*))?$/s.exec(word) ?? [];
  if (name === 'root' || name === 'file') {
    if (glued !== undefined) return { key: name, value: glued, words: 1 };
    if (next === undefined) throw usage(`\`--${name}\` needs a value`);
    return { key: name, value: next, words: 2 };
  }
  const short = /^-w(\d*)$/.exec(word)?.[1];
  if (name === undefined && short === undefined) return undefined;
  const value = glued ?? (short || undefined);
  if (value !== undefined) return { key: 'wait', value, words: 1 };
  if (next !== undefined && NUMBER.test(next)) return { key: 'wait', value: next, words: 2 };
  return { key: 'wait', value: undefined, words: 1 };
}

/** The first word that is not a global option. */
export function firstWord(argv: readonly string[]): string | undefined {
  let at = 0;
  for (let option = optionAt(argv, at); option; option = optionAt(argv, at)) at += option.words;
  return argv[at];
}

/** Takes the global options out of the words before `--`. */
export function splitGlobals(argv: readonly string[]): {
  readonly globals: Globals;
  readonly rest: readonly string[];
  /** The names of the global options that are among the words. */
  readonly typed: readonly (keyof Given)[];
} {
  const given: { -readonly [K in keyof Given]: Given[K] } = {
    root: undefined,
    file: undefined,
    wait: undefined,
  };
  const rest: string[] = [];
  const typed: (keyof Given)[] = [];
  let at = 0;
  while (at < argv.length && argv[at] !== '--') {
    const option = optionAt(argv, at);
    if (!option) {
      rest.push(argv[at++] ?? '');
      continue;
    }
    const { key, value, words } = option;
    at += words;
    typed.push(key);
    if (given[key] !== undefined) throw usage(`\`--${key}\` is given more than once`);
    if (key !== 'wait') given[key] = value;
    else if (value === undefined) given.wait = Number.POSITIVE_INFINITY;
    else if (NUMBER.test(value)) given.wait = Number(value);
    else throw usage(`wait seconds not numeric: \`${value}\``);
  }
  return { globals: completeGlobals(given), rest: [...rest, ...argv.slice(at)], typed };
}

/** Where the command line works, as the words that say so: `--root /web`, `--file web.rules` or nothing. */
export function typedPlace(argv: readonly string[]): string {
  const isWhole = !/^--(root|file)$/.test(argv.at(-1) ?? '');
  for (let at = 0; isWhole && at < argv.length && argv[at] !== '--'; ) {
    const option = optionAt(argv, at);
    if (option && option.key !== 'wait' && option.value !== undefined)
      return `--${option.key} ${quoteShell(option.value)}`;
    at += option?.words ?? 1;
  }
  return '';
}

/**
 * The text with its commands in backquotes as they have to be typed to work on the same table; those that
 * name one stay. What the environment names is in force for them as well.
 */
export function atPlace(text: string, place: string): string {
  if (place === '') return text;
  return text.replace(/`sockfilter [^`]+`/g, (commands) =>
    commands.replace(/\bsockfilter (?!--)/g, () => `sockfilter ${place} `),
  );
}

/** Refuses a command that a saved rule file has no notion of. */
export function requireLive({ file }: Globals, command: string): void {
  if (file === undefined) return;
  const from =
    process.env.SOCKFILTER_FILE === file ? 'SOCKFILTER_FILE is set' : '`--file` is given';
  throw usage(`\`${command}\` works on the live table only, and ${from}`);
}
