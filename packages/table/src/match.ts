/** What describes a match: the row that every stage reads instead of listing matches again. */
import type { BuiltinChain } from './chains.js';
import type { Clause, PlainTest } from './clause.js';
import { type Detail, describeDetail } from './details.js';
import type { Field } from './packet.js';
import type { OpaqueTest } from './question.js';
import type { NamedSet } from './sets/namedset.js';
import type { Group } from './table.js';
import { isValueOf, type Value, type ValueKind, type ValueOf } from './value.js';
import { rangeSet } from './valueset.js';

/** One option of a match as a rule has it, `! --dport 80` for example. */
export interface MatchOption {
  readonly name: string;
  readonly negated: boolean;
  readonly value: Value;
}

/** What the meaning of an option may depend on beside its value. */
export interface Scope {
  readonly groups: readonly Group[];
  readonly sets: readonly NamedSet[];
}

export interface OptionDescriptor {
  readonly value: ValueKind;
  readonly negatable: boolean;
  /** The chains in which the packet has no such thing, each with the reason. */
  readonly absent: Partial<Readonly<Record<BuiltinChain, string>>>;
  /** What must hold, as clauses that must all hold; empty if the option never restricts. */
  readonly clauses: (option: MatchOption, scope: Scope) => readonly Clause[];
  /** The same as one test of numbers; undefined for an option that is more than that. */
  readonly plain?: (option: MatchOption) => PlainTest | undefined;
  /** The least and the most of a count. */
  readonly bounds?: readonly [least: bigint, most: bigint];
  /** The words that it takes. */
  readonly choices?: readonly string[];
  /** The detail that it is about. */
  readonly detail?: Detail;
}

/** The options of a match as they stand together, or what is wrong with them. */
export type Settled =
  | { readonly options: readonly MatchOption[] }
  | {
      readonly message: string;
      readonly help?: string;
      /** The option that is wrong; the match if it is undefined. */
      readonly option?: string;
    };

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
  /** From the options given, in order: with what iptables says where they don't, without what it leaves out. */
  readonly settle?: (options: readonly MatchOption[]) => Settled;
  /** What it asks once all fields of its rule hold. */
  readonly asks?: (options: readonly MatchOption[], scope: Scope) => OpaqueTest;
}

/** The value of the option, if it is among those. */
export function givenValue<K extends ValueKind>(
  options: readonly MatchOption[],
  name: string,
  kind: K,
): ValueOf<K> | undefined {
  const value = options.find((option) => option.name === name)?.value;
  if (!value) return undefined;
  if (!isValueOf(value, kind))
    throw new TypeError(`--${name} takes a ${kind}, not a ${value.kind}`);
  return value;
}

/** The value of an option that the match can't do without. */
export function requireValue<K extends ValueKind>(
  options: readonly MatchOption[],
  name: string,
  kind: K,
): ValueOf<K> {
  const value = givenValue(options, name, kind);
  if (!value) throw new TypeError(`--${name} is missing`);
  return value;
}

export function isNegated(options: readonly MatchOption[], name: string): boolean {
  return options.some((option) => option.name === name && option.negated);
}

/** Describes an option that is part of what its match asks, and restricts nothing by itself. */
export function defineParameter(
  value: ValueKind,
  more: Pick<OptionDescriptor, 'bounds' | 'choices'> & { readonly negatable?: boolean } = {},
): OptionDescriptor {
  const { negatable = false, ...rest } = more;
  return { value, negatable, absent: {}, clauses: () => [], ...rest };
}

/** Describes an option whose value is of one kind, and what it means. */
export function defineOption<K extends ValueKind>(
  kind: K,
  clauses: (value: ValueOf<K>, negated: boolean, scope: Scope) => readonly Clause[],
  more: {
    negatable?: boolean;
    absent?: Partial<Record<BuiltinChain, string>>;
    /** What it asks where it is not negated, if it is one test of numbers. */
    plain?: (value: ValueOf<K>) => PlainTest | undefined;
  } = {},
): OptionDescriptor {
  const { plain } = more;
  return {
    value: kind,
    negatable: more.negatable ?? true,
    absent: more.absent ?? {},
    clauses: ({ name, negated, value }, scope) => {
      if (!isValueOf(value, kind))
        throw new TypeError(`--${name} takes a ${kind}, not a ${value.kind}`);
      return clauses(value, negated, scope);
    },
    ...(plain && {
      plain: ({ negated, value }) =>
        negated || !isValueOf(value, kind) ? undefined : plain(value),
    }),
  };
}

/** What an option asks whose value says from where to where. */
export const plainRange =
  (field: Field) =>
  ({ from, to }: { readonly from: number; readonly to: number }): PlainTest => ({
    field,
    family: undefined,
    from,
    to,
  });

/** Describes an option that wants a detail to be what its word says. */
export function defineDetail(
  detail: Detail,
  absent: OptionDescriptor['absent'] = {},
): OptionDescriptor {
  const row = describeDetail(detail);
  const option = defineOption(
    'detail',
    ({ word }, negated) => {
      const range = row.read(word);
      if (!range) throw new TypeError(`\`${word}\` is no ${detail}`);
      return [[{ field: detail, set: rangeSet([range]), negated }]];
    },
    { absent: { ...row.absent, ...absent } },
  );
  return { ...option, detail };
}
