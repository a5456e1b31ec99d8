/**
 * What a file's rules have said before. `-p tcp` and `--id 3` stand in thousands of rules: they are
 * read and checked once, and the rules share the objects. Only what is sound is kept.
 */
import type { MatchName, MatchOption } from '@sockfilter/table';
import type { LineForm } from './lineform.js';

/** By what the option is, then by its word. */
type OptionMemo = Map<object, Map<string, MatchOption>>;

/** Words that come this late are hardly of the kind that comes again. */
export const MOST_SHARED = 1024;

/** Good as long as names and groups are the same. */
export interface RuleMemo {
  readonly plain: OptionMemo;
  /** After a `!`. */
  readonly negated: OptionMemo;
  /** The options that each chain can have, by chain and match. */
  readonly fitting: Map<string, Map<MatchName, Set<MatchOption>>>;
  /** Lines that have been read, by their form. */
  readonly forms: Map<string, LineForm>;
  /** Other values in the place of an option of a form, by their word. */
  readonly filled: Map<MatchOption, Map<string, MatchOption>>;
}

export function ruleMemo(): RuleMemo {
  return {
    plain: new Map(),
    negated: new Map(),
    fitting: new Map(),
    forms: new Map(),
    filled: new Map(),
  };
}

/** The value at the key, made if there is none. */
export function entry<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  map.set(key, made);
  return made;
}
