/** A rule while its words are read: what each option said, not yet checked against the others. */
import type { Diagnostic, Report, Word } from '@sockfilter/language';
import { MATCHES, type MatchDescriptor, type MatchName, type MatchOption } from '@sockfilter/table';
import type { OptionUse } from './optionrow.js';
import type { RuleContext } from './values/syntax.js';

export interface DraftOption {
  /** As in the descriptor. */
  readonly name: string;
  readonly use: OptionUse;
  /** More than one if the user gave a list of alternatives; none if it is not sound. */
  readonly options: readonly MatchOption[];
}

export interface DraftMatch {
  /** Undefined: the match that the protocol brings, whichever it will be. */
  readonly name: MatchName | undefined;
  /** The word that brought it. */
  readonly word: Word;
  readonly options: DraftOption[];
}

export interface NamedMatch extends DraftMatch {
  readonly name: MatchName;
}

interface DraftTarget {
  readonly use: OptionUse;
  readonly goto: boolean;
}

/** Mutable, and gone when the rule is made. */
export class RuleDraft {
  readonly context: RuleContext;
  readonly diagnostics: Diagnostic[] = [];
  /** Options of match `ip`. */
  readonly ip: NamedMatch;
  /** The others, in the order in which they came. */
  readonly matches: DraftMatch[] = [];
  target: DraftTarget | undefined = undefined;
  /** Options of targets by long name. */
  readonly targetOptions = new Map<string, OptionUse>();
  packets: { readonly count: bigint; readonly use: OptionUse } | undefined = undefined;
  /** Options of the matches and targets that were refused: saying so again would not help. */
  readonly refused: Set<string> = new Set();
  /** Something unknown was refused, and so are options that nobody knows. */
  refusedUnknown = false;

  refuse(options: readonly string[]): void {
    this.refusedUnknown = true;
    for (const option of options) this.refused.add(option);
  }

  /** `start` is where the rule begins, for what is wrong with the whole of it. */
  constructor(context: RuleContext, start: Word) {
    this.context = context;
    this.ip = { name: 'ip', word: start, options: [] };
  }

  readonly report: Report = (diagnostic) => {
    this.diagnostics.push(diagnostic);
  };
}

export function matchDescriptor(name: MatchName): MatchDescriptor {
  return MATCHES[name];
}

/** The matches that `-p` brings by itself: those that are about one protocol. */
export const PROTOCOL_MATCHES: readonly MatchName[] = Object.values(MATCHES)
  .filter(({ protocols }: MatchDescriptor) => protocols?.length === 1)
  .map(({ name }: MatchDescriptor) => name)
  .filter((name): name is MatchName => Object.hasOwn(MATCHES, name));

/** The match that a protocol brings. */
export function protocolMatch(protocol: number): MatchName | undefined {
  return PROTOCOL_MATCHES.find((name) => matchDescriptor(name).protocols?.includes(protocol));
}

/** The protocol that the rule names, and whether with `!`; undefined if it names none or all. */
export function draftProtocol(
  draft: RuleDraft,
): { readonly protocol: number; readonly negated: boolean } | undefined {
  const option = draft.ip.options.find(({ name }) => name === 'protocol');
  const value = option?.options[0]?.value;
  if (!option || value?.kind !== 'protocol' || value.protocol === 0) return undefined;
  return { protocol: value.protocol, negated: option.use.negated };
}
