/**
 * Conditions that are one path: an interval of each piece that they ask, one behind the other, and nothing beside it. As
 * nearly all rules have such a one, a path is made no nodes before it is known what lies beside it: it is a list of
 * intervals, whose links stand where references of nodes stand.
 */
import {
  type Clause,
  elementAt,
  FAMILIES,
  type Family,
  FIELD_BITS,
  plainCondition,
  type Rule,
  type Test,
} from '@sockfilter/table';
import { asksAddress, clip, isPossible, OF_FAMILY } from './clip.js';
import { NONE, type Operation } from './operation.js';
import { fieldBits, firstPiece, PAST_VALUES, pieceAt } from './piece.js';
import { PlainPath } from './plainpath.js';
import type { DiagramStore, Ref } from './store.js';

/** Values of a piece from the one up to, without, the other. */
interface Interval {
  readonly piece: number;
  readonly from: number;
  /** PAST_VALUES behind the last. */
  readonly end: number;
}

/** No packet takes it. */
const EMPTY = 'empty';

export type IntervalPath = readonly Interval[] | typeof EMPTY;

/** The bits from `shift` on of a value. */
const bitsOf = (value: bigint, shift: number, bits: number): number =>
  Number(BigInt.asUintN(bits, value >> BigInt(shift)));

const interval = (piece: number, from: number, last: number): Interval => ({
  piece,
  from,
  end: last === 2 ** pieceAt(piece).bits - 1 ? PAST_VALUES : last + 1,
});

/** Adds what the pieces of a range are; false if it is several paths. */
function putRange(found: Interval[], first: number, from: bigint, to: bigint): boolean {
  let isDecided = false;
  for (let piece = first; ; piece++) {
    const { bits, shift } = pieceAt(piece);
    const [first, last] = [bitsOf(from, shift, bits), bitsOf(to, shift, bits)];
    const isWhole = first === 0 && last === 2 ** bits - 1;
    if (isDecided && !isWhole) return false;
    if (!isWhole) found.push(interval(piece, first, last));
    isDecided ||= first !== last;
    if (shift === 0) return true;
  }
}

/** The same of values whose bits in the mask are those. */
function putMasked(found: Interval[], first: number, value: bigint, mask: bigint): boolean {
  for (let piece = first; ; piece++) {
    const { bits, shift } = pieceAt(piece);
    const all = 2 ** bits - 1;
    const open = all - bitsOf(mask, shift, bits);
    if ((open & (open + 1)) !== 0) return false;
    const from = bitsOf(value, shift, bits);
    if (open !== all) found.push(interval(piece, from, from + open));
    if (shift === 0) return true;
  }
}

/** Adds the intervals of what the test lets through; undefined if it is no path. */
function put(
  found: Interval[],
  { field, set }: Test,
  family: Family | undefined,
): IntervalPath | undefined {
  const bits = fieldBits(field, family);
  const clipped =
    family !== undefined && set === OF_FAMILY[family].set ? set : clip(field, set, bits);
  const first = firstPiece(field) + (FIELD_BITS[field] - bits) / pieceAt(firstPiece(field)).bits;
  if (clipped.kind === 'masked')
    return putMasked(found, first, clipped.value, clipped.mask) ? found : undefined;
  const [range, other] = clipped.ranges;
  if (!range) return EMPTY;
  return !other && putRange(found, first, ...range) ? found : undefined;
}

/** The path on which all the clauses hold, its intervals in the order of pieces; undefined if they are no path. */
export function intervalPath(clauses: readonly Clause[]): IntervalPath | undefined {
  const tests: Test[] = [];
  let hasAddress = false;
  for (const [test, ...others] of clauses) {
    if (!test || others.length > 0 || test.negated) return undefined;
    hasAddress ||= asksAddress(test);
    tests.push(test);
  }
  let family: Family | undefined;
  if (hasAddress) {
    const [one, other] = FAMILIES.filter((each) =>
      clauses.every((clause) => isPossible(clause, each)),
    );
    if (one === undefined) return EMPTY;
    if (other !== undefined) return undefined;
    family = one;
  }
  const found: Interval[] = [];
  const asked =
    family === undefined
      ? tests
      : [OF_FAMILY[family], ...tests.filter(({ field }) => field !== 'family')];
  for (const [n, test] of asked.entries()) {
    for (let before = 0; before < n; before++)
      if (asked[before]?.field === test.field) return undefined;
    const path = put(found, test, family);
    if (path !== found) return path;
  }
  return found.sort((a, b) => a.piece - b.piece);
}

/** The first link of a path, or a later one: no node has so high a number. */
export type Link = number;

const FIRST = 2 ** 30;
/** Numbers of a link: its piece, the interval's ends, and what is behind it, a link or a terminal. */
const NUMBERS = 4;

export const isLink = (ref: Ref | Link): boolean => ref >= FIRST;

function missing(link: Link): never {
  throw new RangeError(`no link ${link - FIRST}`);
}

/** Paths with a terminal each, as lists of intervals. */
export class IntervalPaths {
  #links: Int32Array = new Int32Array(NUMBERS << 8);
  #count = 0;
  readonly #plain = new PlainPath();

  /** Runs what needs the paths that it adds no longer than it runs. */
  during<T>(work: () => T): T {
    const count = this.#count;
    try {
      return work();
    } finally {
      this.#count = count;
    }
  }

  /** The first link of the path to the terminal, or that itself where all packets take it. */
  add(path: IntervalPath, hit: Ref): Ref | Link {
    if (path === EMPTY) return NONE;
    if (path.length === 0) return hit;
    const first = this.#count;
    for (const { piece, from, end } of path) this.#link(piece, from, end);
    return this.#ended(first, hit);
  }

  /** The same of the rule's path; undefined if that is not told without sets. */
  addPlain(rule: Rule, hit: Ref): Ref | Link | undefined {
    const path = this.#plain;
    path.clear();
    if (!plainCondition(rule, path.add)) return undefined;
    if (path.length === 0) return hit;
    const first = this.#count;
    for (let n = 0; n < path.length; n++)
      this.#link(elementAt(path.pieces, n), elementAt(path.froms, n), elementAt(path.ends, n));
    return this.#ended(first, hit);
  }

  /** Adds a link to the one that comes next. */
  #link(piece: number, from: number, end: number): void {
    const at = this.#count * NUMBERS;
    if (at === this.#links.length) {
      const grown = new Int32Array(this.#links.length * 2);
      grown.set(this.#links);
      this.#links = grown;
    }
    this.#count++;
    this.#links[at] = piece;
    this.#links[at + 1] = from;
    this.#links[at + 2] = end;
    this.#links[at + 3] = FIRST + this.#count;
  }

  /** The path from that link on, whose last leads to the terminal. */
  #ended(first: number, hit: Ref): Link {
    this.#links[this.#count * NUMBERS - 1] = hit;
    return FIRST + first;
  }

  pieceOf(link: Link): number {
    return this.#number(link, 0);
  }

  from(link: Link): number {
    return this.#number(link, 1);
  }

  end(link: Link): number {
    return this.#number(link, 2);
  }

  /** What is behind the interval. */
  behind(link: Link): Ref | Link {
    return this.#number(link, 3);
  }

  /** What is left of the path where the piece, if it asks that first, has the value. */
  follow(link: Link, piece: number, value: number): Ref | Link {
    if (this.pieceOf(link) !== piece) return link;
    return this.from(link) <= value && value < this.end(link) ? this.behind(link) : NONE;
  }

  /** The diagram that a path is, from the link on, over a terminal; of a reference that over the terminal. */
  made(ref: Ref | Link, store: DiagramStore, below: Ref = NONE, overlay?: Operation): Ref {
    if (!isLink(ref)) return below === NONE || !overlay ? ref : overlay(ref, below);
    const behind = this.made(this.behind(ref), store, below, overlay);
    const piece = this.pieceOf(ref);
    const row = store.row(piece);
    const from = this.from(ref);
    const end = this.end(ref);
    if (from > 0) row.push(0, below);
    row.push(from, behind);
    if (end < PAST_VALUES) row.push(end, below);
    return store.intern(piece);
  }

  #number(link: Link, n: number): number {
    return this.#links[(link - FIRST) * NUMBERS + n] ?? missing(link);
  }
}
