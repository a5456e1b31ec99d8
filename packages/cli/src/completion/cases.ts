/**
 * What completion offers where, as data for the scripts of all shells: each case has patterns for what
 * is already typed, and the words that can come. A word that begins with `@` stands for what the shell
 * or the table knows: `@file`, `@chain` (all), `@own` (those that users made), `@group`, `@set`.
 */
import { COMMAND_SPELLINGS, SWITCH, SYNTAX, TARGET_SYNTAX } from '@sockfilter/iptables';
import { CATALOGUE } from '@sockfilter/policy';
import {
  BUILTIN_CHAINS,
  isMatchName,
  isTargetKind,
  MATCHES,
  PROTOCOL,
  REJECT_ERRNO,
  TARGETS,
} from '@sockfilter/table';
import { COMMAND_NAMES, COMMANDS, subcommandsOf } from '../commandrow.js';
import type { CommandRow, Filler } from '../rows/row.js';

export interface Case {
  /** Without characters that a shell's patterns give a meaning to. */
  readonly patterns: readonly string[];
  readonly words: readonly string[];
}

export interface Cases {
  /** The word after an option, by `COMMAND:OPTION`; the command of a table is empty. */
  readonly values: readonly Case[];
  /** Words that begin with a dash, by command. */
  readonly options: readonly Case[];
  /** More of them in rules, by the match, protocol or target that is named before. */
  readonly modules: readonly Case[];
  /** Other words, by command. */
  readonly args: readonly Case[];
}

/** What the shell or the table knows. */
const FROM_TABLE: readonly Filler[] = ['file', 'chain', 'group', 'set'];

function fill(filler: Filler): readonly string[] {
  if (typeof filler !== 'string') return filler;
  if (filler === 'output') return fill('file');
  if (filler === 'code') return Object.keys(CATALOGUE);
  return FROM_TABLE.includes(filler) ? [`@${filler}`] : [];
}

const dashed = (names: readonly string[]) => names.map((name) => `--${name}`);

/** The short names of options that take a value. */
const SHORT: Readonly<Record<string, string>> = {
  output: '-f',
  group: '-g',
  proto: '-p',
  table: '-t',
};

const SCOPE_OPTIONS = {
  live: ['root', 'wait'],
  table: ['file', 'root', 'wait'],
  files: [],
} as const;

function commandCases(row: CommandRow): {
  readonly values: readonly Case[];
  readonly options: Case;
} {
  const { words, options, scope } = row;
  const values = Object.entries(options)
    .filter(([, filler]) => filler !== 'flag')
    .map(([name, filler]) => {
      const short = SHORT[name];
      const spelled = [`--${name}`, ...(short === undefined ? [] : [short])];
      return { patterns: spelled.map((each) => `${words}:${each}`), words: fill(filler) };
    });
  const names = [...Object.keys(options), ...SCOPE_OPTIONS[scope], 'help'];
  return { values, options: { patterns: [words], words: dashed(names) } };
}

/** Of the commands with a dash, which chains they take. */
const CHAIN_WORD: Readonly<Record<string, '@chain' | '@own'>> = {
  ...Object.fromEntries(
    ['append', 'check', 'delete', 'insert', 'replace', 'list', 'list-rules', 'flush', 'zero'].map(
      (verb) => [verb, '@chain'],
    ),
  ),
  policy: '@chain',
  'delete-chain': '@own',
  'rename-chain': '@own',
};

const TARGET_WORDS = Object.keys(TARGETS)
  .filter(isTargetKind)
  .flatMap((kind) => TARGETS[kind].word ?? []);

/** `COMMAND:OPTION` of rules and commands with a dash. */
function tableValues(): readonly Case[] {
  const of = (words: readonly string[], ...spelled: readonly string[]): Case => ({
    patterns: spelled.map((each) => `:${each}`),
    words,
  });
  const chains = COMMAND_SPELLINGS.flatMap(({ long, short }) => {
    const [name = ''] = long;
    const word = CHAIN_WORD[name];
    if (word === undefined) return [];
    return of([word], `--${name}`, ...(short === undefined ? [] : [`-${short}`]));
  });
  return [
    ...chains,
    of(['socket'], '-t', '--table'),
    of(Object.keys(SWITCH), '--deny-unseen'),
    of([...TARGET_WORDS, '@own'], '-j', '--jump'),
    of(['@own'], '-g', '--goto'),
    of(
      Object.keys(MATCHES).filter((name) => name !== 'ip'),
      '-m',
      '--match',
    ),
    of([...Object.keys(PROTOCOL), 'mptcp', 'all'], '-p', '--protocol', '--proto'),
    of(Object.keys(REJECT_ERRNO), '--reject-with'),
    of(['@group'], '--id'),
    of(['@set'], '--match-set'),
    of([], '-s', '-d', '--source', '--destination', '--src', '--dst', '--sport', '--dport', '-N'),
  ];
}

function modules(): readonly Case[] {
  const matches = Object.keys(MATCHES)
    .filter(isMatchName)
    .filter((name) => name !== 'ip')
    .map((name) => {
      const { options, sugar = {} } = SYNTAX[name];
      const long = [...Object.values(options).flatMap((each) => each.long), ...Object.keys(sugar)];
      return { patterns: [name], words: dashed(long) };
    });
  const targets = Object.keys(TARGETS)
    .filter(isTargetKind)
    .flatMap((kind) => {
      const words = dashed(Object.values(TARGET_SYNTAX[kind].options).flatMap(({ long }) => long));
      const { word } = TARGETS[kind];
      return word === undefined || words.length === 0 ? [] : [{ patterns: [word], words }];
    });
  return [...matches, ...targets];
}

function tableOptions(): readonly string[] {
  const own = COMMAND_SPELLINGS.flatMap(({ long, short }) => [
    ...dashed(long),
    ...(short === undefined ? [] : [`-${short}`]),
  ]);
  const rule = Object.values(SYNTAX.ip.options).flatMap(({ long, short }) => [
    ...dashed(long),
    ...(short === undefined ? [] : [`-${short}`]),
  ]);
  return [...own, ...rule, '--match', '-m', '--jump', '-j', '--goto', '-g', '--set-counters', '-c'];
}

export function completionCases(): Cases {
  const rows = COMMANDS.map(commandCases);
  return {
    values: [...tableValues(), ...rows.flatMap(({ values }) => values)],
    options: [{ patterns: [''], words: tableOptions() }, ...rows.map(({ options }) => options)],
    modules: modules(),
    args: [
      { patterns: [''], words: COMMAND_NAMES },
      ...['group', 'set'].map((name) => ({ patterns: [name], words: subcommandsOf(name) })),
      ...COMMANDS.map(({ words, args }) => ({
        patterns: [words],
        words: [...new Set(args.flatMap(({ filler }) => fill(filler)))],
      })),
    ],
  };
}

export const BUILTIN: readonly string[] = BUILTIN_CHAINS;
