/**
 * Words that are plain are read here: yargs takes longer to load and to run than node takes to start. The commands are
 * declared once, as for yargs. All that is odd or wrong, and help, is left to yargs: nothing here says what is wrong. A
 * test holds what is read against what yargs reads.
 */
import type { Argv } from 'yargs';

/** What a declaration says of an option or a word, as far as it is asked here. */
interface Spec {
  readonly type?: unknown;
  readonly alias?: unknown;
  readonly array?: unknown;
  readonly default?: unknown;
  readonly choices?: readonly unknown[];
  readonly demandOption?: unknown;
  readonly coerce?: (value: string) => unknown;
}

type Values = Record<string, unknown>;

/** A command, or what is declared for one: what yargs is told, kept. */
class Declared {
  readonly specs = new Map<string, Spec>();
  readonly commands = new Map<string, Command>();
  readonly exclusive: (readonly [string, readonly string[]])[] = [];

  command(usage: string, _describe: string, build: unknown, run?: (values: Values) => unknown) {
    const [name = '', ...words] = usage.split(' ');
    this.commands.set(name, { words: words.map(readWord), build, run });
    return this;
  }

  option(key: string, spec: Spec) {
    this.specs.set(key, spec);
    return this;
  }

  options(specs: Readonly<Record<string, Spec>>) {
    for (const [key, spec] of Object.entries(specs)) this.specs.set(key, spec);
    return this;
  }

  positional(key: string, spec: Spec) {
    return this.option(key, spec);
  }

  conflicts(key: string, others: string | readonly string[]) {
    this.exclusive.push([key, typeof others === 'string' ? [others] : others]);
    return this;
  }

  usage() {
    return this;
  }

  group() {
    return this;
  }

  demandCommand() {
    return this;
  }
}

interface Command {
  readonly words: readonly Word[];
  readonly build: unknown;
  readonly run: ((values: Values) => unknown) | undefined;
}

interface Word {
  readonly key: string;
  readonly isNeeded: boolean;
  readonly isMany: boolean;
}

/** `<name>`, `[name]`, `<name..>`, `[name..]` of the usage. */
function readWord(text: string): Word {
  return {
    key: text.replace(/^[<[]|(\.\.)?[>\]]$/g, ''),
    isNeeded: text.startsWith('<'),
    isMany: text.slice(0, -1).endsWith('..'),
  };
}

/** What stands in for yargs while commands are declared: the part of its interface that the declarations use. */
function declaredAs(declared: Declared): Argv;
function declaredAs(declared: Declared): object {
  return declared;
}

function declaredBy(build: unknown): Declared {
  const declared = new Declared();
  if (typeof build === 'function') build(declaredAs(declared));
  return declared;
}

/** yargs takes quotes away, and options have their signs. */
const isPlain = (word: string) => /^[^-'"]/.test(word);

/** An option with its value as typed; undefined for a flag. */
interface Given {
  readonly key: string;
  readonly value: string | undefined;
}

/** Options and other words; undefined if one is not plain. */
function splitWords(words: readonly string[], { specs }: Declared, positionals: readonly string[]) {
  const names = new Map<string, string>();
  for (const [key, { alias }] of specs) {
    if (positionals.includes(key)) continue;
    names.set(`--${key}`, key);
    if (typeof alias === 'string') names.set(`-${alias}`, key);
  }
  const options: Given[] = [];
  const others: string[] = [];
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? '';
    if (isPlain(word)) {
      others.push(word);
      continue;
    }
    const [, long, glued] = /^(--[^=]+)=(.*)$/s.exec(word) ?? [];
    const key = names.get(long ?? word);
    if (key === undefined) return undefined;
    if (specs.get(key)?.type === 'boolean') {
      // yargs takes these as the value of the flag.
      if (glued !== undefined || /^(true|false)$/.test(words[at + 1] ?? '')) return undefined;
      options.push({ key, value: undefined });
      continue;
    }
    const value = glued ?? words[++at] ?? '';
    if (!isPlain(value)) return undefined;
    options.push({ key, value });
  }
  return { options, others };
}

/** The words by their places; undefined if they are too few or too many. */
function placeWords(words: readonly Word[], others: readonly string[]): Values | undefined {
  const placed: Values = {};
  let at = 0;
  for (const { key, isNeeded, isMany } of words) {
    const taken = isMany ? others.slice(at) : others.slice(at, at + 1);
    if (isNeeded && taken.length === 0) return undefined;
    if (isMany || taken.length > 0) placed[key] = isMany ? taken : taken[0];
    at += taken.length;
  }
  return at < others.length ? undefined : placed;
}

/** Options by their names; undefined if one is given again that can be given once. */
function gatherOptions(options: readonly Given[], { specs }: Declared): Values | undefined {
  const gathered: Values = {};
  for (const { key, value } of options) {
    const before = gathered[key];
    const isList = specs.get(key)?.array === true;
    if (before !== undefined && !isList) return undefined;
    if (isList) gathered[key] = [...(Array.isArray(before) ? before : []), value];
    else gathered[key] = value ?? true;
  }
  return gathered;
}

const camelCase = (key: string) =>
  key.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());

/** All values, also under the names that code has for them; undefined if they are not as declared. */
function readValues(words: readonly string[], command: Command, declared: Declared) {
  const keys = command.words.map(({ key }) => key);
  const split = splitWords(words, declared, keys);
  const placed = split && placeWords(command.words, split.others);
  const gathered = split && gatherOptions(split.options, declared);
  if (!placed || !gathered) return undefined;
  const given: Values = { ...gathered, ...placed };
  const isGiven = (key: string) => given[key] !== undefined;
  if (declared.exclusive.some(([key, others]) => isGiven(key) && others.some(isGiven)))
    return undefined;
  const values: Values = {};
  for (const [key, spec] of declared.specs) {
    const value = given[key] ?? spec.default;
    if (value === undefined && spec.demandOption) return undefined;
    if (isGiven(key) && spec.choices?.includes(value) === false) return undefined;
    values[key] = typeof value === 'string' && spec.coerce ? spec.coerce(value) : value;
    values[camelCase(key)] = values[key];
  }
  return values;
}

/** What is declared for the command that some of the words name, wherever they stand. */
function declaredFor(words: readonly string[], declare: (parser: Argv) => Argv): Declared {
  return words.reduce((declared, word) => {
    const command = declared.commands.get(word);
    return command ? declaredBy(command.build) : declared;
  }, declaredBy(declare));
}

/** The first flag that is given another value than `true` or `false`, which yargs takes for `false`, and that value. */
export function flagWithValue(
  words: readonly string[],
  declare: (parser: Argv) => Argv,
): readonly [flag: string, value: string] | undefined {
  const glued = words.flatMap((word) => {
    const [, flag, value = ''] = /^(--?[^=]+)=(.*)$/s.exec(word) ?? [];
    return flag === undefined || /^(true|false)$/.test(value) ? [] : [[flag, value] as const];
  });
  if (glued.length === 0) return undefined;
  const { specs } = declaredFor(words, declare);
  const flags = [...specs].flatMap(([key, { type, alias }]) =>
    type === 'boolean' ? [`--${key}`, `--${camelCase(key)}`, `-${alias}`] : [],
  );
  return glued.find(([flag]) => [...flags, '--help', '-h'].includes(flag));
}

/**
 * What runs the command that the words name; undefined if they are not plain, or name none.
 *
 * @param declare adds the commands
 */
export function readPlain(
  words: readonly string[],
  declare: (parser: Argv) => Argv,
): (() => Promise<void>) | undefined {
  let declared = declaredBy(declare);
  for (let at = 0; at < words.length; at++) {
    const command = declared.commands.get(words[at] ?? '');
    if (!command) return undefined;
    declared = declaredBy(command.build);
    const { run } = command;
    if (!run) continue;
    const values = readValues(words.slice(at + 1), command, declared);
    return (
      values &&
      (async () => {
        await run(values);
      })
    );
  }
  return undefined;
}
