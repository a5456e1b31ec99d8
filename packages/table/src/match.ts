/** What describes a match: the row that every stage reads instead of listing matches again. */
import type { BuiltinChain } from './chains.js';
import type { Clause } from './clause.js';
import type { Group } from './table.js';
import { isValueOf, type Value, type ValueKind, type ValueOf } from './value.js';

/** One option of a match as a rule has it, `! --dport 80` for example. */
export interface MatchOption {
  readonly name: string;
  readonly negated: boolean;
  readonly value: Value;
}

/** What the meaning of an option may depend on beside its value. */
export interface Scope {
  readonly groups: readonly Group[];
}

export interface OptionDescriptor {
  readonly value: ValueKind;
  readonly negatable: boolean;
  /** The chains in which the packet has no such thing, each with the reason. */
  readonly absent: Partial<Readonly<Record<BuiltinChain, string>>>;
  /** What must hold, as clauses that must all hold; empty if the option never restricts. */
  readonly clauses: (option: MatchOption, scope: Scope) => readonly Clause[];
}

export interface MatchDescriptor {
  /** Name after `-m`; the options that need no `-m` (-s, -d, -p, -4, -6) belong to `ip`. */
  readonly name: string;
  /** The protocols of which a rule with this match must name one. */
  readonly protocols?: readonly number[];
  /** Options that can't stand together in one match. */
  readonly exclusive?: readonly (readonly string[])[];
  /** At least one option must be given. */
  readonly needsOption: boolean;
  /** In the order in which they are printed. */
  readonly options: Readonly<Record<string, OptionDescriptor>>;
}

/** Describes an option whose value is of one kind, and what it means. */
export function defineOption<K extends ValueKind>(
  kind: K,
  clauses: (value: ValueOf<K>, negated: boolean, scope: Scope) => readonly Clause[],
  more: { negatable?: boolean; absent?: Partial<Record<BuiltinChain, string>> } = {},
): OptionDescriptor {
  return {
    value: kind,
    negatable: more.negatable ?? true,
    absent: more.absent ?? {},
    clauses: ({ name, negated, value }, scope) => {
      if (!isValueOf(value, kind))
        throw new TypeError(`--${name} takes a ${kind}, not a ${value.kind}`);
      return clauses(value, negated, scope);
    },
  };
}
