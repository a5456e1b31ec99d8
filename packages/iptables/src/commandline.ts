/** Command lines in, commands out. */
import {
  type Command,
  type CommandFlags,
  type Diagnostic,
  diagnose,
  didYouMean,
  noteOddCharacters,
  type Source,
  type Span,
  type Word,
} from '@sockfilter/language';
import { BUILTIN_CHAINS, isBuiltinChain, type Policy, type Rule } from '@sockfilter/table';
import { iptablesChainHelp } from './chainhelp.js';
import { parseChainName, parseNewChainName } from './chainname.js';
import { COMMAND_VOCABULARY, CommandDraft, isSwitch, SWITCH, type Verb } from './commandoptions.js';
import { commandLine } from './lexer.js';
import { LineUse, type OptionUse } from './optionrow.js';
import { AUDIT, POLICY_HELP, POLICY_WORDS, readPolicy } from './policyword.js';
import { finishRule } from './rule.js';
import { protocolMatch } from './ruledraft.js';
import { scanOptions } from './scan.js';
import { rejectSpan } from './target.js';
import { readNumber } from './values/number.js';
import type { RuleContext } from './values/syntax.js';

export interface ParsedWords {
  /** Undefined if anything is wrong. */
  readonly command: Command | undefined;
  readonly flags: CommandFlags;
  /** The command and its words, for what the table may say against it. */
  readonly place: Span;
  readonly verb: Verb | undefined;
  /** The word that names the chain. */
  readonly chain: Word | undefined;
  /** The word after -j or -g. */
  readonly target: Word | undefined;
  /** `-j REJECT` with its errno, where they stand together. */
  readonly reject: Span | undefined;
  readonly diagnostics: readonly Diagnostic[];
}

export interface ParsedCommand extends ParsedWords {
  readonly source: Source;
}

function parseIndex(draft: CommandDraft, word: Word | undefined): number | undefined {
  if (!word) return undefined;
  const number = readNumber(word.text);
  if (number !== undefined && number > 0 && Number.isSafeInteger(number)) return number;
  const message = `invalid rule number \`${word.text}\``;
  draft.report({ code: 'bad-argument', message, span: word.span, exit: 2 });
  return undefined;
}

function parseChain(
  draft: CommandDraft,
  word: Word | undefined,
  fresh = false,
): string | undefined {
  if (!word) return undefined;
  const chain = fresh ? parseNewChainName(word) : parseChainName(word);
  if (chain.ok) return chain.value;
  draft.report(diagnose(chain.problem, word.span));
  return undefined;
}

function parsePolicy(draft: CommandDraft, [chain, target]: readonly Word[]): Policy {
  if (chain && !isBuiltinChain(chain.text)) {
    const near = iptablesChainHelp(chain.text) ?? didYouMean(chain.text, BUILTIN_CHAINS);
    const help = near ?? 'only built-in chains have a policy';
    const message = 'Bad built-in chain name.';
    draft.report({ code: 'bad-chain', message, span: chain.span, exit: 1, help });
  }
  const policy = target?.text;
  const audit = draft.targetOptions.get('audit');
  const written = readPolicy(policy ?? '', audit !== undefined);
  if (written) return written;
  const span = target?.span ?? draft.ip.word.span;
  if (audit && readPolicy(policy ?? '', false)) {
    const message = `\`${AUDIT}\` goes with DROP`;
    draft.report({ code: 'bad-target', message, span: audit.span, exit: 2 });
    return 'ACCEPT';
  }
  const help = didYouMean(policy ?? '', POLICY_WORDS) ?? POLICY_HELP;
  draft.report({ code: 'bad-target', message: 'Bad policy name.', span, exit: 1, help });
  return 'ACCEPT';
}

function forbid(draft: CommandDraft, span: Span, option: string, command: string): void {
  const message = `Illegal option \`${option}\` with \`${command}\``;
  draft.report({ code: 'bad-command', message, span, exit: 2 });
}

/** Options of targets that a command takes of its own. */
const OWN_OPTIONS: Partial<Readonly<Record<Verb, readonly string[]>>> = { policy: ['audit'] };

/** Reports the options of a rule that the command does not take. */
function forbidRule(draft: CommandDraft, verb: Verb, command: string): void {
  const isOwn = (name: string) => OWN_OPTIONS[verb]?.includes(name);
  const uses = [
    ...draft.ip.options.map(({ use }) => use),
    ...(draft.target ? [draft.target.use] : []),
    ...[...draft.targetOptions].flatMap(([name, use]) => (isOwn(name) ? [] : [use])),
    ...(draft.packets ? [draft.packets.use] : []),
  ];
  for (const { option, span } of uses) forbid(draft, span, option.text, command);
  for (const { name, word, options } of draft.matches) {
    if (name !== undefined) forbid(draft, word.span, `-m ${name}`, command);
    else for (const { use } of options) forbid(draft, use.span, use.option.text, command);
  }
}

type Build = (draft: CommandDraft, use: OptionUse) => Command | undefined;

function withRules(
  build: (chain: string, rules: readonly Rule[], number: number | undefined) => Command | undefined,
): Build {
  return (draft, { words: [name, index] }) => {
    const chain = parseChain(draft, name);
    const number = parseIndex(draft, index);
    const rules = finishRule(draft, chain ?? '');
    return chain === undefined ? undefined : build(chain, rules, number);
  };
}

const BUILD: Readonly<Record<Verb, Build>> = {
  append: withRules((chain, rules) => ({ kind: 'append', chain, rules })),
  check: withRules((chain, rules) => ({ kind: 'check', chain, rules })),
  insert: withRules((chain, rules, number = 1) => ({ kind: 'insert', chain, number, rules })),
  delete: (draft, use) => {
    const [name, index] = use.words;
    if (!index) return withRules((chain, rules) => ({ kind: 'delete', chain, rules }))(draft, use);
    forbidRule(draft, 'delete', `${use.option.text} ${name?.text} ${index.text}`);
    const chain = parseChain(draft, name);
    const number = parseIndex(draft, index);
    if (chain === undefined || number === undefined) return undefined;
    return { kind: 'delete-number', chain, number };
  },
  replace: (draft, use) =>
    withRules((chain, rules, number) => {
      const [rule, more] = rules;
      if (more) {
        const message = 'Replacement rule does not specify a unique address';
        draft.report({ code: 'bad-argument', message, span: use.span, exit: 2 });
      }
      return rule && number !== undefined ? { kind: 'replace', chain, number, rule } : undefined;
    })(draft, use),
  list: (draft, use) => list(draft, use, 'list'),
  'list-rules': (draft, use) => list(draft, use, 'list-rules'),
  flush: (draft, { words: [name] }) => ({ kind: 'flush', chain: parseChain(draft, name) }),
  zero: (draft, { words: [name, index] }) => ({
    kind: 'zero',
    chain: parseChain(draft, name),
    number: parseIndex(draft, index),
  }),
  'new-chain': (draft, { words: [name] }) => {
    const chain = parseChain(draft, name, true);
    return chain === undefined ? undefined : { kind: 'new-chain', chain };
  },
  'delete-chain': (draft, { words: [name] }) => ({
    kind: 'delete-chain',
    chain: parseChain(draft, name),
  }),
  policy: (draft, { words }) => {
    const chain = parseChain(draft, words[0]);
    const policy = parsePolicy(draft, words);
    return chain === undefined ? undefined : { kind: 'policy', chain, policy };
  },
  'rename-chain': (draft, { words: [name, next] }) => {
    const chain = parseChain(draft, name);
    const to = parseChain(draft, next, true);
    if (chain === undefined || to === undefined) return undefined;
    return { kind: 'rename-chain', chain, to };
  },
  'deny-unseen': (_, { words: [word] }) => ({
    kind: 'deny-unseen',
    on: SWITCH[word && isSwitch(word.text) ? word.text : 'on'],
  }),
  help: ({ ip, matches, target }) => {
    const protocol = ip.options.find(({ name }) => name === 'protocol')?.options[0]?.value;
    const brought = protocol?.kind === 'protocol' ? protocolMatch(protocol.protocol) : undefined;
    const named = matches.flatMap(({ name }) => name ?? []);
    const about = [...(brought ? [brought] : []), ...named];
    return { kind: 'help', matches: about, target: target?.use.words[0]?.text };
  },
  version: () => ({ kind: 'version' }),
};

const TAKES_RULE: readonly Verb[] = ['append', 'check', 'insert', 'delete', 'replace', 'help'];
const LISTS: readonly Verb[] = ['list', 'list-rules'];

function list(draft: CommandDraft, use: OptionUse, kind: 'list' | 'list-rules'): Command {
  const zeroed = draft.commands.find(({ verb }) => verb === 'zero');
  const [name, index] = use.words.length > 0 ? use.words : (zeroed?.use.words ?? []);
  const chain = parseChain(draft, name);
  return { kind, chain, number: parseIndex(draft, index), zero: zeroed !== undefined };
}

/** One command from its words, on a command line or a line of a save file. */
export function parseWords(
  words: readonly Word[],
  context: RuleContext,
  start: Word,
  packets?: bigint,
): ParsedWords {
  const draft = new CommandDraft(context, start);
  scanOptions(words, draft, COMMAND_VOCABULARY);
  if (packets !== undefined && !draft.packets)
    draft.packets = {
      count: packets,
      use: new LineUse(start, [], undefined),
    };
  const first = draft.commands.find(({ verb }) => LISTS.includes(verb)) ?? draft.commands[0];
  let command: Command | undefined;
  if (first) {
    const { verb, use } = first;
    const name = use.option.text;
    if (draft.listing && !LISTS.includes(verb))
      forbid(draft, draft.listing.span, draft.listing.option.text, name);
    if (!TAKES_RULE.includes(verb)) forbidRule(draft, verb, name);
    command = BUILD[verb](draft, use);
  } else if (draft.diagnostics.length === 0) {
    const help = 'try `sockfilter --help` for more information';
    const message = 'no command specified';
    draft.report({ code: 'bad-command', message, span: start.span, exit: 2, help });
  }
  return {
    command: draft.diagnostics.length > 0 ? undefined : command,
    flags: draft.flags,
    place: first?.use.span ?? start.span,
    verb: first?.verb,
    chain: first?.use.words[0],
    target: draft.target?.use.words[0],
    reject: rejectSpan(draft),
    diagnostics: draft.diagnostics.sort((a, b) => a.span.column - b.span.column),
  };
}

/** Reads the arguments of `sockfilter`, those after the program's name. */
export function parseCommand(argv: readonly string[], context: RuleContext): ParsedCommand {
  const { source, words } = commandLine(argv);
  const start: Word = words[0] ?? {
    text: '',
    span: { source: source.name, line: 1, column: 1, length: 0 },
    quoted: false,
  };
  const parsed = parseWords(words, context, start);
  const diagnostics = noteOddCharacters(parsed.diagnostics, () => source.text);
  return { ...parsed, diagnostics, source };
}
