/** What describes a target: the row that every stage reads instead of switching over targets. */
import type { BuiltinChain } from './chains.js';
import type { Clause } from './clause.js';
import type { Errno } from './errno.js';
import type { OptionDescriptor } from './match.js';
import type { Family } from './packet.js';
import type { Rewriting } from './rewriting.js';
import { isValueOf, type Value, type ValueKind, type ValueOf } from './value.js';

/** Where the walk of a packet goes that a rule matches. */
export type Step =
  /** To the rule after. */
  | { readonly kind: 'next' }
  /** Nowhere: the call is decided. */
  | { readonly kind: 'decide'; readonly errno: Errno }
  /** Out of the chain, to behind the rule that called it; out of a built-in chain to its policy. */
  | { readonly kind: 'leave' }
  /** Into another chain; at that one's end to the rule after, unless it `comesBack` no more: then it leaves. */
  | { readonly kind: 'call'; readonly chain: string; readonly comesBack: boolean };

/**
 * What a rule does to a call beside its step. Whoever reads rules has an answer for each kind, in a
 * record over EffectKind, so that a new one does not compile until all have one.
 */
export type Effect =
  | { readonly kind: 'count' }
  /** An event says that the rule has matched. */
  | { readonly kind: 'log' }
  /** From this rule on an event says so of each that matches, and of what decides. */
  | { readonly kind: 'trace' }
  /** The call passes, and an event says that it would have been refused. */
  | { readonly kind: 'audit'; readonly errno: Errno }
  /** From this rule on the call is another: see rewriting.ts. */
  | { readonly kind: 'rewrite'; readonly rewriting: Rewriting };

export type EffectKind = Effect['kind'];

/** What a target's option takes; bounds are those of a count, and of the bytes of a prefix. */
export interface TargetOption {
  readonly value: ValueKind;
  readonly bounds?: OptionDescriptor['bounds'];
}

/** The values of a target's options by name, those that were given. */
export type TargetValues = Readonly<Partial<Record<string, Value>>>;

/** The value of the option, if it was given. */
export function targetValue<K extends ValueKind>(
  values: TargetValues,
  name: string,
  kind: K,
): ValueOf<K> | undefined {
  const value = values[name];
  return value && isValueOf(value, kind) ? value : undefined;
}

/** What describes one target; `T` is the target as a rule has it. */
export interface TargetDescriptor<T> {
  /** The word after `-j`; undefined where that is the name of a chain. */
  readonly word: string | undefined;
  /** In the order in which they are printed. */
  readonly options: Readonly<Record<string, TargetOption>>;
  /** Options of which one must be given, and one alone. */
  readonly oneOf?: readonly string[];
  /** The chains that can't have it, each with the reason. */
  readonly absent: Partial<Readonly<Record<BuiltinChain, string>>>;
  /** What it restricts its rule to, as clauses beside those of the matches. */
  readonly condition?: (target: T) => readonly Clause[];
  /** The family that its rule is for, if for one alone. */
  readonly familyOf?: (target: T) => Family | undefined;
  /** Whether its rule must name a protocol that has ports. */
  readonly portsOf?: (target: T) => boolean;
  readonly step: (target: T) => Step;
  /** What it does more than what every rule does. */
  readonly effects: (target: T) => readonly Effect[];
  /** The target from the word after `-j` or `-g` and the values of its options. */
  readonly make: (word: string, values: TargetValues) => T;
  /** What its options say. */
  readonly values: (target: T) => TargetValues;
  /** In words, for findings: `REJECT with EACCES`. */
  readonly text: (target: T) => string;
}

/** The option of a target that refuses by which it says so alone. */
export const AUDIT_OPTION = { audit: { value: 'none' } } as const;

/** A target that refuses, or says that it would. */
interface Refusal {
  /** Whether the call passes, and an event says that it would have been refused. */
  readonly audited?: true;
}

/** What the option says of a target that refuses. */
export function auditedBy({ audit }: TargetValues): Refusal {
  return audit ? { audited: true } : {};
}

/** Made once: every stage asks each rule. */
const DECISIONS = new Map<Errno, Step>();

function decision(errno: Errno): Step {
  const known = DECISIONS.get(errno);
  if (known) return known;
  const made: Step = { kind: 'decide', errno };
  DECISIONS.set(errno, made);
  return made;
}

const NO_EFFECTS: readonly Effect[] = [];

/** What a target does that refuses with the errno. */
export function refusal<T extends Refusal>(
  errnoOf: (target: T) => Errno,
): Pick<TargetDescriptor<T>, 'step' | 'effects'> {
  return {
    step: (target) => decision(target.audited ? 0 : errnoOf(target)),
    effects: (target) =>
      target.audited ? [{ kind: 'audit', errno: errnoOf(target) }] : NO_EFFECTS,
  };
}

/** A target that says nothing but its name. */
export interface PlainTarget<K> {
  readonly kind: K;
}

/** A target that always takes the same step, and does the same beside it. */
export function definePlain<K extends string>(
  kind: K,
  word: string,
  step: Step,
  effects: readonly Effect[] = NO_EFFECTS,
): TargetDescriptor<PlainTarget<K>> {
  const target = { kind };
  return {
    word,
    options: {},
    absent: {},
    step: () => step,
    effects: () => effects,
    make: () => target,
    values: () => ({}),
    text: () => word,
  };
}

export interface CallTarget<K> {
  readonly kind: K;
  readonly chain: string;
}

/** A target that sends the walk into a chain, and whether it comes back. */
export function defineCall<K extends string>(
  kind: K,
  comesBack: boolean,
): TargetDescriptor<CallTarget<K>> {
  return {
    word: undefined,
    options: {},
    absent: {},
    step: ({ chain }) => ({ kind: 'call', chain, comesBack }),
    effects: () => [],
    make: (chain) => ({ kind, chain }),
    values: () => ({}),
    text: ({ chain }) => `${kind} to ${chain}`,
  };
}
