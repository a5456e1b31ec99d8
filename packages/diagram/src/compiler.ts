/**
 * Tables to diagrams, one recording at a time.
 *
 * A rule's diagram has NONE where it does not match. Rules are laid over each other, the first wins. The
 * diagram of a chain has outcomes that go on or are over only: leaving a chain early and at its end
 * is the same to whoever called it.
 */
import {
  BUILTIN_CHAINS,
  type BuiltinChain,
  builtinChain,
  type Chain,
  chainNumber,
  type EffectKind,
  type Errno,
  effectsOf,
  elementAt,
  firstCounters,
  firstTests,
  isBuiltinChain,
  isFree,
  type PlacedTest,
  placedTests,
  policyErrno,
  type Reporters,
  type Rewriting,
  reporters,
  seenBy,
  type Table,
  UNCHANGED,
  wholeRewriting,
} from '@sockfilter/table';
import { ConditionCompiler, HOLDS } from './condition.js';
import { isLink, type Link } from './intervalpath.js';
import { blame, type Limits, type RuleSpan } from './limit.js';
import { defineGuard, defineOperation, NONE, type Operation } from './operation.js';
import { decided, OutcomeTable, type PartialOutcome } from './outcome.js';
import { overlayAll } from './overlay.js';
import { firstPiece } from './piece.js';
import { leavesEarly, type PlacedRule, rulesOf } from './placedrule.js';
import type { PreparedConditions } from './preparedcondition.js';
import type { Recording } from './record.js';
import { RewrittenRules } from './rewrittenrules.js';
import { DiagramStore, isTerminal, type Ref } from './store.js';
import { type Interpretation, interpretation, type Part, rewrites } from './walk.js';

const NOTHING: PartialOutcome = {
  onward: 'next',
  verdict: undefined,
  counted: [],
  ask: undefined,
  becomes: undefined,
};
const OVER: PartialOutcome = { ...NOTHING, onward: 'over' };

/** The terminal of packets of which another diagram says all. */
const ELSEWHERE = HOLDS;

const CHAIN_PIECE = firstPiece('chain');

export class TableCompiler implements Interpretation<Ref> {
  readonly store: DiagramStore;
  readonly outcomes: OutcomeTable;
  readonly reporters: Reporters;
  readonly #table: Table;
  readonly #recording: Recording;
  readonly #firstCounters: ReadonlyMap<Chain, number>;
  readonly #chainDiagram: (chain: Chain) => Ref;
  readonly #overlay: Operation;
  readonly #rewrites: boolean;
  readonly #followers = new Map<Rewriting, Operation>();
  readonly #guard: Operation;
  readonly #conditions: ConditionCompiler;
  /** Built-in chains whose diagram has the policy in it. */
  readonly #decidedChains = new Set<Chain>();
  readonly #tests: readonly PlacedTest[];
  readonly #firstTests: ReadonlyMap<number, number>;

  constructor(
    table: Table,
    recording: Recording,
    { limits, prepared }: { limits: Limits; prepared: PreparedConditions },
  ) {
    this.#table = table;
    this.#rewrites = rewrites(table);
    this.#recording = recording;
    this.reporters = reporters(table);
    this.#firstCounters = firstCounters(table);
    this.store = new DiagramStore(limits);
    this.outcomes = new OutcomeTable(limits);
    this.outcomes.intern(NOTHING);
    this.outcomes.intern(OVER);
    this.#overlay = defineOperation(this.store, (a, b) => this.#firstWins(a, b));
    this.#guard = defineGuard(this.store);
    this.#conditions = new ConditionCompiler(
      this.store,
      { overlay: this.#overlay, guard: this.#guard },
      prepared,
    );
    this.#tests = placedTests(table);
    this.#firstTests = firstTests(this.#tests);
    const { rewritings: mostRewritings } = limits;
    this.#chainDiagram = interpretation(table, this, {
      rulesOf: recording.rulesOf ?? rulesOf(table),
      remembers: true,
      rewritesAny: this.#rewrites,
      mostRewritings,
      asksSets: recording.asksSets,
      rewritten: new RewrittenRules(table),
    });
  }

  /** The diagram of the whole table. */
  compile(): Ref {
    const { chains } = this.#recording;
    const targets = BUILTIN_CHAINS.map((name) =>
      chains === undefined || chains.has(name) ? this.#builtinDiagram(name) : ELSEWHERE,
    );
    const row = this.store.row(CHAIN_PIECE);
    for (const [value, target] of targets.entries()) row.push(value, target);
    return this.store.intern(CHAIN_PIECE);
  }

  readonly next = (at: PlacedRule): Ref => {
    const counted = this.#recorded(at);
    const becomes = at.becomes === at.as ? undefined : at.becomes;
    if (counted.length === 0 && !becomes) return NONE;
    return this.#where(at, this.outcomes.intern({ ...NOTHING, counted, becomes }));
  };

  readonly decide = (at: PlacedRule, errno: Errno): Ref =>
    this.#where(at, this.#decided(errno, at.counter, at.as));

  readonly leave = (at: PlacedRule): Ref => {
    const counted = this.#recorded(at);
    return this.#where(at, this.outcomes.intern({ ...NOTHING, onward: 'leave', counted }));
  };

  readonly call = (at: PlacedRule, inside: () => Ref, comesBack: boolean): Ref =>
    blame(spanOf(at), () => {
      const called = this.#called(inside(), comesBack, this.#recorded(at));
      if (called === NONE) return NONE;
      if (isTerminal(called)) return this.#where(at, called);
      return this.#guard(this.#condition(at, HOLDS), this.#asked(at, called));
    });

  /** A built-in chain's diagram is for packets of that chain alone. */
  readonly join = (chain: Chain, parts: Iterable<Part<Ref>>): Ref =>
    this.#conditions.paths.during(() => this.#joined(chain, parts));

  #joined(chain: Chain, parts: Iterable<Part<Ref>>): Ref {
    const value = isBuiltinChain(chain.name) ? chainNumber(chain.name) : undefined;
    const diagrams: (Ref | Link)[] = [];
    const numbers: number[] = [];
    let leaves = false;
    for (const { at, meaning } of parts) {
      leaves ||= this.#rewrites || leavesEarly(at);
      const diagram = value === undefined ? meaning : this.#withChain(meaning, value);
      if (diagram === NONE) continue;
      diagrams.push(diagram);
      numbers.push(at.number);
    }
    const below = leaves ? NONE : this.#laidBelow(chain);
    if (below !== NONE) this.#decidedChains.add(chain);
    const all = overlayAll(this.store, diagrams, {
      pair: this.#overlay,
      isOver: (terminal) => !this.outcomes.isOpen(terminal),
      during: (from, to, work) => {
        const rules = [elementAt(numbers, from), elementAt(numbers, to)] as const;
        return blame({ chain: chain.name, rules }, work);
      },
      paths: this.#conditions.paths,
      below,
    });
    if (!leaves) return all;
    return this.#mapEnds(all, (outcome) =>
      outcome.onward === 'leave' ? this.#returned(chain, outcome) : outcome,
    );
  }

  readonly rewritings = (diagram: Ref): ReadonlySet<Rewriting> => {
    if (!this.#rewrites) return new Set();
    return this.outcomes.rewritings([...this.store.reachable(diagram)].filter(isTerminal));
  };

  readonly divert = (first: Ref, rewriting: Rewriting, rest: () => Ref): Ref => {
    const then = this.#mapEnds(rest(), (end) =>
      end.onward === 'over' ? end : { ...end, onward: 'leave', becomes: end.becomes ?? rewriting },
    );
    return this.#follow(first, rewriting, then);
  };

  /** What of the first goes on rewritten so is followed by the second. */
  #follow(first: Ref, rewriting: Rewriting, second: Ref): Ref {
    const follow =
      this.#followers.get(rewriting) ??
      defineOperation(this.store, (a, b) => {
        if (a === NONE) return NONE;
        if (!isTerminal(a)) return undefined;
        if (!this.outcomes.isOpen(a)) return a;
        return isTerminal(b) ? this.outcomes.join(a, b, rewriting) : undefined;
      });
    this.#followers.set(rewriting, follow);
    return follow(first, second);
  }

  /** What has the calls that all rules of the chain let go on, where it is known before these are laid over each other. */
  #laidBelow(chain: Chain): Ref {
    const { verdicts, rulesOf } = this.#recording;
    const isLast = isBuiltinChain(chain.name) && verdicts && !rulesOf && !this.#rewrites;
    return isLast ? this.outcomes.intern(this.#policy(chain, UNCHANGED)) : NONE;
  }

  #firstWins(a: Ref, b: Ref): Ref | undefined {
    if (a === NONE) return b;
    if (b === NONE) return a;
    if (!isTerminal(a)) return undefined;
    if (!this.outcomes.isOpen(a)) return a;
    return isTerminal(b) ? this.outcomes.join(a, b) : undefined;
  }

  #builtinDiagram(name: BuiltinChain): Ref {
    const chain = builtinChain(this.#table, name);
    const open = this.#chainDiagram(chain);
    if (!this.#recording.verdicts || this.#recording.rulesOf) return open;
    if (this.#decidedChains.has(chain)) return open;
    return blame({ chain: name }, () =>
      this.#mapEnds(open, (end) => {
        if (end.onward !== 'next') return end;
        const decided = this.#policy(chain, end.becomes ?? UNCHANGED);
        return { ...decided, counted: [...end.counted, ...decided.counted] };
      }),
    );
  }

  #withChain(diagram: Ref | Link, value: number): Ref | Link {
    if (isLink(diagram)) return this.#conditions.paths.follow(diagram, CHAIN_PIECE, value);
    return this.store.pieceOf(diagram) === CHAIN_PIECE
      ? this.store.follow(diagram, value)
      : diagram;
  }

  /** The diagram that is the terminal `hit` where the rule matches, or the path to it. */
  #where(at: PlacedRule, hit: Ref): Ref | Link {
    const asked = this.#asked(at, hit);
    return this.#path(at, asked) ?? this.#condition(at, asked);
  }

  #path(at: PlacedRule, hit: Ref): Ref | Link | undefined {
    // What rewrites is looked into before it is laid over others.
    if (this.#rewrites) return undefined;
    return this.#recording.asksSets
      ? this.#conditions.fieldsPath(at, this.#table, hit)
      : this.#conditions.rulePath(at, this.#table, hit);
  }

  /** The diagram that is the terminal `hit` where the fields of the rule hold. */
  #condition(at: PlacedRule, hit: Ref): Ref {
    if (hit === NONE) return NONE;
    return blame(spanOf(at), () =>
      this.#recording.asksSets
        ? this.#conditions.compileFields(at, this.#table, hit)
        : this.#conditions.compileRule(at, this.#table, hit),
    );
  }

  /**
   * The diagram behind the opaque tests of the rule. One that only counts asks nothing: whatever follows an
   * answer is in the diagram of the verdicts.
   */
  #asked({ counter, as }: PlacedRule, diagram: Ref): Ref {
    const from = this.#firstTests.get(counter);
    if (from === undefined) return diagram;
    const asked: number[] = [];
    for (let n = from; this.#tests[n]?.counter === counter; n++)
      if (this.#recording.asksSets || isFree(elementAt(this.#tests, n).test)) asked.push(n);
    if (asked.length === 0) return diagram;
    if (!this.#recording.verdicts) return NONE;
    return this.store.copyOne(this.store, diagram, (terminal) => {
      return asked.reduceRight((holds, test) => {
        const seen = wholeRewriting(seenBy(elementAt(this.#tests, test).test, as));
        return this.outcomes.ask({ test, as: seen, holds, fails: NONE });
      }, terminal);
    });
  }

  /** The counters that the diagram records of a rule that does not decide. */
  #recorded({ rule, counter }: PlacedRule): readonly number[] {
    // What is reported follows from what is counted: see reportsOf().
    const recorded: Readonly<Record<EffectKind, readonly number[]>> = {
      count: this.#recording.counts(counter) ? [counter] : [],
      log: [],
      audit: [],
      trace: [],
      // The walk says how packets stand that a rule rewrites.
      rewrite: [],
    };
    return effectsOf(rule.target).flatMap(({ kind }) => recorded[kind]);
  }

  /** The diagram of a chain as the rule that calls it sees it. */
  #called(diagram: Ref, comesBack: boolean, counted: readonly number[]): Ref {
    if (comesBack && counted.length === 0) return diagram;
    const called = comesBack
      ? diagram
      : this.#mapEnds(diagram, (outcome) =>
          outcome.onward === 'next' ? { ...outcome, onward: 'leave' } : outcome,
        );
    return this.store.copyOne(this.store, called, (terminal) =>
      this.outcomes.counting(counted, terminal),
    );
  }

  #mapEnds(diagram: Ref, change: (end: PartialOutcome) => PartialOutcome): Ref {
    const known = new Map<Ref, Ref>();
    return this.store.copyOne(this.store, diagram, (terminal) =>
      this.outcomes.map(terminal, change, known),
    );
  }

  #decided(errno: Errno, decider: number, as: Rewriting): Ref {
    if (!this.#recording.verdicts) return HOLDS;
    if (as === UNCHANGED) return this.outcomes.verdict(errno, decider);
    return this.outcomes.intern(verdictOn(errno, decider, as));
  }

  #policy(chain: Chain, as: Rewriting): PartialOutcome {
    const policy = (this.#firstCounters.get(chain) ?? 0) + chain.rules.length;
    return verdictOn(policyErrno(chain.policy), policy, as);
  }

  /** What leaves the chain early goes on behind its call; of some rules, the policy of a built-in chain has it at once. */
  #returned(chain: Chain, left: PartialOutcome): PartialOutcome {
    if (!this.#recording.rulesOf || !isBuiltinChain(chain.name)) return { ...left, onward: 'next' };
    const policy = this.#policy(chain, UNCHANGED);
    return { ...policy, counted: [...left.counted, ...policy.counted] };
  }
}

/** The verdict on calls that have been rewritten so; one that fails is as it was. */
const verdictOn = (errno: Errno, decider: number, as: Rewriting): PartialOutcome =>
  decided(errno, decider, errno === 0 ? wholeRewriting(as) : UNCHANGED);

function spanOf({ chain, number }: PlacedRule): RuleSpan {
  return { chain: chain.name, rules: [number, number] };
}
