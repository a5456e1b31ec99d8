/** The options that a rule can have, as rows for the scanner. */
import {
  diagnose,
  didYouMean,
  type Problem,
  splitWord,
  type Word,
  withText,
} from '@sockfilter/language';
import {
  isMatchName,
  isTargetKind,
  MATCHES,
  type MatchName,
  type MatchOption,
  TARGETS,
  type TargetKind,
  targetOption,
  type ValueKind,
} from '@sockfilter/table';
import {
  UNAVAILABLE_OPTIONS,
  UNAVAILABLE_SHORT,
  unavailableMatch,
  unavailableOwner,
  unavailableTarget,
} from './extensions.js';
import type { OptionRow, OptionUse, Vocabulary } from './optionrow.js';
import {
  type DraftMatch,
  draftProtocol,
  matchDescriptor,
  PROTOCOL_MATCHES,
  type RuleDraft,
} from './ruledraft.js';
import { entry, MOST_SHARED } from './rulememo.js';
import { type OptionSyntax, optionSyntax, SYNTAX, TARGET_SYNTAX } from './syntax.js';
import { readNumber } from './values/number.js';
import type { RuleContext, ValueRules } from './values/syntax.js';
import { VALUES } from './values.js';

type RuleRow = OptionRow<RuleDraft>;

const MATCH_NAMES: readonly MatchName[] = Object.keys(MATCHES).filter(isMatchName);

function duplicate(use: OptionUse): Parameters<RuleDraft['report']>[0] {
  const message = `\`${use.option.text}\` is given more than once`;
  return { code: 'duplicate', message, span: use.span, exit: 2 };
}

/** Adds an option to the match of the draft that it belongs to. */
function addOption(draft: RuleDraft, match: DraftMatch, row: MatchRow, use: OptionUse): void {
  if (match.options.some(({ name }) => name === row.option)) {
    draft.report(duplicate(use));
    return;
  }
  const words = row.words?.map((text) => withText(use.option, text)) ?? use.words;
  const [first] = words;
  if (!row.alternatives || !first?.text.includes(',')) {
    const option = readOption(draft, row, use, words);
    match.options.push({ name: row.option, use, options: option ? [option] : [] });
    return;
  }
  if (use.negated) {
    const message = `\`!\` does not go with a list of addresses`;
    const help = 'let a rule of its own before this one deal with each address';
    draft.report({ code: 'negation', message, span: use.span, exit: 2, help });
    return;
  }
  const options = splitWord(first, ',').flatMap(
    (word) => readOption(draft, row, use, [word]) ?? [],
  );
  match.options.push({ name: row.option, use, options });
}

function readOption(
  { context, report }: RuleDraft,
  row: MatchRow,
  use: OptionUse,
  words: readonly Word[],
): MatchOption | undefined {
  const { negated } = use;
  const [word, second] = words;
  const known =
    context.memo && word && !second
      ? entry(negated ? context.memo.negated : context.memo.plain, row, () => new Map())
      : undefined;
  const shared = word && known?.get(word.text);
  if (shared) return shared;
  const parsed = VALUES[row.value].parse(words, context, row.rules);
  if (!parsed.ok) {
    report(diagnose(nearMiss(row, use, context) ?? parsed.problem, use.span));
    return undefined;
  }
  const option: MatchOption = { name: row.option, negated, value: parsed.value };
  if (word && known && known.size < MOST_SHARED) known.set(word.text, option);
  return option;
}

interface OtherOption {
  readonly option: string;
  readonly takes: RegExp;
  readonly noun: string;
  readonly match: MatchName;
  readonly as: string;
}

const RANGE = {
  takes: /^[\da-fA-F.:]+-[\da-fA-F.:]+$/,
  noun: 'a range of addresses',
  match: 'iprange',
} as const;
const LIST = { takes: /,/, noun: 'a list of ports', match: 'multiport' } as const;

/** Values that an option of another match takes as they are written. */
const INSTEAD: readonly OtherOption[] = [
  { option: 'source', ...RANGE, as: 'src-range' },
  { option: 'destination', ...RANGE, as: 'dst-range' },
  { option: 'sport', ...LIST, as: 'sports' },
  { option: 'dport', ...LIST, as: 'dports' },
];

/** The problem with such a value; the help names the other option. */
function nearMiss(
  { match, option }: MatchRow,
  { option: written, words: [word], negated, span }: OptionUse,
  context: RuleContext,
): Problem | undefined {
  const other = INSTEAD.find((each) => each.option === option && each.takes.test(word?.text ?? ''));
  if (!word || !other || match === other.match) return undefined;
  const value = VALUES[matchDescriptor(other.match).options[other.as]?.value ?? 'none'];
  if (!value.parse([word], context).ok) return undefined;
  const help = `write \`-m ${other.match} ${negated ? '! ' : ''}--${other.as} ${word.text}\``;
  const message = `\`${written.text}\` does not take ${other.noun}`;
  return { code: 'bad-value', message, help, span };
}

interface MatchRow extends RuleRow {
  readonly match: MatchName;
  readonly option: string;
  readonly value: ValueKind;
  readonly alternatives: boolean;
  readonly rules: ValueRules;
  /** The words that the option stands for, if it is sugar. */
  readonly words: readonly string[] | undefined;
}

function matchRow(match: MatchName, option: string, sugar?: string): MatchRow {
  const descriptor = matchDescriptor(match).options[option];
  if (!descriptor) throw new TypeError(`match ${match} has no option ${option}`);
  const { long, short, alternatives = false, lookup } = optionSyntax(match, option);
  const value = VALUES[descriptor.value];
  const count = sugar === undefined ? value.words : 0;
  const row: MatchRow = {
    match,
    option,
    value: descriptor.value,
    alternatives,
    rules: { ...descriptor, lookup },
    words: sugar === undefined ? undefined : SYNTAX[match].sugar?.[sugar]?.words,
    long: sugar === undefined ? long : [sugar],
    short: sugar === undefined ? short : undefined,
    least: count,
    most: count,
    negatable: descriptor.negatable,
    verbatim: value.verbatim,
    take: (draft, use) => addOption(draft, findMatch(draft, row), row, use),
  };
  return row;
}

function has(match: DraftMatch, row: MatchRow): boolean {
  if (match.name === undefined) return PROTOCOL_MATCHES.includes(row.match);
  return matchDescriptor(match.name).options[row.option] !== undefined;
}

/** The match loaded last that has the option, else the one that the protocol will bring. */
function findMatch(draft: RuleDraft, row: MatchRow): DraftMatch {
  if (row.match === 'ip') return draft.ip;
  const loaded = draft.matches.findLast((match) => has(match, row));
  if (loaded) return loaded;
  const brought: DraftMatch = { name: undefined, word: draft.ip.word, options: [] };
  draft.matches.push(brought);
  return brought;
}

/** The rows of each match by long name. */
const MATCH_ROWS: ReadonlyMap<MatchName, ReadonlyMap<string, MatchRow>> = new Map(
  MATCH_NAMES.map((match) => {
    const { options } = matchDescriptor(match);
    const sugar = Object.entries(SYNTAX[match].sugar ?? {});
    const rows = [
      ...Object.keys(options).map((option) => matchRow(match, option)),
      ...sugar.map(([name, { option }]) => matchRow(match, option, name)),
    ];
    return [match, new Map(rows.flatMap((row) => row.long.map((long) => [long, row])))];
  }),
);

function rowsOf(match: MatchName): ReadonlyMap<string, MatchRow> {
  return MATCH_ROWS.get(match) ?? new Map();
}

function loadMatch(draft: RuleDraft, { words: [word] }: OptionUse): void {
  if (!word) return;
  const name = word.text;
  if (isMatchName(name) && name !== 'ip') {
    draft.matches.push({ name, word, options: [] });
    return;
  }
  const extension = unavailableMatch(name);
  draft.refuse(extension?.options ?? []);
  if (extension) {
    const message = `match \`${name}\` is not available: ${extension.reason}`;
    draft.report({ code: 'unsupported', message, span: word.span, exit: 2 });
    return;
  }
  const known = MATCH_NAMES.filter((each) => each !== 'ip');
  const help = didYouMean(name, known) ?? `the matches are ${known.join(', ')}`;
  const message = `Couldn't load match \`${name}\`: no such match`;
  draft.report({ code: 'unknown-name', message, span: word.span, exit: 2, help });
}

function setCounters(draft: RuleDraft, use: OptionUse): void {
  const texts =
    use.words.length === 1 ? use.words[0]?.text.split(',') : use.words.map((w) => w.text);
  const [packets, bytes] = texts ?? [];
  const valid = [packets, bytes].every((text) => /^\d+$/.test(text ?? ''));
  if (texts?.length !== 2 || packets === undefined || !valid) {
    const message = `\`${use.option.text}\` needs a number of packets and one of bytes`;
    const help = 'bytes are always 0: a socket call has none';
    draft.report({ code: 'bad-value', message, span: use.span, exit: 2, help });
    return;
  }
  if (draft.packets) {
    draft.report(duplicate(use));
    return;
  }
  if (BigInt(packets) >= 1n << 64n) {
    const message = `counter \`${packets}\` is out of range`;
    draft.report({ code: 'bad-value', message, span: use.span, exit: 2 });
    return;
  }
  draft.packets = { count: BigInt(packets), use };
}

function setTarget(draft: RuleDraft, use: OptionUse, goto: boolean): void {
  if (draft.target) {
    draft.report(duplicate(use));
    return;
  }
  const extension = unavailableTarget(use.words[0]?.text ?? '');
  if (extension && !goto) draft.refuse(extension.options);
  draft.target = { use, goto };
}

const one = { least: 1, most: 1, negatable: false };

/** A row for each option of a target; whose it is shows when the target is known. */
function targetOptionRow(kind: TargetKind, name: string, { long, short }: OptionSyntax): RuleRow {
  const option = targetOption(kind, name);
  const [first] = long;
  if (first === undefined) throw new TypeError(`option ${name} of ${kind} has no name`);
  const { words, verbatim } = VALUES[option.value];
  return {
    long,
    short,
    least: words,
    most: words,
    verbatim,
    negatable: false,
    take: (draft, use) => {
      if (draft.targetOptions.has(first)) draft.report(duplicate(use));
      else draft.targetOptions.set(first, use);
    },
  };
}

/** One for several targets that have it. */
const TARGET_OPTION_ROWS: ReadonlyMap<string, RuleRow> = new Map(
  Object.keys(TARGETS)
    .filter(isTargetKind)
    .flatMap((kind) =>
      Object.entries(TARGET_SYNTAX[kind].options).map(([name, syntax]) => [
        name,
        targetOptionRow(kind, name, syntax),
      ]),
    ),
);

const GENERAL: readonly RuleRow[] = [
  ...new Set(rowsOf('ip').values()),
  { long: ['match'], short: 'm', ...one, take: loadMatch },
  { long: ['jump'], short: 'j', ...one, take: (draft, use) => setTarget(draft, use, false) },
  { long: ['goto'], short: 'g', ...one, take: (draft, use) => setTarget(draft, use, true) },
  ...TARGET_OPTION_ROWS.values(),
  {
    long: ['set-counters'],
    short: 'c',
    least: 1,
    most: 2,
    negatable: false,
    wants: (word, [first]) => readNumber(word.text) !== undefined && !first?.text.includes(','),
    take: setCounters,
  },
];

/** Known, so that the refusal can say why; never meant by an abbreviation. */
const REFUSED: readonly RuleRow[] = Object.entries(UNAVAILABLE_OPTIONS).map(
  ([name, { reason, help, words }]): RuleRow => ({
    long: [name],
    short: Object.keys(UNAVAILABLE_SHORT).find((letter) => UNAVAILABLE_SHORT[letter] === name),
    least: 0,
    most: words,
    negatable: true,
    take: (draft, use) => {
      const message = `\`${use.option.text}\` is not available: ${reason}`;
      draft.report({ code: 'unsupported', message, span: use.span, exit: 2, help });
    },
  }),
);

const GENERAL_LONG = new Map(
  [...GENERAL, ...REFUSED].flatMap((row) => row.long.map((long) => [long, row] as const)),
);
const GENERAL_SHORT = new Map(
  [...GENERAL, ...REFUSED].flatMap((row) =>
    row.short === undefined ? [] : [[row.short, row] as const],
  ),
);

function loaded(draft: RuleDraft): readonly MatchName[] {
  return draft.matches.flatMap(({ name }) => (name === undefined ? [] : [name]));
}

/** After a refused match or target its options are taken for known, with all their values. */
const SWALLOW: RuleRow = {
  long: [],
  least: 0,
  most: Number.POSITIVE_INFINITY,
  negatable: true,
  take: () => undefined,
};

function findLong(name: string, draft: RuleDraft): RuleRow | undefined {
  if (draft.refused.has(name)) return SWALLOW;
  const general = GENERAL_LONG.get(name);
  if (general) return general;
  for (let i = draft.matches.length - 1; i >= 0; i--) {
    const match = draft.matches[i]?.name;
    const row = match === undefined ? undefined : rowsOf(match).get(name);
    if (row) return row;
  }
  return (
    loadedAbbreviation(name, draft) ??
    broughtRow(name) ??
    (draft.refusedUnknown && !isBegun(name, draft) ? SWALLOW : undefined)
  );
}

/** An option of the match that the protocol brings. */
function broughtRow(name: string): RuleRow | undefined {
  for (const match of PROTOCOL_MATCHES) {
    const row = rowsOf(match).get(name);
    if (row) return row;
  }
  return undefined;
}

/** As in iptables: what `-m` has loaded goes before what `-p` would bring, abbreviated too. */
function loadedAbbreviation(name: string, draft: RuleDraft): RuleRow | undefined {
  if (!broughtRow(name)) return undefined;
  const begun = new Set<RuleRow>();
  for (const match of loaded(draft))
    for (const [long, row] of rowsOf(match)) if (long.startsWith(name)) begun.add(row);
  const [only] = begun;
  return begun.size === 1 ? only : undefined;
}

function isBegun(name: string, draft: RuleDraft): boolean {
  return activeRows(draft).some((row) => row.long.some((long) => long.startsWith(name)));
}

function activeRows(draft: RuleDraft): readonly RuleRow[] {
  const protocol = draftProtocol(draft);
  const brought = draft.matches.some(({ name }) => name === undefined) || protocol !== undefined;
  const found = new Map<string, RuleRow>();
  const names = [...loaded(draft), ...(brought ? PROTOCOL_MATCHES : [])];
  for (const match of names)
    for (const row of rowsOf(match).values()) found.set(row.long.join(), row);
  return [...GENERAL, ...found.values()];
}

const ALL_NAMES: readonly string[] = [
  ...new Set([
    ...GENERAL.flatMap(({ long }) => long),
    ...MATCH_NAMES.flatMap((match) => [...rowsOf(match).keys()]),
  ]),
];

export const RULE_VOCABULARY: Vocabulary<RuleDraft> = {
  long: findLong,
  short: (letter) => GENERAL_SHORT.get(letter),
  rows: activeRows,
  names: () => ALL_NAMES,
  explain: (name) => {
    const owner = MATCH_NAMES.find((match) => rowsOf(match).has(name));
    if (owner !== undefined)
      return `\`--${name}\` belongs to \`-m ${owner}\`: write \`-m ${owner} --${name}\``;
    const unavailable = unavailableOwner(name);
    return unavailable && `it belongs to ${unavailable.name}: ${unavailable.reason}`;
  },
};
