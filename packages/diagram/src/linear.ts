/**
 * The rules of a built-in chain as one list in walking order, each with the packets that it matches: those of a called
 * chain stand behind the call, within its condition. What earlier rules decide is in no condition, only what has left
 * a called chain. So the first entry that matches and decides has the packet, in whatever order they are looked at.
 */
import type { Chain, Errno, Rewriting, Table } from '@sockfilter/table';
import { ConditionCompiler, HOLDS } from './condition.js';
import { type Extent, extentOf, narrower } from './extent.js';
import { LimitError } from './limit.js';
import { defineGuard, defineOperation, NONE, type Operation } from './operation.js';
import { type PlacedRule, placeRules } from './placedrule.js';
import type { PreparedConditions } from './preparedcondition.js';
import type { DiagramStore, Ref } from './store.js';
import { type Interpretation, interpretation, type Part } from './walk.js';

interface Matching {
  readonly counter: number;
  /** The number of the rule of the built-in chain that it is, or is called by. */
  readonly number: number;
  /** HOLDS for packets that it matches, else NONE. */
  readonly when: Ref;
  readonly extent: Extent;
}

/** A rule that decides with an errno, or one that only counts what no rule before it has decided. */
export interface Entry extends Matching {
  readonly does: 'count' | { readonly errno: Errno };
}

/** Or packets leave the chain in which the rule stands. */
interface Step extends Matching {
  readonly does: Entry['does'] | 'leave';
}

const isEntry = (step: Step): step is Entry => step.does !== 'leave';

export interface ListOptions {
  /** Where the conditions of entries are made. */
  readonly store: DiagramStore;
  readonly prepared: PreparedConditions;
  /** How many entries there may be: each has a number of 16 bits, and so has what follows them. */
  readonly most: number;
}

class Linear implements Interpretation<readonly Step[]> {
  readonly #table: Table;
  readonly #most: number;
  readonly #conditions: ConditionCompiler;
  readonly #guard: Operation;
  readonly #union: Operation;
  readonly #subtract: Operation;

  constructor(table: Table, { store, prepared, most }: ListOptions) {
    this.#most = most;
    this.#table = table;
    this.#guard = defineGuard(store);
    this.#union = defineOperation(store, (a, b) => {
      if (a === NONE || b === HOLDS) return b;
      return b === NONE || a === HOLDS ? a : undefined;
    });
    this.#subtract = defineOperation(store, (a, b) => {
      if (a === NONE || b === HOLDS) return NONE;
      return b === NONE ? a : undefined;
    });
    this.#conditions = new ConditionCompiler(
      store,
      { overlay: this.#union, guard: this.#guard },
      prepared,
    );
  }

  readonly next = (at: PlacedRule): readonly Step[] => [this.#step(at, 'count')];

  readonly decide = (at: PlacedRule, errno: Errno): readonly Step[] => [this.#step(at, { errno })];

  readonly leave = (at: PlacedRule): readonly Step[] => {
    const own = this.#step(at, 'count');
    return [own, { ...own, does: 'leave' }];
  };

  readonly call = (at: PlacedRule, inside: () => readonly Step[], comesBack: boolean) => {
    const own = this.#step(at, 'count');
    const called = inside().map((step) => ({
      ...step,
      number: at.number,
      when: this.#guard(own.when, step.when),
      extent: narrower(own.extent, step.extent),
    }));
    const left: readonly Step[] = comesBack ? [] : [{ ...own, does: 'leave' }];
    return [own, ...called, ...left];
  };

  readonly join = ({ name }: Chain, parts: Iterable<Part<readonly Step[]>>): readonly Entry[] => {
    const entries: Entry[] = [];
    const push = (entry: Entry) => {
      if (entries.push(entry) > this.#most)
        throw new LimitError('entries', this.#most, { span: { chain: name } });
    };
    let left = NONE;
    for (const { meaning } of parts)
      for (const step of meaning) {
        const when = this.#subtract(step.when, left);
        if (isEntry(step)) push({ ...step, when });
        else left = this.#union(left, when);
      }
    return entries;
  };

  readonly rewritings = (): readonly Rewriting[] => [];

  readonly divert = (): never => {
    throw new TypeError('a table that rewrites calls is no list of rules');
  };

  #step(at: PlacedRule, does: Step['does']): Step {
    const { counter, number, rule } = at;
    const when = this.#conditions.compileFields(at, this.#table, HOLDS);
    return { counter, number, when, extent: extentOf(rule, this.#table), does };
  }
}

/** The entries of a chain of a table that rewrites nothing and asks no opaque tests there. Throws LimitError. */
export function listEntries(table: Table, chain: Chain, options: ListOptions): readonly Entry[] {
  const placed = placeRules(table);
  const entriesOf = interpretation(table, new Linear(table, options), {
    rulesOf: (each) => placed.get(each) ?? [],
    remembers: true,
    rewritesAny: false,
    mostRewritings: 0,
    asksSets: true,
  });
  return entriesOf(chain).filter(isEntry);
}
