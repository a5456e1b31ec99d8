/** The walk of one call through the rules, with the reason why each did not match. */
import {
  type Answers,
  everyWay,
  interpretation,
  MOST_WAYS,
  type PlacedRule,
  placeRules,
  RuleIndex,
  rewrites,
  type Way,
} from '@sockfilter/diagram';
import {
  type Assume,
  assumeFor,
  builtinChain,
  type Chain,
  type Clause,
  type CounterOwner,
  type Errno,
  elementAt,
  type Field,
  fieldValue,
  firstTests,
  holds,
  leadsElsewhere,
  type Packet,
  type PlacedTest,
  placedTests,
  policyErrno,
  type Rewriting,
  type Rule,
  rewrite,
  rewritingOf,
  ruleCondition,
  type Table,
  UNCHANGED,
} from '@sockfilter/table';

export interface TraceStep {
  /** The rule, or the policy when its `rule` is undefined. */
  readonly owner: CounterOwner;
  /** How many calls deep its chain is. */
  readonly depth: number;
  /** The fields that failed, each once; empty when all hold. */
  readonly failed: readonly Field[];
  /** Whether the rule matched: its fields hold, and what it asks beside them. */
  readonly matched: boolean;
}

export interface Deciding {
  readonly errno: Errno;
  /** The rule or policy whose verdict it is. */
  readonly decider: CounterOwner;
  /** How the call is rewritten with which it goes on; one that fails is as it was. */
  readonly rewriting: Rewriting;
}

export interface Trace extends Deciding {
  /** Rules in the order in which they were asked; the decider is the last. */
  readonly steps: readonly TraceStep[];
}

/** A verdict, and what the call was counted by on its way there. */
export interface Counted extends Deciding {
  /** In walking order; the decider is the last. */
  readonly counted: readonly CounterOwner[];
}

/** A verdict, and what opaque tests said that led there. */
export interface Fate extends Deciding {
  /** The rules that asked tests which could have said either, and whether these held. */
  readonly asked: readonly { readonly owner: CounterOwner; readonly held: boolean }[];
}

export interface TraceOptions {
  /** As if the rule were not there. */
  readonly without?: Rule | undefined;
  /** What opaque tests are taken to say. */
  readonly assume?: Assume | undefined;
}

/**
 * What has become of the call: it is decided, or it goes on or leaves the chain; rewritten so, unless it is as it
 * came.
 */
type Walked =
  | Deciding
  | { readonly onward: 'next' | 'leave'; readonly becomes: Rewriting | undefined };

const NEXT: Walked = { onward: 'next', becomes: undefined };
const LEAVE: Walked = { onward: 'leave', becomes: undefined };

const onwardOf = (walked: Walked) => ('onward' in walked ? walked.onward : undefined);

const becomesOf = (walked: Walked) => ('onward' in walked ? walked.becomes : undefined);

function deciding(errno: Errno, decider: CounterOwner, as: Rewriting): Deciding {
  return { errno, decider, rewriting: errno === 0 ? as : UNCHANGED };
}

/** Walks single calls through a table; what that needs is made when it is first needed. */
export class Tracer {
  readonly #table: Table;
  readonly #placed: ReadonlyMap<Chain, readonly PlacedRule[]>;
  readonly #rewrites: boolean;
  readonly #tests: readonly PlacedTest[];
  readonly #firstTests: ReadonlyMap<number, number>;
  readonly #drawn = new Map<number, PlacedRule>();
  readonly #owners: ReadonlyMap<number, PlacedRule>;
  readonly #conditions = new Map<Rule, readonly Clause[]>();
  readonly #indexes = new Map<Chain, RuleIndex>();
  /** Whether rules give calls other destinations. */
  readonly #isLed: boolean;

  /** @param table a valid one */
  constructor(table: Table) {
    this.#table = table;
    this.#placed = placeRules(table);
    this.#rewrites = rewrites(table);
    this.#owners = new Map([...this.#placed.values()].flat().map((at) => [at.counter, at]));
    this.#tests = placedTests(table);
    this.#isLed = table.chains.some(({ rules }) =>
      rules.some(({ target }) => leadsElsewhere(rewritingOf(target))),
    );
    this.#firstTests = firstTests(this.#tests);
  }

  /** Every rule that is asked, with the reason why it does not match; tests that may hold do. */
  trace(packet: Packet, { assume }: TraceOptions = {}): Trace {
    const known = this.#known(assume);
    return this.#trace(packet, (n, here) => known(n, here) ?? true);
  }

  /** Every way that the call may have gone by what the tests may have said then: what sets hold may have changed. */
  ways(packet: Packet, assume: Assume): readonly Trace[] {
    const known = (n: number) => {
      const placed = this.#tests[n];
      return placed && assume(placed.test);
    };
    return everyWay((answers) => this.#trace(packet, answers), known).map(({ result }) => result);
  }

  #trace(packet: Packet, answers: Answers): Trace {
    const steps: TraceStep[] = [];
    const ask = (owner: PlacedRule, depth: number) => {
      const here = rewrite(packet, owner.as);
      const failed = this.#failedFields(owner.rule, here);
      const holds = failed.length === 0 && this.#testsHold(owner, here, answers);
      const matched = holds && this.#isDrawn(owner, here, answers);
      // A rule that has several destinations is asked for each that is told apart, and told once.
      if (matched || (!holds && (owner.way?.isLast ?? true)))
        steps.push({ owner, depth, failed, matched });
      return matched;
    };
    const decided = this.#decide(packet, (chain) => this.#rulesOf(chain), ask);
    const { decider } = decided;
    if (!decider.rule) steps.push({ owner: decider, depth: 0, failed: [], matched: true });
    return { ...decided, steps };
  }

  /** The verdict and whose it is; of several that opaque tests can lead to, one that is wanted, else the first. */
  decide(packet: Packet, options: TraceOptions = {}, wanted?: (errno: Errno) => boolean): Deciding {
    const fates = this.fates(packet, options);
    return (wanted && fates.find(({ errno }) => wanted(errno))) ?? elementAt(fates, 0);
  }

  /** Every verdict that opaque tests can lead to, and what they say then. */
  fates(packet: Packet, { without, assume }: TraceOptions = {}): readonly Fate[] {
    const walk = (answers: Answers) => {
      const ask = (at: PlacedRule) => at.rule !== without && this.#matches(at, packet, answers);
      return this.#decide(packet, this.#rulesFor(packet), ask);
    };
    return everyWay(walk, this.#known(assume)).map(({ said, result }) => {
      const asked = new Map<number, boolean>();
      for (const [n, holds] of said) {
        const counter = this.#counterOf(n);
        asked.set(counter, (asked.get(counter) ?? true) && holds);
      }
      return {
        ...result,
        asked: [...asked].map(([counter, held]) => ({ owner: this.#ownerOf(counter), held })),
      };
    });
  }

  /**
   * Every way that the call can go, and what opaque tests say on it, by their numbers. For one call: a table without
   * tests is walked as it stands, as an index of its rules costs more than a walk.
   */
  countedWays(packet: Packet, { assume }: TraceOptions = {}): readonly Way<Counted>[] {
    const rulesOf =
      this.#tests.length === 0 ? (chain: Chain) => this.#rulesOf(chain) : this.#rulesFor(packet);
    const walk = (answers: Answers): Counted => {
      const counted: CounterOwner[] = [];
      const decided = this.#decide(packet, rulesOf, (at) => {
        const matched = this.#matches(at, packet, answers);
        if (matched) counted.push(at);
        return matched;
      });
      if (!decided.decider.rule) counted.push(decided.decider);
      return { ...decided, counted };
    };
    return everyWay(walk, this.#known(assume));
  }

  /** The rules of a chain that the call can match; all of them where it may get another destination. */
  #rulesFor(packet: Packet): (chain: Chain) => readonly PlacedRule[] {
    return this.#isLed
      ? (chain) => this.#rulesOf(chain)
      : (chain) => this.#indexOf(chain).rulesFor((field) => fieldValue(packet, field));
  }

  /** What the tests say of calls by their numbers, as far as it is known. */
  #known(assume?: Assume): (n: number, packet: Packet) => boolean | undefined {
    const { sets } = this.#table;
    return (n, packet) => {
      const placed = this.#tests[n];
      return placed && assumeFor({ packet, sets }, assume)(placed.test);
    };
  }

  /** The rule that asks: a test, or what the call has drawn, which has a number behind those of tests. */
  #counterOf(n: number): number {
    return this.#tests[n]?.counter ?? Math.floor((n - this.#tests.length) / MOST_WAYS);
  }

  #ownerOf(counter: number): CounterOwner {
    const owner = this.#owners.get(counter);
    if (!owner) throw new TypeError(`no rule has counter ${counter}`);
    return owner;
  }

  /** What a number says of a call in walks so far, beside those of tests: which destinations a rule gives it. */
  drawn(n: number): PlacedRule | undefined {
    return this.#drawn.get(n);
  }

  /** Whether the call draws a destination of these: whatever way none before was, the last is. */
  #isDrawn(at: PlacedRule, packet: Packet, answers: Answers): boolean {
    const { way, counter } = at;
    if (!way || way.isLast) return true;
    const n = this.#tests.length + counter * MOST_WAYS + way.number;
    this.#drawn.set(n, at);
    return answers(n, packet);
  }

  /** Asks the tests of a rule up to the first that does not hold. */
  #testsHold({ counter }: PlacedRule, packet: Packet, answers: Answers): boolean {
    const first = this.#firstTests.get(counter);
    if (first === undefined) return true;
    for (let n = first; this.#tests[n]?.counter === counter; n++)
      if (!answers(n, packet)) return false;
    return true;
  }

  #decide(
    packet: Packet,
    rulesOf: (chain: Chain) => readonly PlacedRule[],
    ask: (at: PlacedRule, depth: number) => boolean,
  ): Deciding {
    let depth = 0;
    const walk = interpretation<Walked>(
      this.#table,
      {
        next: (at) => {
          const matched = ask(at, depth);
          return matched && at.becomes !== at.as ? { onward: 'next', becomes: at.becomes } : NEXT;
        },
        decide: (at, errno) => (ask(at, depth) ? deciding(errno, at, at.as) : NEXT),
        leave: (at) => (ask(at, depth) ? LEAVE : NEXT),
        call: (at, inside, comesBack) => {
          if (!ask(at, depth)) return NEXT;
          depth++;
          const walked = inside();
          depth--;
          return onwardOf(walked) === 'next' && !comesBack
            ? { ...walked, onward: 'leave' }
            : walked;
        },
        join: (_, parts) => {
          for (const { meaning } of parts) {
            if (onwardOf(meaning) === 'leave') return { ...meaning, onward: 'next' };
            if (onwardOf(meaning) !== 'next') return meaning;
          }
          return NEXT;
        },
        rewritings: (walked) => {
          const becomes = onwardOf(walked) === 'next' ? becomesOf(walked) : undefined;
          return becomes ? [becomes] : [];
        },
        divert: (_, rewriting, rest) => {
          const walked = rest();
          return 'onward' in walked
            ? { onward: 'leave', becomes: walked.becomes ?? rewriting }
            : walked;
        },
      },
      {
        rulesOf,
        remembers: false,
        rewritesAny: this.#rewrites,
        mostRewritings: 0,
        asksSets: false,
      },
    );
    const chain = builtinChain(this.#table, packet.chain);
    const walked = walk(chain);
    if (!('onward' in walked)) return walked;
    const decider = { chain, rule: undefined, number: chain.rules.length + 1 };
    return deciding(policyErrno(chain.policy), decider, walked.becomes ?? UNCHANGED);
  }

  #rulesOf(chain: Chain): readonly PlacedRule[] {
    return this.#placed.get(chain) ?? [];
  }

  #conditionOf(rule: Rule): readonly Clause[] {
    let condition = this.#conditions.get(rule);
    if (!condition) {
      condition = ruleCondition(rule, this.#table);
      this.#conditions.set(rule, condition);
    }
    return condition;
  }

  #indexOf(chain: Chain): RuleIndex {
    let index = this.#indexes.get(chain);
    if (!index) {
      index = new RuleIndex(this.#rulesOf(chain), (rule) => ruleCondition(rule, this.#table));
      this.#indexes.set(chain, index);
    }
    return index;
  }

  /** Whether the rule matches the call as it comes there. */
  #matches(at: PlacedRule, packet: Packet, answers: Answers): boolean {
    const here = rewrite(packet, at.as);
    const fits = this.#conditionOf(at.rule).every((clause) =>
      clause.some((test) => holds(test, here)),
    );
    return fits && this.#testsHold(at, here, answers) && this.#isDrawn(at, here, answers);
  }

  #failedFields(rule: Rule, packet: Packet): readonly Field[] {
    const failed = this.#conditionOf(rule).filter(
      (clause) => !clause.some((test) => holds(test, packet)),
    );
    const fields = failed.map((clause) => clause.at(-1)?.field);
    return [...new Set(fields.filter((field) => field !== undefined))];
  }
}
