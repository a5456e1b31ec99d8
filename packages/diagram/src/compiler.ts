/**
 * Tables to diagrams, one recording at a time.
 *
 * A rule's diagram has NONE where it does not match. Rules are laid over each other, the first wins,
 * in halves of about the same size, so that no wide diagram is merged with one rule at a time. The
 * diagram of a chain has outcomes of step `next` or `end` only: leaving a chain early and at its end
 * is the same to whoever called it.
 */
import {
  BUILTIN_CHAINS,
  builtinChain,
  type Chain,
  DROP_ERRNO,
  type Errno,
  REJECT_ERRNO,
  type Rule,
  ruleCondition,
  type Table,
} from '@sockfilter/table';
import { ConditionCompiler, HOLDS } from './condition.js';
import { LimitError, type Limits, type RuleSpan } from './limit.js';
import { defineGuard, defineOperation, NONE, type Operation } from './operation.js';
import { OutcomeTable, type Progress } from './outcome.js';
import { firstPiece } from './piece.js';
import type { Recording } from './record.js';
import { DiagramStore, isTerminal, type Ref } from './store.js';

/** Some rules of a chain as one diagram. */
interface Part {
  readonly diagram: Ref;
  readonly rules: readonly [from: number, to: number];
  /** Merges between it and a single rule. */
  readonly level: number;
}

const NOTHING: Progress = { step: 'next', verdict: undefined, counted: [] };
const OVER: Progress = { step: 'end', verdict: undefined, counted: [] };

const CHAIN_PIECE = firstPiece('chain');

export class TableCompiler {
  readonly store: DiagramStore;
  readonly outcomes: OutcomeTable;
  readonly #table: Table;
  readonly #recording: Recording;
  readonly #chains: ReadonlyMap<string, Chain>;
  /** The counter of each chain's first rule. */
  readonly #counters = new Map<Chain, number>();
  /** Finished user chains. */
  readonly #diagrams = new Map<Chain, Ref>();
  readonly #open = new Set<Chain>();
  readonly #overlay: Operation;
  readonly #guard: Operation;
  readonly #conditions: ConditionCompiler;

  constructor(table: Table, recording: Recording, limits: Limits) {
    this.#table = table;
    this.#recording = recording;
    this.#chains = new Map(table.chains.map((chain) => [chain.name, chain]));
    let counter = 0;
    for (const chain of table.chains) {
      this.#counters.set(chain, counter);
      counter += chain.rules.length + (chain.policy === undefined ? 0 : 1);
    }
    this.store = new DiagramStore(limits);
    this.outcomes = new OutcomeTable(limits.counted);
    this.outcomes.intern(NOTHING);
    this.outcomes.intern(OVER);
    this.#overlay = defineOperation(this.store, (a, b) => this.#firstWins(a, b));
    this.#guard = defineGuard(this.store);
    this.#conditions = new ConditionCompiler(this.store, {
      overlay: this.#overlay,
      guard: this.#guard,
    });
  }

  /** The diagram of the whole table. */
  compile(): Ref {
    const targets = BUILTIN_CHAINS.map((name, value) => this.#builtinDiagram(name, value));
    const row = this.store.row(CHAIN_PIECE);
    for (const [value, target] of targets.entries()) row.push(value, target);
    return this.store.intern(CHAIN_PIECE);
  }

  #firstWins(a: Ref, b: Ref): Ref | undefined {
    if (a === NONE) return b;
    if (b === NONE) return a;
    if (!isTerminal(a)) return undefined;
    const first = this.outcomes.of(a);
    if (first.step !== 'next') return a;
    if (!isTerminal(b)) return undefined;
    const second = this.outcomes.of(b);
    return this.outcomes.intern({ ...second, counted: [...first.counted, ...second.counted] });
  }

  #builtinDiagram(name: (typeof BUILTIN_CHAINS)[number], value: number): Ref {
    const chain = builtinChain(this.#table, name);
    const open = this.#chainDiagram(chain, value);
    if (!this.#recording.verdicts) return open;
    const counter = this.#counterOf(chain, chain.rules.length);
    const policy = this.#decided(chain.policy === 'DROP' ? DROP_ERRNO : 0, counter);
    return blame({ chain: name }, () => this.#overlay(open, policy));
  }

  #userDiagram(name: string): Ref {
    const chain = this.#chains.get(name);
    if (!chain) throw new TypeError(`no chain ${name}`);
    const known = this.#diagrams.get(chain);
    if (known !== undefined) return known;
    if (this.#open.has(chain)) throw new TypeError(`chain ${name} calls itself`);
    this.#open.add(chain);
    const diagram = this.#chainDiagram(chain, undefined);
    this.#open.delete(chain);
    this.#diagrams.set(chain, diagram);
    return diagram;
  }

  /** @param value of the chain piece where the diagram is for that value alone */
  #chainDiagram(chain: Chain, value: number | undefined): Ref {
    const parts: Part[] = [];
    const merge = (first: Part, second: Part): Part => {
      const rules = [first.rules[0], second.rules[1]] as const;
      return blame({ chain: chain.name, rules }, () => ({
        diagram: this.#overlay(first.diagram, second.diagram),
        rules,
        level: first.level + 1,
      }));
    };
    const mergeLast = () => {
      const [first, second] = parts.splice(-2);
      parts.push(merge(first, second));
    };
    let returns = false;
    chain.rules.forEach((rule, index) => {
      const number = index + 1;
      returns ||= rule.target?.kind === 'return' || rule.target?.kind === 'goto';
      const whole = blame({ chain: chain.name, rules: [number, number] }, () =>
        this.#ruleDiagram(rule, this.#counterOf(chain, index)),
      );
      const diagram = value === undefined ? whole : this.#withChain(whole, value);
      if (diagram === NONE) return;
      parts.push({ diagram, rules: [number, number], level: 0 });
      while (parts.length > 1 && parts[parts.length - 2].level === parts[parts.length - 1].level)
        mergeLast();
    });
    while (parts.length > 1) mergeLast();
    const [all] = parts;
    if (!all) return NONE;
    if (!returns) return all.diagram;
    return this.#replace(all.diagram, (outcome) =>
      outcome.step === 'return' ? { ...outcome, step: 'next' } : outcome,
    );
  }

  #withChain(diagram: Ref, value: number): Ref {
    return this.store.pieceOf(diagram) === CHAIN_PIECE
      ? this.store.follow(diagram, value)
      : diagram;
  }

  #ruleDiagram(rule: Rule, counter: number): Ref {
    const clauses = ruleCondition(rule, this.#table);
    const { target } = rule;
    const counted = this.#recording.counts(counter) ? [counter] : [];
    switch (target?.kind) {
      case undefined:
        if (counted.length === 0) return NONE;
        return this.#conditions.compile(clauses, this.outcomes.intern({ ...NOTHING, counted }));
      case 'accept':
        return this.#conditions.compile(clauses, this.#decided(0, counter));
      case 'drop':
        return this.#conditions.compile(clauses, this.#decided(DROP_ERRNO, counter));
      case 'reject':
        return this.#conditions.compile(
          clauses,
          this.#decided(REJECT_ERRNO[target.errno], counter),
        );
      case 'return':
        return this.#conditions.compile(
          clauses,
          this.outcomes.intern({ step: 'return', verdict: undefined, counted }),
        );
      case 'jump':
      case 'goto': {
        const called = this.#called(this.#userDiagram(target.chain), target.kind, counted);
        if (called === NONE) return NONE;
        if (isTerminal(called)) return this.#conditions.compile(clauses, called);
        return this.#guard(this.#conditions.compile(clauses, HOLDS), called);
      }
    }
  }

  /** The diagram of a chain as the rule that calls it sees it. */
  #called(diagram: Ref, kind: 'jump' | 'goto', counted: readonly number[]): Ref {
    if (kind === 'jump' && counted.length === 0) return diagram;
    return this.#replace(diagram, (outcome) => ({
      ...outcome,
      counted: [...counted, ...outcome.counted],
      step: kind === 'goto' && outcome.step === 'next' ? 'return' : outcome.step,
    }));
  }

  #replace(diagram: Ref, change: (outcome: Progress) => Progress): Ref {
    const [replaced] = this.store.copy(this.store, [diagram], (terminal) =>
      this.outcomes.intern(change(this.outcomes.of(terminal))),
    );
    return replaced;
  }

  #decided(errno: Errno, decider: number): Ref {
    if (!this.#recording.verdicts) return HOLDS;
    return this.outcomes.intern({
      step: 'end',
      verdict: { errno, decider },
      counted: [decider],
    });
  }

  #counterOf(chain: Chain, index: number): number {
    return (this.#counters.get(chain) ?? 0) + index;
  }
}

/** Adds the rules at work to a limit that is reached, unless inner ones are named. */
function blame<T>(span: RuleSpan, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof LimitError && !error.span)
      throw new LimitError(error.limit, error.figure, span);
    throw error;
  }
}
