/**
 * Tables whose deciders are too much for one diagram, in slices.
 *
 * Rules that cross make one diagram of which of them decides explode; what becomes of calls, an errno for each, stays
 * small, and so does which rule decides among a few that follow each other. So the rules of the built-in chains are
 * cut into slices. Each has a diagram of its deciders, for the calls that no slice before decides; these meet no call
 * twice, so that together they say what the one would. And each knows what becomes of its calls behind it, which
 * tells whether a rule of it changes anything.
 */
import {
  BUILTIN_CHAINS,
  builtinChain,
  type Chain,
  calledChain,
  type Errno,
  isBuiltinChain,
  references,
  type Table,
} from '@sockfilter/table';
import { build } from '../built.js';
import { LimitError, type Limits } from '../limit.js';
import { absorbs, defineOperation, type Operation } from '../operation.js';
import { leavesEarly, type PlacedRule, type RulesOf, rulesOf } from '../placedrule.js';
import { isTerminal, type Ref } from '../store.js';
import type { FreeTests } from './freetests.js';
import { IN, markOf, markRef, OUT, type SetStore } from './setstore.js';

/** So many rules are tried as one slice. */
const MOST_RULES = 512;

/**
 * Some rules that follow each other, with all of the chains that they call; or some of a chain that one rule calls,
 * with that rule.
 */
export interface Slice {
  readonly rulesOf: RulesOf;
  /** The rules of which it has not all that they call, by counter. */
  readonly callers: ReadonlySet<number>;
  /** Whether it has some rules of the chain at most: of built-in chains, and those that such rules call. */
  readonly cuts: (chain: Chain) => boolean;
  /** The calls that come to it and that some rule of it may match, also those that can't happen. */
  readonly open: Ref;
  /** Marked with the counter that decides each of these, and others. */
  readonly deciders: Ref;
  /** Marked with the errno that each call of a set has if no rule of the slice decides it, and with any of others. */
  readonly after: (set: Ref) => Ref;
}

/** Of calls that some rule may match and none decides. */
const MET = IN;

/** A slice, or two halves, with what they say of all calls, whatever is before. */
interface Part {
  /** Marked with the errno of calls that its rules decide; MET, or OUT for those that none of them may match. */
  readonly fates: Ref;
  readonly content: Omit<Slice, 'open' | 'after'> | readonly [Part, Part];
}

/** A rule, and the calls by which its chain is come to if that is cut. */
interface Item {
  readonly at: PlacedRule;
  readonly callers: readonly PlacedRule[];
}

interface SliceOptions {
  readonly tests: FreeTests;
  /** What the diagram of a slice may cost. */
  readonly limits: Limits;
  /** The errno of the rule or policy, by counter. */
  readonly errnoOf: (counter: number) => Errno;
  /** Marked with the policy that decides each call which no rule decides. */
  readonly policies: Ref;
}

/** The table's rules in slices; it must not rewrite calls. */
export class SlicedTable {
  /** Marked with the errno of each possible call. */
  readonly errnos: Ref;
  readonly #store: SetStore;
  readonly #table: Table;
  readonly #options: SliceOptions;
  readonly #all: RulesOf;
  readonly #whole: Part;
  /** Marked with the errno of each chain's policy. */
  readonly #policies: Ref;
  /** The set where the fates are not OUT. */
  readonly #within: Operation;
  /** The set where the fates are no errno. */
  readonly #without: Operation;
  /** The fates of calls that go through the first and then the second. */
  readonly #follow: Operation;
  #slices: readonly Slice[] | undefined;

  constructor(store: SetStore, table: Table, options: SliceOptions) {
    this.#store = store;
    this.#table = table;
    this.#options = options;
    this.#all = rulesOf(table);
    const { diagrams } = store;
    const isOut = absorbs(OUT);
    const isErrno = (ref: Ref) => isTerminal(ref) && ref !== OUT && ref !== MET;
    this.#within = defineOperation(diagrams, (a, b) => (isTerminal(b) ? a : undefined), {
      first: isOut,
      second: isOut,
    });
    this.#without = defineOperation(diagrams, (a, b) => (isTerminal(b) ? a : undefined), {
      first: isOut,
      second: (b) => (isErrno(b) ? OUT : undefined),
    });
    this.#follow = defineOperation(
      diagrams,
      (a, b) => {
        if (a === OUT || b === OUT) return a === OUT ? b : a;
        return isTerminal(a) && isTerminal(b) ? b : undefined;
      },
      { first: (a) => (isErrno(a) ? a : undefined) },
    );
    const rules = BUILTIN_CHAINS.flatMap((name) => this.#all(builtinChain(table, name)));
    this.#whole = this.#halves(rules.map((at) => ({ at, callers: [] })));
    this.#policies = this.#errnos(options.policies);
    const decide = defineOperation(
      diagrams,
      (a, b) => {
        if (!isTerminal(a) || !isTerminal(b)) return undefined;
        return isErrno(b) ? b : a;
      },
      { first: isOut },
    );
    this.errnos = decide(store.guard(store.possible, this.#policies), this.#whole.fates);
  }

  /** The slices, and as the last one the policies. */
  get slices(): readonly Slice[] {
    this.#slices ??= this.#cut();
    return this.#slices;
  }

  #cut(): readonly Slice[] {
    const slices: Slice[] = [];
    this.#visit(this.#whole, [], [], slices);
    const rest = this.#without(IN, this.#whole.fates);
    const { policies: deciders } = this.#options;
    const none = { rulesOf: () => [], callers: new Set<number>(), cuts: () => false };
    return [...slices, { ...none, open: rest, deciders, after: () => this.#policies }];
  }

  /** What comes before and behind stands there in the order in which it is the nearest. */
  #visit(
    { fates, content }: Part,
    before: readonly Ref[],
    behind: readonly Ref[],
    slices: Slice[],
  ): void {
    if ('length' in content) {
      const [first, second] = content;
      this.#visit(first, before, [second.fates, ...behind], slices);
      this.#visit(second, [first.fates, ...before], behind, slices);
      return;
    }
    const { guard } = this.#store;
    const open = before.reduce(this.#without, this.#within(IN, fates));
    const after = (set: Ref) =>
      behind.reduceRight(
        (then, each) => this.#follow(guard(set, each), then),
        guard(set, this.#policies),
      );
    slices.push({ ...content, open, after });
  }

  #errnos(deciders: Ref): Ref {
    return this.#store.replace(deciders, (terminal) =>
      terminal === OUT ? OUT : markRef(this.#options.errnoOf(markOf(terminal))),
    );
  }

  #part(items: readonly Item[]): Part {
    if (items.length > MOST_RULES) return this.#halves(items);
    const [first, second] = items;
    const inside = first && !second ? this.#inside(first) : items;
    try {
      return this.#slice(items, inside ? this.#options.limits : this.#store.limits);
    } catch (error) {
      if (!(error instanceof LimitError) || !inside) throw error;
      return this.#halves(inside);
    }
  }

  #halves(items: readonly Item[]): Part {
    if (items.length <= 1) return this.#part(items);
    const middle = items.length >> 1;
    const first = this.#part(items.slice(0, middle));
    const second = this.#part(items.slice(middle));
    return { fates: this.#follow(first.fates, second.fates), content: [first, second] };
  }

  /** The rules of the chain that the rule calls, if none else calls it and its packets leave it at the end alone. */
  #inside({ at, callers }: Item): readonly Item[] | undefined {
    const { step } = at;
    if (step.kind !== 'call' || references(this.#table, step.chain) > 1) return undefined;
    const chain = this.#table.chains.find(({ name }) => name === step.chain);
    const rules = chain ? this.#all(chain) : [];
    if (rules.length === 0 || rules.some(leavesEarly)) return undefined;
    const last = [...callers, at];
    // What no rule of a part decides goes on in the next one, wherever it goes at the end.
    const others = last.map((call) => ({
      ...call,
      step: { ...step, ...call.step, comesBack: true },
    }));
    return rules.map((rule, n) => ({ at: rule, callers: n + 1 < rules.length ? others : last }));
  }

  #slice(items: readonly Item[], limits: Limits): Part {
    const { tests } = this.#options;
    const store = this.#store;
    const calls = new Map(
      items.flatMap(({ callers }) => callers.map((call) => [call.counter, call])),
    );
    const rules = [...calls.values(), ...items.map(({ at }) => at)];
    const called = new Set([...calls.values()].map(({ rule }) => calledChain(rule.target)));
    const cuts = ({ name }: Chain) => isBuiltinChain(name) || called.has(name);
    const rulesOf: RulesOf = (chain) =>
      cuts(chain) ? rules.filter((at) => at.chain === chain) : this.#all(chain);
    const recording = { verdicts: true, counts: () => false, asksSets: false, rulesOf };
    const { compiler, root } = build(this.#table, recording, limits, store.prepared);
    const known = new Map<Ref, Ref>();
    const deciders = store.diagrams.copyOne(compiler.store, root, (terminal) =>
      tests.verdicts(compiler.outcomes, terminal, ({ decider }) => markRef(decider), known),
    );
    const met = store.overlayAll(
      rules
        .filter(({ chain, step }) => isBuiltinChain(chain.name) && step.kind !== 'decide')
        .map(({ chain, rule }) =>
          store.guard(
            store.chain(chain.name),
            store.conditions.compileRule({ rule }, this.#table, MET),
          ),
        ),
    );
    const fates = this.#follow(this.#errnos(deciders), met);
    return { fates, content: { rulesOf, callers: new Set(calls.keys()), cuts, deciders } };
  }
}
