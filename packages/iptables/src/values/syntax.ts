/** How values of one kind are written. */
import type { Names, Parsed, Word } from '@sockfilter/language';
import {
  type Group,
  isValueOf,
  type NamedSet,
  type OptionDescriptor,
  type Value,
  type ValueKind,
  type ValueOf,
} from '@sockfilter/table';
import type { RuleMemo } from '../rulememo.js';

/** What the meaning of a rule's words depends on beside the words. */
export interface RuleContext {
  readonly names: Names;
  /** Declared groups, whose names `--id` may use. */
  readonly groups: readonly Group[];
  /** The sets that there are; undefined while that is not known. */
  readonly sets?: readonly NamedSet[];
  /** What has been read with the same names and groups; without it nothing is shared. */
  readonly memo?: RuleMemo;
}

/** What the option says of its values, where their kind leaves it to the option. */
export interface ValueRules {
  /** Whose names it takes. */
  readonly lookup?: keyof Names | undefined;
  readonly bounds?: OptionDescriptor['bounds'];
  readonly choices?: OptionDescriptor['choices'];
  readonly detail?: OptionDescriptor['detail'];
}

export interface ValueSyntax {
  /** How many words the value is made of. */
  readonly words: number;
  /** The word may begin with a dash. */
  readonly verbatim: boolean;
  readonly parse: (
    words: readonly Word[],
    context: RuleContext,
    rules?: ValueRules,
  ) => Parsed<Value>;
  /** Canonical text, each word quoted as in a save file. */
  readonly print: (value: Value) => string;
}

/** Describes values of one word, unless `words` says otherwise. */
export function defineValue<K extends ValueKind>(
  kind: K,
  syntax: {
    readonly words?: number;
    readonly verbatim?: boolean;
    readonly parse: (
      word: Word,
      context: RuleContext,
      more: ValueRules & { readonly rest: readonly Word[] },
    ) => Parsed<ValueOf<K>>;
    readonly print: (value: ValueOf<K>) => string;
  },
): ValueSyntax {
  return {
    words: syntax.words ?? 1,
    verbatim: syntax.verbatim ?? false,
    parse: ([word, ...rest], context, rules) => {
      if (!word) throw new TypeError(`a ${kind} takes words`);
      return syntax.parse(word, context, { ...rules, rest });
    },
    print: (value) => {
      if (!isValueOf(value, kind)) throw new TypeError(`expected a ${kind}, not a ${value.kind}`);
      return syntax.print(value);
    },
  };
}
