/**
 * Many diagrams laid over each other, the earlier ones in front: what a chain's rules come to.
 *
 * Joined two by two, every rule would be copied once for each halving. But most rules that follow each other differ
 * in a value alone, and conditions that no packet meets together can be sorted, whatever their order: where all
 * diagrams ask one piece, each in one interval of it, those whose intervals are equal are laid over each other
 * behind it, and intervals that meet no others stand beside them, so that each node is made once. What is left, of
 * intervals that overlap, is cut by few borders where that is cheap, else joined in halves.
 */
import { elementAt } from '@sockfilter/table';
import { IntervalPaths, isLink, type Link } from './intervalpath.js';
import { NONE, type Operation } from './operation.js';
import { PAST_VALUES } from './piece.js';
import { type DiagramStore, isTerminal, PAST_ALL, type Ref } from './store.js';

export interface OverlayRules {
  /** What two diagrams come to, the first in front; NONE leaves the other as it is. */
  readonly pair: Operation;
  /** Whether nothing behind the terminal, which is not NONE, can change it. */
  readonly isOver: (terminal: Ref) => boolean;
  /** Runs what is done with the parts from one to the other, by their places. */
  readonly during?: (<T>(from: number, to: number, work: () => T) => T) | undefined;
  /** Where those parts lie that are links. */
  readonly paths?: IntervalPaths;
  /** The terminal that lies below all of them, NONE if left out: so nothing is made without it first. */
  readonly below?: Ref;
}

/** Diagrams in their order, and the place of each among all parts. */
interface Layers {
  readonly refs: readonly (Ref | Link)[];
  readonly places: readonly number[];
}

/** Layers that differ in NONE and one other target of a piece: values from `starts` up to, without, `ends` lead to it. */
interface Strips extends Layers {
  readonly starts: readonly number[];
  readonly ends: readonly number[];
}

/** Where values from each start on lead; starts ascend, 0 first. */
interface Segments {
  readonly starts: number[];
  readonly targets: Ref[];
}

/** Of a value and the place of a layer one number is made, which sorts by both. */
const LAYERS = 2 ** 32;

class Overlay {
  readonly #store: DiagramStore;
  readonly #pair: Operation;
  readonly #isOver: (terminal: Ref) => boolean;
  readonly #during: <T>(from: number, to: number, work: () => T) => T;
  readonly #paths: IntervalPaths;
  /** How many layers more may be looked at for those that lie on both sides of a border. */
  #spare: number;

  constructor(
    store: DiagramStore,
    { pair, isOver, during, paths = new IntervalPaths() }: OverlayRules,
    spare: number,
  ) {
    this.#store = store;
    this.#pair = pair;
    this.#isOver = isOver;
    this.#paths = paths;
    this.#during = during ?? ((_, __, work) => work());
    this.#spare = spare;
  }

  /** The layers over a terminal. */
  all(layers: Layers, below: Ref): Ref {
    const seen = this.#seen(layers);
    const { refs, places } = seen;
    const [first = NONE, second] = refs;
    if (second === undefined) return this.#made(first, below);
    if (refs.length === 2)
      return this.#during(elementAt(places, 0), elementAt(places, 1), () =>
        this.#pair(this.#made(first, NONE), this.#made(second, below)),
      );
    let piece = PAST_ALL;
    for (let n = 0; n < refs.length; n++)
      piece = Math.min(piece, this.#pieceOf(elementAt(refs, n)));
    const strips = piece === PAST_ALL ? undefined : this.#strips(piece, seen);
    if (!strips) return this.#halves(seen, below);
    const { starts, targets } = this.#segments(strips, below);
    const row = this.#store.row(piece);
    for (let n = 0; n < starts.length; n++) row.push(elementAt(starts, n), elementAt(targets, n));
    return this.#store.intern(piece);
  }

  #made(ref: Ref | Link, below: Ref): Ref {
    if (!isLink(ref)) return below === NONE ? ref : this.#pair(ref, below);
    return this.#paths.made(ref, this.#store, below, this.#pair);
  }

  #pieceOf(ref: Ref | Link): number {
    return isLink(ref) ? this.#paths.pieceOf(ref) : this.#store.pieceOf(ref);
  }

  /** Without those that say nothing, and up to the first that lets nothing through. */
  #seen({ refs, places }: Layers): Layers {
    const end = refs.findIndex((ref) => ref !== NONE && isTerminal(ref) && this.#isOver(ref));
    const isAll = (end < 0 || end === refs.length - 1) && !refs.includes(NONE);
    if (isAll) return { refs, places };
    const kept: (Ref | Link)[] = [];
    const at: number[] = [];
    for (const [n, ref] of (end < 0 ? refs : refs.slice(0, end + 1)).entries())
      if (ref !== NONE) {
        kept.push(ref);
        at.push(elementAt(places, n));
      }
    return { refs: kept, places: at };
  }

  #halves({ refs, places }: Layers, below: Ref): Ref {
    const middle = (refs.length + 1) >> 1;
    const first = this.all({ refs: refs.slice(0, middle), places: places.slice(0, middle) }, NONE);
    const second = this.all({ refs: refs.slice(middle), places: places.slice(middle) }, below);
    return this.#during(elementAt(places, 0), elementAt(places, places.length - 1), () =>
      this.#pair(first, second),
    );
  }

  /** Undefined if a layer leads to something in more than one interval of the piece. */
  #strips(piece: number, { refs, places }: Layers): Strips | undefined {
    const store = this.#store;
    // As long as they get: lists of all rules that grow leave as much behind.
    const starts = new Array<number>(refs.length);
    const ends = new Array<number>(refs.length);
    const targets = new Array<Ref | Link>(refs.length);
    for (let n = 0; n < refs.length; n++) {
      const ref = elementAt(refs, n);
      if (isLink(ref) && this.#paths.pieceOf(ref) === piece) {
        starts[n] = this.#paths.from(ref);
        ends[n] = this.#paths.end(ref);
        targets[n] = this.#paths.behind(ref);
        continue;
      }
      if (isLink(ref) || store.pieceOf(ref) !== piece) {
        starts[n] = 0;
        ends[n] = PAST_VALUES;
        targets[n] = ref;
        continue;
      }
      const end = store.endEdge(ref);
      let found = -1;
      for (let edge = store.firstEdge(ref); edge < end; edge++) {
        if (store.edgeTarget(edge) === NONE) continue;
        if (found >= 0) return undefined;
        found = edge;
      }
      starts[n] = store.edgeStart(found);
      ends[n] = found + 1 < end ? store.edgeStart(found + 1) : PAST_VALUES;
      targets[n] = store.edgeTarget(found);
    }
    store.spend(refs.length);
    return { refs: targets, places, starts, ends };
  }

  #segments(strips: Strips, below: Ref): Segments {
    const { starts, ends, refs } = strips;
    const alike = this.#alike(strips, below);
    if (alike) return alike;
    const sorted = new Float64Array(starts.length);
    for (let n = 0; n < sorted.length; n++) sorted[n] = elementAt(starts, n) * LAYERS + n;
    sorted.sort();
    const made: Segments = { starts: [0], targets: [below] };
    for (let from = 0; from < sorted.length; ) {
      const start = Math.floor(elementAt(sorted, from) / LAYERS);
      const only = elementAt(sorted, from) % LAYERS;
      const onlyEnd = elementAt(ends, only);
      if (from + 1 === sorted.length || elementAt(sorted, from + 1) >= onlyEnd * LAYERS) {
        put(made, start, this.#made(elementAt(refs, only), below));
        if (onlyEnd < PAST_VALUES) put(made, onlyEnd, below);
        from++;
        continue;
      }
      const members: number[] = [];
      let end = start;
      let areEqual = true;
      for (; from < sorted.length; from++) {
        const key = elementAt(sorted, from);
        const at = Math.floor(key / LAYERS);
        const n = key % LAYERS;
        if (members.length > 0 && at >= end) break;
        const to = elementAt(ends, n);
        areEqual &&= members.length === 0 || (at === start && to === end);
        end = Math.max(end, to);
        members.push(n);
      }
      if (areEqual) put(made, start, this.all(pick(strips, members), below));
      else
        this.#putOverlapping(
          made,
          start,
          strips,
          members.sort((a, b) => a - b),
          below,
        );
      if (end < PAST_VALUES) put(made, end, below);
    }
    return made;
  }

  /** Where all lie in one interval; undefined otherwise. */
  #alike({ refs, places, starts, ends }: Strips, below: Ref): Segments | undefined {
    const start = elementAt(starts, 0);
    const end = elementAt(ends, 0);
    for (let n = 1; n < starts.length; n++)
      if (starts[n] !== start || ends[n] !== end) return undefined;
    const made: Segments = { starts: [0], targets: [below] };
    put(made, start, this.all({ refs, places }, below));
    if (end < PAST_VALUES) put(made, end, below);
    return made;
  }

  #putOverlapping(
    made: Segments,
    from: number,
    strips: Strips,
    members: readonly number[],
    below: Ref,
  ): void {
    const cut = this.#cut(strips, members, below);
    if (cut) {
      for (let n = 0; n < cut.starts.length; n++)
        put(made, elementAt(cut.starts, n), elementAt(cut.targets, n));
      return;
    }
    const middle = (members.length + 1) >> 1;
    const segments = (part: readonly number[], under: Ref) =>
      this.#segments(
        {
          ...pick(strips, part),
          starts: part.map((n) => elementAt(strips.starts, n)),
          ends: part.map((n) => elementAt(strips.ends, n)),
        },
        under,
      );
    const first = segments(members.slice(0, middle), NONE);
    const second = segments(members.slice(middle), below);
    const place = (n: number | undefined) => elementAt(strips.places, n ?? 0);
    this.#during(place(members[0]), place(members.at(-1)), () =>
      this.#join(made, from, first, second),
    );
  }

  /** What lies between each two borders, if so few layers lie on both sides of one that it is worth while. */
  #cut(
    { refs, places, starts, ends }: Strips,
    members: readonly number[],
    below: Ref,
  ): Segments | undefined {
    const borders = new Set<number>();
    for (const n of members) {
      borders.add(elementAt(starts, n));
      borders.add(elementAt(ends, n));
      if (borders.size > MOST_BORDERS) return undefined;
    }
    const sorted = [...borders].sort((a, b) => a - b);
    sorted.pop();
    const between = sorted.map((border) =>
      members.filter((n) => elementAt(starts, n) <= border && border < elementAt(ends, n)),
    );
    const more = between.reduce((sum, { length }) => sum + length, 0) - members.length;
    if (more > this.#spare) return undefined;
    this.#spare -= more;
    const known = new Map<string, Ref>();
    const targets = between.map((part) => {
      const key = part.join();
      const target = known.get(key) ?? this.all(pick({ refs, places }, part), below);
      known.set(key, target);
      return target;
    });
    return { starts: sorted, targets };
  }

  /** From the value on. */
  #join(made: Segments, from: number, first: Segments, second: Segments): void {
    let [a, b] = [0, 0];
    for (let start = 0; start < PAST_VALUES; ) {
      if (start >= from)
        put(made, start, this.#pair(elementAt(first.targets, a), elementAt(second.targets, b)));
      const nextA = first.starts[a + 1] ?? PAST_VALUES;
      const nextB = second.starts[b + 1] ?? PAST_VALUES;
      start = Math.min(nextA, nextB);
      if (nextA === start) a++;
      if (nextB === start) b++;
    }
    this.#store.spend(first.starts.length + second.starts.length);
  }
}

/** More borders than that are not looked at one by one. */
const MOST_BORDERS = 8;

/** Of the layers those members, which ascend. */
function pick({ refs, places }: Layers, members: readonly number[]): Layers {
  if (members.length === refs.length) return { refs, places };
  return {
    refs: members.map((n) => elementAt(refs, n)),
    places: members.map((n) => elementAt(places, n)),
  };
}

/** Values from the start on lead to the target; what was said of them before is no more. */
function put({ starts, targets }: Segments, start: number, target: Ref): void {
  while (starts.length > 0 && elementAt(starts, starts.length - 1) >= start) {
    starts.pop();
    targets.pop();
  }
  if (targets.at(-1) === target) return;
  starts.push(start);
  targets.push(target);
}

/** The parts laid over each other, the first in front. */
export function overlayAll(
  store: DiagramStore,
  parts: readonly (Ref | Link)[],
  rules: OverlayRules,
): Ref {
  const places = parts.map((_, n) => n);
  const { below = NONE } = rules;
  return new Overlay(store, rules, parts.length).all({ refs: parts, places }, below);
}
