/** The options of command lines beside those of rules, as rows for the scanner. */
import type { CommandFlags } from '@sockfilter/language';
import type { OptionRow, OptionUse, Vocabulary } from './optionrow.js';
import { RuleDraft } from './ruledraft.js';
import { RULE_VOCABULARY } from './ruleoptions.js';
import { readNumber } from './values/number.js';

/** A command as an option names it; what it becomes may depend on its words. */
export type Verb =
  | 'append'
  | 'check'
  | 'delete'
  | 'insert'
  | 'replace'
  | 'list'
  | 'list-rules'
  | 'flush'
  | 'zero'
  | 'new-chain'
  | 'delete-chain'
  | 'policy'
  | 'rename-chain'
  | 'deny-unseen'
  | 'help'
  | 'version';

export class CommandDraft extends RuleDraft {
  /** In the order given; more than one only for -L -Z and -S -Z. */
  readonly commands: { readonly verb: Verb; readonly use: OptionUse }[] = [];
  readonly flags: { -readonly [K in keyof CommandFlags]: CommandFlags[K] } = {
    verbose: 0,
    exact: false,
    lineNumbers: false,
    json: false,
    wait: undefined,
    file: undefined,
    root: undefined,
  };
  /** The first use of each option that only listings have. */
  listing: OptionUse | undefined = undefined;
}

type CommandRow = OptionRow<CommandDraft>;

const LISTS: readonly Verb[] = ['list', 'list-rules'];

function addCommand(draft: CommandDraft, verb: Verb, use: OptionUse): void {
  const [first] = draft.commands;
  if (first) {
    const verbs = [first.verb, verb];
    const together = verbs.includes('zero') && verbs.some((each) => LISTS.includes(each));
    if (!together || draft.commands.length > 1) {
      const message = `Cannot use \`${use.option.text}\` with \`${first.use.option.text}\``;
      draft.report({ code: 'bad-command', message, span: use.option.span, exit: 2 });
      return;
    }
  }
  draft.commands.push({ verb, use });
}

function command(
  verb: Verb,
  short: string | undefined,
  least: number,
  most: number,
  ...aliases: readonly string[]
): CommandRow {
  return {
    long: [verb, ...aliases],
    short,
    least,
    most,
    negatable: false,
    take: (draft, use) => addCommand(draft, verb, use),
  };
}

function flag(
  long: readonly string[],
  short: string | undefined,
  take: CommandRow['take'],
  words: Pick<CommandRow, 'least' | 'most' | 'wants'> = { least: 0, most: 0 },
): CommandRow {
  return { long, short, ...words, negatable: false, take };
}

/** What can stand behind `--deny-unseen`; on if nothing does. */
export const SWITCH = { on: true, off: false } as const;
export const isSwitch = (text: string): text is keyof typeof SWITCH => Object.hasOwn(SWITCH, text);

const oneWord = { least: 1, most: 1 };

function once(draft: CommandDraft, key: 'file' | 'root', use: OptionUse): void {
  if (draft.flags[key] !== undefined) {
    const message = `\`${use.option.text}\` is given more than once`;
    draft.report({ code: 'duplicate', message, span: use.span, exit: 2 });
  }
  draft.flags[key] = use.words[0]?.text;
}

const ROWS: readonly CommandRow[] = [
  command('append', 'A', 1, 1),
  command('check', 'C', 1, 1),
  command('delete', 'D', 1, 2),
  command('insert', 'I', 1, 2),
  command('replace', 'R', 2, 2),
  command('list', 'L', 0, 2),
  command('list-rules', 'S', 0, 2),
  command('flush', 'F', 0, 1),
  command('zero', 'Z', 0, 2),
  { ...command('new-chain', 'N', 1, 1), verbatim: true },
  command('delete-chain', 'X', 0, 1),
  command('policy', 'P', 2, 2),
  { ...command('rename-chain', 'E', 2, 2), verbatim: true },
  { ...command('deny-unseen', undefined, 0, 1), choices: Object.keys(SWITCH) },
  command('help', 'h', 0, 0),
  command('version', 'V', 0, 0),
  flag(['verbose'], 'v', (draft) => {
    draft.flags.verbose++;
  }),
  flag(['numeric'], 'n', (draft, use) => {
    draft.listing ??= use;
  }),
  flag(['exact'], 'x', (draft, use) => {
    draft.listing ??= use;
    draft.flags.exact = true;
  }),
  flag(['line-numbers'], undefined, (draft, use) => {
    draft.listing ??= use;
    draft.flags.lineNumbers = true;
  }),
  flag(['json'], undefined, (draft, use) => {
    draft.listing ??= use;
    draft.flags.json = true;
  }),
  flag(
    ['wait'],
    'w',
    (draft, use) => {
      const [word] = use.words;
      const seconds = word ? readNumber(word.text) : Number.POSITIVE_INFINITY;
      if (word && seconds === undefined) {
        const message = `wait seconds not numeric: \`${word.text}\``;
        draft.report({ code: 'bad-value', message, span: word.span, exit: 2 });
      }
      draft.flags.wait = seconds;
    },
    { least: 0, most: 1, wants: (word) => readNumber(word.text) !== undefined },
  ),
  flag(
    ['table'],
    't',
    (draft, use) => {
      const [word] = use.words;
      if (!word || word.text === 'socket') return;
      const message = `can't initialize table \`${word.text}\`: the only table is \`socket\``;
      draft.report({ code: 'bad-argument', message, span: word.span, exit: 2 });
    },
    oneWord,
  ),
  flag(['file'], undefined, (draft, use) => once(draft, 'file', use), oneWord),
  flag(['root'], undefined, (draft, use) => once(draft, 'root', use), oneWord),
];

/** How the options beside those of rules are spelled, in the order of their rows. */
export const COMMAND_SPELLINGS: readonly Pick<CommandRow, 'long' | 'short' | 'least'>[] = ROWS;

const LONG = new Map(ROWS.flatMap((row) => row.long.map((long) => [long, row] as const)));
const SHORT = new Map(
  ROWS.flatMap((row) => (row.short === undefined ? [] : [[row.short, row] as const])),
);

/** Not iptables' own: `--j` stays short for `--jump`, and `--de` for what it has. */
const UNABBREVIATED = ['json', 'deny-unseen'];
const ABBREVIATED = ROWS.filter(({ long }) => !long.some((each) => UNABBREVIATED.includes(each)));

export const COMMAND_VOCABULARY: Vocabulary<CommandDraft> = {
  long: (name, draft) => LONG.get(name) ?? RULE_VOCABULARY.long(name, draft),
  short: (letter, draft) => SHORT.get(letter) ?? RULE_VOCABULARY.short(letter, draft),
  rows: (draft) => [...ABBREVIATED, ...RULE_VOCABULARY.rows(draft)],
  names: () => [...LONG.keys(), ...RULE_VOCABULARY.names()],
  explain: RULE_VOCABULARY.explain,
};
