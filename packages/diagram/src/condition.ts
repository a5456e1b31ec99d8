/** Conditions of rules as diagrams. */
import {
  type Clause,
  clausesBefore,
  type ExactTest,
  elementAt,
  exactTest,
  FAMILIES,
  type Family,
  FIELD_BITS,
  type Field,
  type Range,
  type Rewriting,
  type Rule,
  rewritingKey,
  ruleCondition,
  ruleTests,
  seenBy,
  type Table,
  type Test,
  UNCHANGED,
} from '@sockfilter/table';
import type { DrawnWay } from './choice.js';
import { asksAddress, clip, isPossible, OF_FAMILY } from './clip.js';
import { IntervalPaths, intervalPath, type Link } from './intervalpath.js';
import { NONE, type Operation } from './operation.js';
import { fieldBits, firstPiece, pieceAt } from './piece.js';
import { isBehindPackets, PreparedConditions } from './preparedcondition.js';
import { type DiagramStore, isTerminal, type Ref, terminalRef } from './store.js';

/** The terminal that means "holds" and nothing else. */
export const HOLDS: Ref = terminalRef(1);

const clausesOf = (box: readonly Test[]): readonly Clause[] => box.map((test) => [test]);

/** A rule, and how calls have been rewritten that come to it. */
export interface AskedRule {
  readonly rule: Rule;
  readonly as?: Rewriting;
  /** What calls draw that it is for. */
  readonly way?: Pick<DrawnWay, 'draws'>;
}

/** Makes the diagrams of conditions in a store. */
export class ConditionCompiler {
  /** Where the links are that it gives out. */
  readonly paths = new IntervalPaths();
  readonly #store: DiagramStore;
  readonly #overlay: Operation;
  readonly #guard: Operation;
  readonly #prepared: PreparedConditions;
  /** What sets hold, by their elements and then by how they are asked and how calls are rewritten. */
  readonly #members = new WeakMap<object, Map<string, Ref>>();

  /** @param prepared what is known of rules already, from other stores too */
  constructor(
    store: DiagramStore,
    operations: { overlay: Operation; guard: Operation },
    prepared = new PreparedConditions(),
  ) {
    this.#store = store;
    this.#overlay = operations.overlay;
    this.#guard = operations.guard;
    this.#prepared = prepared;
  }

  /** The diagram that is `hit` where the rule's fields and all else hold that its packet answers, else NONE. */
  compileRule(asked: AskedRule, table: Table, hit: Ref): Ref {
    if (hit === NONE) return NONE;
    const { rule, as = UNCHANGED } = asked;
    const fields = this.compileFields(asked, table, hit);
    return ruleTests(rule, table).reduceRight((inner, test) => {
      const exact = exactTest(test, table);
      return exact ? this.#guard(this.#exact(exact, seenBy(test, as)), inner) : inner;
    }, fields);
  }

  /** The diagram that is `hit` where the rule's fields hold, else NONE. */
  compileFields({ rule, as = UNCHANGED, way }: AskedRule, table: Table, hit: Ref): Ref {
    if (hit === NONE) return NONE;
    const store = this.#store;
    if (way) {
      const clauses = clausesBefore(ruleCondition(rule, table), as);
      return this.compile([...clauses, [way.draws]], hit);
    }
    if (as !== UNCHANGED || !isBehindPackets(store, hit))
      return this.compile(clausesBefore(ruleCondition(rule, table), as), hit);
    this.#prepared.enter(table);
    const known = this.#prepared.make(rule, store, hit);
    if (known !== undefined) return known;
    const made = this.compile(ruleCondition(rule, table), isTerminal(hit) ? hit : HOLDS);
    this.#prepared.keep(rule, store, made);
    return isTerminal(hit) ? made : (this.#prepared.make(rule, store, hit) ?? made);
  }

  /** As compileRule() of a terminal, but a path that is not made yet: its first link. Undefined if the rule is no path. */
  rulePath(asked: AskedRule, table: Table, hit: Ref): Ref | Link | undefined {
    return ruleTests(asked.rule, table).length === 0
      ? this.fieldsPath(asked, table, hit)
      : undefined;
  }

  /** The same of compileFields(). */
  fieldsPath(
    { rule, as = UNCHANGED, way }: AskedRule,
    table: Table,
    hit: Ref,
  ): Ref | Link | undefined {
    if (way || as !== UNCHANGED || !isTerminal(hit)) return undefined;
    if (hit === NONE) return NONE;
    const plain = this.paths.addPlain(rule, hit);
    if (plain !== undefined) return plain;
    const path = intervalPath(ruleCondition(rule, table));
    return path && this.paths.add(path, hit);
  }

  #exact({ set: { elements }, asked, negated, boxes }: ExactTest, as: Rewriting): Ref {
    const { sides, exceptions } = asked;
    const known = this.#members.get(elements) ?? new Map<string, Ref>();
    this.#members.set(elements, known);
    const key = `${negated} ${exceptions} ${sides.join()} ${rewritingKey(as)}`;
    const made =
      known.get(key) ??
      this.#memberships(
        boxes().map((box) => clausesBefore(clausesOf(box), as)),
        negated,
      );
    known.set(key, made);
    return made;
  }

  #memberships(boxes: readonly (readonly Clause[])[], negated: boolean): Ref {
    let layers = boxes.map((box) => this.compile(box, HOLDS));
    while (layers.length > 1)
      layers = Array.from({ length: Math.ceil(layers.length / 2) }, (_, n) =>
        this.#overlay(elementAt(layers, 2 * n), layers[2 * n + 1] ?? NONE),
      );
    const members = layers[0] ?? NONE;
    if (!negated) return members;
    return this.#store.copyOne(this.#store, members, (ref) => (ref === NONE ? HOLDS : NONE));
  }

  /** The diagram that is the terminal `hit` where all the clauses hold, else NONE. */
  compile(clauses: readonly Clause[], hit: Ref): Ref {
    if (!clauses.some((clause) => clause.some(asksAddress)))
      return this.#conjunction(clauses, hit, undefined);
    const others = clauses.filter((clause) => clause.length !== 1 || clause[0]?.field !== 'family');
    let result = NONE;
    for (const family of FAMILIES) {
      if (!clauses.every((clause) => isPossible(clause, family))) continue;
      const part = this.#conjunction([[OF_FAMILY[family]], ...others], hit, family);
      result = this.#overlay(result, part);
    }
    return result;
  }

  #conjunction(clauses: readonly Clause[], hit: Ref, family: Family | undefined): Ref {
    const alone = new Map<Field, Test>();
    const others: Clause[] = [];
    for (const clause of clauses) {
      const [test] = clause;
      if (test && clause.length === 1 && !alone.has(test.field)) alone.set(test.field, test);
      else others.push(clause);
    }
    // One test a field nests from the last field to the first, with nothing to combine.
    let result = hit;
    for (const test of [...alone.values()].sort(
      (a, b) => firstPiece(b.field) - firstPiece(a.field),
    ))
      result = this.#test(test, result, family);
    for (const clause of others) {
      const any = clause
        .map((test) => this.#test(test, HOLDS, family))
        .reduce((a, b) => this.#overlay(a, b), NONE);
      result = this.#guard(any, result);
    }
    return result;
  }

  #test({ field, set, negated }: Test, inner: Ref, family: Family | undefined): Ref {
    const bits = fieldBits(field, family);
    const hit = negated ? NONE : inner;
    const miss = negated ? inner : NONE;
    const clipped = set === OF_FAMILY[family ?? 4].set ? set : clip(field, set, bits);
    const piece = firstPiece(field) + (FIELD_BITS[field] - bits) / 16;
    if (clipped.kind === 'ranges' && bits <= 32 && clipped.ranges.length === 1) {
      const [from, to] = elementAt(clipped.ranges, 0);
      return this.#range(piece, [Number(from), Number(to)], hit, miss);
    }
    if (clipped.kind === 'ranges') return this.#ranges(piece, clipped.ranges, hit, miss);
    return this.#masked(piece, clipped.value, clipped.mask, hit, miss);
  }

  /** As #ranges(), of one range of a field that numbers can tell. */
  #range(piece: number, [from, to]: readonly [number, number], hit: Ref, miss: Ref): Ref {
    const { bits, shift } = pieceAt(piece);
    const low = 2 ** shift;
    const max = 2 ** bits - 1;
    const [first, last] = [Math.floor(from / low), Math.floor(to / low)];
    const [fromLow, toLow] = [from % low, to % low];
    const part = (partFrom: number, partTo: number) =>
      partFrom === 0 && partTo === low - 1
        ? hit
        : this.#range(piece + 1, [partFrom, partTo], hit, miss);
    const begin = part(fromLow, first === last ? toLow : low - 1);
    const end = first === last ? begin : part(0, toLow);
    const row = this.#store.row(piece);
    if (first > 0) row.push(0, miss);
    row.push(first, begin);
    if (first + 1 < last) row.push(first + 1, hit);
    if (first < last) row.push(last, end);
    if (last < max) row.push(last + 1, miss);
    return this.#store.intern(piece);
  }

  /** Splits the values that are left, those of the piece and the later ones of its field. */
  #ranges(piece: number, ranges: readonly Range[], hit: Ref, miss: Ref): Ref {
    const { bits, shift } = pieceAt(piece);
    const values = 1 << bits;
    const low = BigInt(shift);
    const lowMax = (1n << low) - 1n;
    const row = this.#store.row(piece);
    let cursor = 0;
    /** Where one value of the piece leads by ranges of the pieces after it. */
    let partial: Range[] = [];
    let partialAt = 0;
    const put = (from: number, to: number, target: Ref) => {
      if (from > cursor) row.push(cursor, miss);
      row.push(from, target);
      cursor = to + 1;
    };
    const flush = () => {
      if (partial.length > 0)
        put(partialAt, partialAt, this.#ranges(piece + 1, partial, hit, miss));
      partial = [];
    };
    const add = (at: number, from: bigint, to: bigint) => {
      if (at !== partialAt) flush();
      partialAt = at;
      partial.push([from, to]);
    };
    for (const [from, to] of ranges) {
      let first = Number(from >> low);
      let last = Number(to >> low);
      const fromLow = from & lowMax;
      const toLow = to & lowMax;
      const endsInside = toLow !== lowMax;
      if (fromLow !== 0n || (first === last && endsInside)) {
        add(first, fromLow, first === last ? toLow : lowMax);
        if (first === last) continue;
        first++;
      }
      if (endsInside) last--;
      if (first <= last) {
        flush();
        put(first, last, hit);
      }
      if (endsInside) add(last + 1, 0n, toLow);
    }
    flush();
    if (cursor < values) row.push(cursor, miss);
    return this.#store.intern(piece);
  }

  #masked(first: number, value: bigint, mask: bigint, hit: Ref, miss: Ref): Ref {
    let last = first;
    while (pieceAt(last).shift > 0) last++;
    let result = hit;
    for (let piece = last; piece >= first; piece--) {
      const low = BigInt(pieceAt(piece).shift);
      const max = (1 << pieceAt(piece).bits) - 1;
      const pieceMask = Number((mask >> low) & BigInt(max));
      if (pieceMask === 0) continue;
      this.#maskedPiece(piece, Number((value >> low) & BigInt(max)), pieceMask, result, miss);
      result = this.#store.intern(piece);
    }
    return result;
  }

  /** Fills the row: the bits below the mask's lowest make an interval, each set of its holes one more. */
  #maskedPiece(piece: number, value: number, mask: number, hit: Ref, miss: Ref): void {
    const max = (1 << pieceAt(piece).bits) - 1;
    const interval = mask & -mask;
    const holes = max & ~mask & ~(interval - 1);
    const row = this.#store.row(piece);
    if (value > 0) row.push(0, miss);
    let subset = 0;
    do {
      const start = value | subset;
      row.push(start, hit);
      if (start + interval <= max) row.push(start + interval, miss);
      subset = (subset - holes) & holes;
    } while (subset !== 0);
  }
}
