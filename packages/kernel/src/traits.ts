/**
 * What a generation's header says of its table, so that a command need not read the text: of a table that a release
 * without them has put in force, nothing.
 *
 *     bit n    the n-th of CONDITIONAL_HOOKS has work
 *     bit 29   parts can be compiled alone
 *     bit 30   the text is as this release prints it
 *     bit 31   there are traits
 */
import { hasTarget, rewritingOf, type Table, UNCHANGED } from '@sockfilter/table';
import { ANSWER_HOOKS, CALL_HOOKS, type Hook, isNeeded } from './hooks.js';

export interface Traits {
  /** What some calls come to can be compiled alone: see splicednodes.ts. */
  readonly hasParts: boolean;
  /** The text is as the release prints it whose programs walk the table. */
  readonly isPrinted: boolean;
  /** The names of the hooks that the table has work for, beside those that are always needed. */
  readonly hooks: ReadonlySet<string>;
}

/** Hooks that some tables have no work for. */
export const CONDITIONAL_HOOKS: readonly Hook[] = [...CALL_HOOKS, ...ANSWER_HOOKS].filter(
  ({ needed }) => needed !== 'always',
);

const BITS = { hasParts: 1 << 29, isPrinted: 1 << 30, isKnown: 1 << 31 } as const;

/** What is to be said of the table, beside what only who compiles and prints it knows. */
export function traitsOf(
  table: Table,
  { isPrinted, hasParts }: Omit<Traits, 'hooks'> = { isPrinted: false, hasParts: false },
): Traits {
  const needed = CONDITIONAL_HOOKS.filter((hook) => isNeeded(hook, table));
  const hooks = new Set(needed.map(({ name }) => name));
  return { isPrinted, hasParts: hasParts && !rewritesAny(table), hooks };
}

/** Whether some rule rewrites calls. */
export function rewritesAny(table: Table): boolean {
  return hasTarget(table, (target) => rewritingOf(target) !== UNCHANGED);
}

export function encodeTraits({ hasParts, isPrinted, hooks }: Traits): number {
  const bits = CONDITIONAL_HOOKS.reduce(
    (set, { name }, n) => set | (Number(hooks.has(name)) << n),
    0,
  );
  return (
    (bits | BITS.isKnown | (hasParts ? BITS.hasParts : 0) | (isPrinted ? BITS.isPrinted : 0)) >>> 0
  );
}

/** Undefined where nothing is known. */
export function decodeTraits(traits: number): Traits | undefined {
  if ((traits & BITS.isKnown) === 0) return undefined;
  const needed = CONDITIONAL_HOOKS.filter((_, n) => (traits & (1 << n)) !== 0);
  return {
    hasParts: (traits & BITS.hasParts) !== 0,
    isPrinted: (traits & BITS.isPrinted) !== 0,
    hooks: new Set(needed.map(({ name }) => name)),
  };
}
