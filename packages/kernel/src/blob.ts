/** Decision diagram -> the nodes that the programs walk. See layout.ts for what a node says. */
import { constants } from 'node:os';
import {
  type Ask,
  CLOSED,
  type Diagram,
  type DiagramStore,
  firstPiece,
  isTerminal,
  type Listeners,
  type Outcome,
  PIECES,
  pieceAt,
  RANK,
  type Ref,
  RefMap,
  reportsOf,
  rootsOf,
  terminalNumber,
  terminalRef,
} from '@sockfilter/diagram';
import { EVENT_KINDS } from '@sockfilter/events';
import {
  BUILTIN_CHAINS,
  type BuiltinChain,
  type Change,
  type Choice,
  chainNumber,
  changedParts,
  elementAt,
  type Field,
  type Luck,
  leadsElsewhere,
  looksAtGroup,
  type PlacedTest,
  REWRITTEN_PARTS,
  type Report,
  type Rewriting,
  type RewrittenPart,
  UNCHANGED,
} from '@sockfilter/table';
import { CapacityError } from './capacity.js';
import { CHOOSES, choiceWords } from './chosen.js';
import { READ_FIELDS, type ReadField } from './detail.js';
import { ASK_NODES, MAX_STEPS, NODE, NODES_PER_PAGE, OP, REWRITES } from './layout.js';
import { QUESTION_KINDS, questionParameters } from './question.js';

/** The most addresses that one INDEX node has. */
const MAX_INDEX = 4096;
/** A node gets an INDEX from so many intervals on, if it has at most so many addresses for each. */
const MIN_INDEXED = 5;
const INDEX_SPREAD = 4;

export interface Blob {
  /** Two u32 a node: `value | slot << 16 | op << 24`, then the target. Addresses count from `first`. */
  readonly words: Uint32Array;
  readonly first: number;
  /** Address of each chain's first node. */
  readonly entries: Readonly<Record<BuiltinChain, number>>;
  /**
   * Addresses of the first nodes that tell whether any peer may reach a listener: at an address, at the
   * wildcard of a family, at `::` for both. Empty where nobody asks.
   */
  readonly listenerEntries: readonly number[];
  /** The ASK nodes, by their place among the nodes, whose states have no slots yet. */
  readonly asks: readonly AskPlace[];
  readonly facts: Readonly<Record<BuiltinChain, ChainFacts>>;
  /** In how many layers the rules of chains are that are not one diagram. */
  readonly layers: ReadonlyMap<BuiltinChain, number>;
  /** The most steps that a packet can take. */
  readonly longestPath: number;
}

interface AskPlace {
  /** Its number among the nodes. */
  readonly node: number;
  readonly test: number;
}

/** What the programs must know of a chain before they walk it. */
export interface ChainFacts {
  /** True too where a call gets another destination, since one for which that fails is refused. */
  readonly canRefuse: boolean;
  /** Whether a call may get another destination than the one that it names. */
  readonly leadsElsewhere: boolean;
  readonly testsGroup: boolean;
  /** Whether the ids of the owner are asked for. */
  readonly testsOwner: boolean;
  /** Whether the mark is asked for, or some bits of it are kept. */
  readonly testsMark: boolean;
  /** The details that are asked for, and what is drawn. */
  readonly details: readonly ReadField[];
}

/** Some of a node's intervals: the numbers of their edges, `from` up to, without, `to`. */
interface Span {
  readonly node: Ref;
  readonly from: number;
  readonly to: number;
}

type Place = Ref | Span;

/** How what a terminal says leads on to other terminals. */
interface Onward {
  /** Gives the address of the place once it is known. */
  readonly later: (place: Ref, fill: (address: number) => void) => void;
  /** Writes the place, or a jump to it. */
  readonly here: (place: Ref) => void;
}

/**
 * Writes depth first, so that a path lies together: where a node goes on to the next one, that is
 * what it leads to, unless it stands elsewhere already.
 */
export class Writer {
  readonly #first: number;
  #words = new Uint32Array(1024);
  #length = 0;
  readonly asks: AskPlace[] = [];
  readonly #pending: { readonly place: Place; readonly fill: (address: number) => void }[] = [];

  constructor(first: number) {
    this.#first = first;
  }

  get words(): Uint32Array {
    return this.#words.slice(0, 2 * this.#length);
  }

  /**
   * Writes all that is reachable from the places of one diagram; returns their addresses. What stands somewhere
   * already has its address in `standing`.
   */
  write(
    store: DiagramStore,
    places: readonly Ref[],
    terminal: (ref: Ref, onward: Onward) => void,
    standing: ReadonlyMap<Ref, number> = new Map(),
  ): number[] {
    const addresses = new RefMap(store.nodeCount);
    for (const [ref, address] of standing) addresses.set(ref, address);
    const results = places.map(() => 0);

    const later = (place: Place, fill: (address: number) => void): void => {
      const known = typeof place === 'number' ? addresses.get(place) : undefined;
      if (known === undefined) this.#pending.push({ place, fill });
      else fill(known);
    };
    /** A node that leads to `place`, or else to the next. */
    const branch = (value: number, slot: number, op: number, place: Place): void => {
      const at = this.#put(value, slot, op, 0, 2);
      later(place, (address) => this.#setTarget(at, address));
    };
    /** Here goes what the place says, or a jump to it. */
    const here = (place: Place): void => {
      if (typeof place !== 'number') {
        spread(place);
        return;
      }
      const known = addresses.get(place);
      if (known !== undefined) {
        this.#put(0, 0, OP.jump, known, 1);
        return;
      }
      this.#makeRoom(2);
      addresses.set(place, this.#address);
      if (isTerminal(place)) terminal(place, { later, here });
      else spread({ node: place, from: store.firstEdge(place), to: store.endEdge(place) });
    };
    const part = (node: Ref, from: number, to: number): Place =>
      to - from === 1 ? store.edgeTarget(from) : { node, from, to };

    const spread = ({ node, from, to }: Span): void => {
      const slot = store.pieceOf(node);
      const start = (edge: number) => store.edgeStart(edge);
      const target = (edge: number) => store.edgeTarget(edge);
      const last = to - 1;
      const isOneValue = start(last) === start(last - 1) + 1;
      if (to - from === 3 && isOneValue && target(from) === target(last)) {
        branch(start(from + 1), slot, OP.unequal, target(last));
        here(target(from + 1));
        return;
      }
      // What is not in the index goes to the last address: it can serve the first interval as well.
      const indexed = target(from) === target(last) ? from + 1 : from;
      const count = start(last) - start(indexed);
      const worth = to - from >= MIN_INDEXED && count <= INDEX_SPREAD * (to - from);
      if (worth && count <= MAX_INDEX) {
        const at = this.#putIndex(start(indexed), slot, count);
        for (let edge = indexed; edge < to; edge++) {
          const end = edge === last ? count + 1 : start(edge + 1) - start(indexed);
          later(target(edge), (address) => {
            for (let n = start(edge) - start(indexed); n < end; n++) this.#setEntry(at, n, address);
          });
        }
        return;
      }
      const middle = (from + to) >> 1;
      branch(start(middle), slot, OP.less, part(node, from, middle));
      here(part(node, middle, to));
    };

    places.forEach((place, n) => {
      later(place, (address) => {
        results[n] = address;
      });
    });
    for (let next = this.#pending.pop(); next; next = this.#pending.pop()) {
      const { place, fill } = next;
      const known = typeof place === 'number' ? addresses.get(place) : undefined;
      if (known !== undefined) {
        fill(known);
        continue;
      }
      this.#makeRoom(2);
      fill(this.#address);
      here(place);
    }
    return results;
  }

  /** Adds one to the counter. */
  putCount(counter: number): void {
    this.#put(0, 0, OP.count, counter, 2);
  }

  /** Reports each. */
  putReports(reports: readonly Report[]): void {
    for (const { kind, counter } of reports) this.#put(EVENT_KINDS[kind], 0, OP.report, counter, 2);
  }

  putJump(address: number): void {
    this.#put(0, 0, OP.jump, address, 1);
  }

  /** What the call goes on as, a node for each piece that becomes something else. */
  putRewriting(rewriting: Rewriting): void {
    const { destination4, destination6, ...others } = rewriting;
    if (destination4 && destination6) this.#putDestinations(destination4, destination6);
    else if (destination4) this.#putChange('destination4', destination4);
    else if (destination6) this.#putChange('destination6', destination6);
    for (const [part, change] of changedParts(others)) this.#putChange(part, change);
  }

  /** The destination of either family: calls of both come here. */
  #putDestinations(destination4: Change, destination6: Change): void {
    const test = this.#put(4, firstPiece('family'), OP.unequal, 0, 2);
    this.#putChange('destination4', destination4);
    const skip = this.#put(0, 0, OP.jump, 0, 1);
    this.#makeRoom(2);
    this.#setTarget(test, this.#address);
    this.#putChange('destination6', destination6);
    this.#makeRoom(2);
    this.#setTarget(skip, this.#address);
  }

  #putChange(part: RewrittenPart, change: Change): void {
    const { field, bits: width } = REWRITTEN_PARTS[part];
    const first = firstPiece(field);
    const what = field === 'mark' ? REWRITES.mark : REWRITES.destination;
    const isChosen = (shift: number) => change.among && shift < 64;
    for (let piece = first; PIECES[piece]?.field === field; piece++) {
      const { shift, bits } = pieceAt(piece);
      if (shift >= width || isChosen(shift)) continue;
      const slice = (value: bigint) => Number(BigInt.asUintN(bits, value >> BigInt(shift)));
      const [keep, flip] = [slice(change.keep), slice(change.flip)];
      if (keep !== (1 << bits) - 1 || flip !== 0)
        this.#put(what, piece, OP.rewrite, ((keep << 16) | flip) >>> 0, 2);
    }
    if (change.among && field !== 'mark') {
      this.#putChoice(field, change.flip, change.among);
      // Says that something has been written.
      this.#put(what, first, OP.rewrite, 0xffff_0000, 2);
    }
  }

  #putChoice(field: 'destination' | 'destinationPort', first: bigint, choice: Choice): void {
    const node = this.#putAsk(CHOOSES);
    const at = 2 * node + NODE.parameters / 4;
    this.#words.set(choiceWords(field, first, choice), at);
    this.#setTarget(node, this.#address);
  }

  /** A node that asks, with nothing said yet but its kind; returns its place. */
  #putAsk(value: number): number {
    const node = this.#put(value, 0, OP.ask, 0, ASK_NODES + 1);
    this.#grow(node + ASK_NODES);
    this.#length = node + ASK_NODES;
    return node;
  }

  /** Keeps the rank of the first rule that has matched. */
  putRank(rank: number): void {
    this.#put(0, RANK, OP.rewrite, rank, 2);
  }

  putVerdict(errno: number, counter: number): void {
    this.#put(errno, 0, OP.verdict, counter, 1);
  }

  /** Asks the test; leads to what is written next if it holds, else to `otherwise`. */
  putAsk(
    { test, as, holds, fails }: Ask,
    tests: readonly PlacedTest[],
    { later, here }: Onward,
  ): void {
    this.putRewriting(as);
    const { question, negated } = elementAt(tests, test).test;
    const value = QUESTION_KINDS.indexOf(question.kind) | (Number(negated) << NODE.negatedShift);
    const node = this.#putAsk(value);
    this.asks.push({ node, test });
    this.#words[2 * node + NODE.test / 4] = test;
    questionParameters(question).forEach((parameter, n) => {
      const at = 2 * node + NODE.parameters / 4 + 2 * n;
      this.#words[at] = Number(BigInt.asUintN(32, parameter));
      this.#words[at + 1] = Number(parameter >> 32n);
    });
    later(fails, (address) => this.#setTarget(node, address));
    here(holds);
  }

  get #address(): number {
    return this.#first + this.#length;
  }

  /** Writes a node that has to have `room` nodes left on its page, itself included; returns its place. */
  #put(value: number, slot: number, op: number, target: number, room: number): number {
    this.#makeRoom(room);
    const at = this.#length;
    this.#grow(at + 1);
    this.#words[2 * at] = (value | (slot << 16) | (op << 24)) >>> 0;
    this.#words[2 * at + 1] = target;
    this.#length = at + 1;
    return at;
  }

  /** Goes on on the next page where this one has not so many nodes left. */
  #makeRoom(room: number): void {
    const left = NODES_PER_PAGE - (this.#address % NODES_PER_PAGE);
    if (left >= room) return;
    const next = this.#length + left;
    this.#grow(next);
    this.#words[2 * this.#length] = (OP.jump << 24) >>> 0;
    this.#words[2 * this.#length + 1] = this.#first + next;
    this.#length = next;
  }

  #putIndex(base: number, slot: number, count: number): number {
    const room = 1 + Math.ceil((count + 1) / 2);
    const at = this.#put(base, slot, OP.index, count, room);
    this.#grow(at + room);
    this.#length = at + room;
    return at;
  }

  #setTarget(at: number, address: number): void {
    this.#words[2 * at + 1] = address;
  }

  #setEntry(at: number, n: number, address: number): void {
    this.#words[2 * at + 2 + n] = address;
  }

  #grow(length: number): void {
    if (2 * length <= this.#words.length) return;
    const words = new Uint32Array(Math.max(4 * length, 2 * this.#words.length));
    words.set(this.#words);
    this.#words = words;
  }
}

/**
 * Terminals as they are met by calls that are traced already are terminals of their own: what they ask leads on
 * to such again.
 */
class Terminals {
  readonly #diagram: Diagram;

  constructor(diagram: Diagram) {
    this.#diagram = diagram;
  }

  of(ref: Ref): { readonly outcome: Outcome; readonly isTraced: boolean } {
    const { outcomes } = this.#diagram;
    const number = terminalNumber(ref);
    const isTraced = number >= outcomes.length;
    return { outcome: elementAt(outcomes, number - (isTraced ? outcomes.length : 0)), isTraced };
  }

  /** The terminal as a call meets it that is traced, or not. */
  as(ref: Ref, isTraced: boolean): Ref {
    return isTraced ? terminalRef(terminalNumber(ref) + this.#diagram.outcomes.length) : ref;
  }
}

/** Writes what an outcome counts and reports; tells whether what follows is traced. A verdict counts itself. */
function putCounts(
  writer: Writer,
  { reporters }: Diagram,
  { counted, verdict }: Outcome,
  isTraced: boolean,
): boolean {
  let traced = isTraced;
  counted.forEach((counter, n) => {
    const countsItself = n === counted.length - 1 && verdict?.decider === counter;
    if (!countsItself) writer.putCount(counter);
    const reported = reportsOf(reporters, counter, traced);
    writer.putReports(reported.reports);
    traced = reported.isTraced;
  });
  return traced;
}

/** Where the diagram goes on for packets of the chain. */
export function inChain({ store }: Diagram, root: Ref, chain: BuiltinChain): Ref {
  if (store.pieceOf(root) !== firstPiece('chain')) return root;
  return store.follow(root, BUILTIN_CHAINS.indexOf(chain));
}

function chainRecord<T>(value: (chain: BuiltinChain) => T): Record<BuiltinChain, T> {
  return {
    BIND: value('BIND'),
    ACCEPT: value('ACCEPT'),
    CONNECT: value('CONNECT'),
    SENDTO: value('SENDTO'),
    RECVFROM: value('RECVFROM'),
  };
}

function factsOf(diagram: Diagram, chain: BuiltinChain, placed: readonly PlacedTest[]): ChainFacts {
  const { store, outcomes } = diagram;
  const seen = new RefMap(store.nodeCount);
  let canRefuse = false;
  let keepsMark = false;
  let leads = false;
  let asksGroup = false;
  const drawn = new Set<Luck>();
  const tested = new Set<number>();
  const visit = (ref: Ref): void => {
    if (seen.get(ref) !== undefined) return;
    seen.set(ref, 1);
    if (isTerminal(ref)) {
      const { verdict, ask } = elementAt(outcomes, terminalNumber(ref));
      canRefuse ||= verdict !== undefined && verdict.errno !== 0;
      keepsMark ||= (verdict?.rewriting.mark?.keep ?? 0n) !== 0n;
      if (verdict) leads ||= leadsElsewhere(verdict.rewriting);
      for (const rewriting of [verdict?.rewriting, ask?.as])
        for (const [, { among }] of changedParts(rewriting ?? UNCHANGED))
          if (among) drawn.add(among.by);
      if (!ask) return;
      asksGroup ||= looksAtGroup(elementAt(placed, ask.test).test);
      for (const each of [ask.holds, ask.fails]) visit(each);
      return;
    }
    tested.add(store.pieceOf(ref));
    for (let edge = store.firstEdge(ref); edge < store.endEdge(ref); edge++)
      visit(store.edgeTarget(edge));
  };
  for (const root of rootsOf(diagram, chain)) visit(inChain(diagram, root, chain));
  return chainFacts(tested, { canRefuse, leads, keepsMark, asksGroup }, drawn);
}

/** The facts of a chain whose nodes ask these pieces. */
export function chainFacts(
  tested: ReadonlySet<number>,
  {
    canRefuse,
    leads,
    keepsMark,
    asksGroup,
  }: Readonly<Record<'canRefuse' | 'leads' | 'keepsMark' | 'asksGroup', boolean>>,
  drawn: ReadonlySet<ReadField> = new Set(),
): ChainFacts {
  const tests = (field: Field) =>
    tested.has(firstPiece(field)) || tested.has(firstPiece(field) + 1);
  return {
    canRefuse: canRefuse || leads,
    leadsElsewhere: leads,
    testsGroup: asksGroup || tests('group'),
    testsOwner: tests('uid') || tests('gid'),
    testsMark: tests('mark') || keepsMark,
    details: READ_FIELDS.filter(
      (field) =>
        drawn.has(field) ||
        [...tested].some((piece) => piece < PIECES.length && pieceAt(piece).field === field),
    ),
  };
}

/**
 * Writes the diagram as nodes, the first at address `first`; `tests` are the table's opaque ones. With
 * `listeners` there are nodes of those as well, whose verdicts no counter counts.
 *
 * Throws CapacityError if a packet could take more steps than the programs make.
 */
export function encodeBlob(
  diagram: Diagram,
  first: number,
  tests: readonly PlacedTest[] = [],
  listeners?: Listeners,
): Blob {
  const writer = new Writer(first);
  const entries = writeDiagrams(writer, diagram, tests, (root, isFirst) =>
    isFirst ? BUILTIN_CHAINS.map((chain) => inChain(diagram, root, chain)) : [root],
  );
  const listenerEntries = listeners
    ? writer.write(listeners.store, listeners.roots, (ref) =>
        writer.putVerdict(ref === CLOSED ? constants.errno.EPERM : 0, 0),
      )
    : [];
  const { words } = writer;
  const longest = longestPath(words, first, [...entries, ...listenerEntries]);
  if (longest > MAX_STEPS - 1)
    throw new CapacityError('steps of a walk', longest, MAX_STEPS - 1, 'use fewer distinct values');
  return {
    words,
    first,
    entries: chainRecord((chain) => elementAt(entries, chainNumber(chain))),
    listenerEntries,
    asks: writer.asks,
    facts: chainRecord((chain) => factsOf(diagram, chain, tests)),
    layers: new Map([...diagram.layered].map(([chain, { layers }]) => [chain, layers])),
    longestPath: longest,
  };
}

/**
 * Writes where the diagrams go on from places: each goes on with the one behind it. Returns the addresses of the
 * places of the first.
 */
export function writeDiagrams(
  writer: Writer,
  diagram: Diagram,
  tests: readonly PlacedTest[],
  placesOf: (root: Ref, isFirst: boolean) => readonly Ref[],
): readonly number[] {
  const { store, roots } = diagram;
  const terminals = new Terminals(diagram);
  let next: number | undefined;
  let entries: number[] = [];
  roots.toReversed().forEach((root, fromEnd) => {
    const goOn = next;
    const isFirst = fromEnd === roots.length - 1;
    const addresses = writer.write(store, placesOf(root, isFirst), (ref, onward) => {
      const { outcome, isTraced } = terminals.of(ref);
      const traced = putCounts(writer, diagram, outcome, isTraced);
      const { ask } = outcome;
      if (ask) {
        const holds = terminals.as(ask.holds, traced);
        const fails = terminals.as(ask.fails, traced);
        writer.putAsk({ ...ask, holds, fails }, tests, onward);
      } else if (outcome.verdict) {
        writer.putRewriting(outcome.verdict.rewriting);
        writer.putVerdict(outcome.verdict.errno, outcome.verdict.decider);
      } else if (goOn !== undefined) {
        if (outcome.rank !== undefined) writer.putRank(outcome.rank);
        writer.putJump(goOn);
      } else throw new TypeError('the last diagram has no verdicts');
    });
    if (isFirst) entries = addresses;
    else next = addresses[0];
  });
  return entries;
}

/** Steps on the longest way from any of the entries to a verdict, that included. */
export function longestPath(words: Uint32Array, first: number, entries: readonly number[]): number {
  const known = new Map<number, number>();
  const visit = (address: number): number => {
    const steps = known.get(address);
    if (steps !== undefined) return steps;
    const at = 2 * (address - first);
    const op = elementAt(words, at) >>> 24;
    const target = elementAt(words, at + 1);
    const longest = 1 + behind(op, at, target, address);
    known.set(address, longest);
    return longest;
  };
  const behind = (op: number, at: number, target: number, address: number): number => {
    if (op === OP.verdict) return 0;
    if (op === OP.jump) return visit(target);
    if (op === OP.count || op === OP.report || op === OP.rewrite) return visit(address + 1);
    if (op === OP.ask) return Math.max(visit(target), visit(address + ASK_NODES));
    if (op !== OP.index) return Math.max(visit(target), visit(address + 1));
    let longest = 0;
    for (let n = 0; n <= target; n++)
      longest = Math.max(longest, visit(elementAt(words, at + 2 + n)));
    return longest;
  };
  return Math.max(...entries.map(visit));
}
