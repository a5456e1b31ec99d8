/**
 * Where a rule has to stand so that a table accepts a call that it refuses, and what the call is there: before what
 * refuses it, so that rules which rewrite it still do.
 */
import { MOST_WALKS } from '@sockfilter/diagram';
import { type Counted, Tracer } from '@sockfilter/policy';
import {
  type CounterOwner,
  calledChain,
  counterOwners,
  destinationsOf,
  type Evaluate,
  elementAt,
  evaluator,
  isDrawn,
  isFree,
  isUnchanged,
  ownerName,
  type Packet,
  placedTests,
  type Rewriting,
  type Rule,
  rewrite,
  rewriteTwice,
  rewritingOf,
  type Table,
  UNCHANGED,
} from '@sockfilter/table';

export interface Place {
  readonly chain: string;
  /** The number that the new rule gets. */
  readonly number: number;
  /** The call as it comes there. */
  readonly packet: Packet;
  /** The chain is the one that `learn` has made, in which no rule has to name the group. */
  readonly isLearned: boolean;
}

/** Why there is no such place that is known. */
export interface Unplaced {
  readonly reason: string;
}

/** One way of the call through the rules. */
interface Route {
  readonly isRefused: boolean;
  /** The rules that it met, and the rule or policy that decided. */
  readonly met: readonly CounterOwner[];
  /** Which of them rewrites it last; -1 if none does. */
  readonly last: number;
  /** How it is rewritten by then. */
  readonly as: Rewriting;
}

const rewritingBy = ({ rule }: CounterOwner) => rewritingOf(rule?.target);

function routeOf({ errno, counted }: Pick<Counted, 'errno' | 'counted'>): Route {
  return {
    isRefused: errno !== 0,
    met: counted,
    last: counted.findLastIndex((owner) => !isUnchanged(rewritingBy(owner))),
    as: counted.reduce((as, owner) => rewriteTwice(as, rewritingBy(owner)), UNCHANGED),
  };
}

/** The call as it is rewritten; undefined if it gets one of several destinations. */
function rewritten(packet: Packet, as: Rewriting): Packet | undefined {
  const { address, port } = destinationsOf(packet, as);
  if (address.first !== address.last || port.first !== port.last) return undefined;
  return rewrite(packet, as);
}

const hasSameDestination = (one: Packet, two: Packet) =>
  one.destination === two.destination && one.destinationPort === two.destinationPort;

/** The call as it is on each of the ways; undefined where that differs, or is chosen. */
function onAll(packet: Packet, routes: readonly Route[]): Packet | undefined {
  const [first, ...others] = routes.map(({ as }) => rewritten(packet, as));
  const isOne = first && others.every((other) => other && hasSameDestination(first, other));
  return isOne ? first : undefined;
}

/** The rule that the owner is, behind those that have called its chain, the built-in chain's first. */
function framesOf(met: readonly CounterOwner[], owner: CounterOwner): readonly CounterOwner[] {
  const frames = [owner];
  let at = met.lastIndexOf(owner);
  for (;;) {
    const name = frames[0]?.chain.name;
    at = met.slice(0, at).findLastIndex(({ rule }) => calledChain(rule?.target) === name);
    const caller = met[at];
    if (!caller) return frames;
    frames.unshift(caller);
  }
}

const isGoto = ({ rule }: CounterOwner) => rule?.target?.kind === 'goto';

/** What refuses the call: for a policy the rule of its chain by which the call has come to it, if it was one. */
function endOf(met: readonly CounterOwner[]): CounterOwner {
  const decider = elementAt(met, met.length - 1);
  if (decider.rule) return decider;
  const left = met.findLast(({ chain, rule }) => rule && chain === decider.chain);
  return left && (isGoto(left) || left.rule?.target?.kind === 'return') ? left : decider;
}

const isSame = (one: CounterOwner, two: CounterOwner | undefined) =>
  one.chain === two?.chain && one.number === two.number;

/** How many frames, the outermost first, are the same. */
function sharedFrames(some: readonly CounterOwner[], others: readonly CounterOwner[]): number {
  const other = some.findIndex((frame, depth) => !isSame(frame, others[depth]));
  return other < 0 ? some.length : other;
}

/** The rules that lead to the one by which the call is rewritten last, and those that lead to its end. */
interface Turn {
  readonly rewriting: readonly CounterOwner[];
  readonly end: readonly CounterOwner[];
}

function turnOf({ met, last }: Route): Turn {
  const rewriting = met[last];
  return { rewriting: rewriting ? framesOf(met, rewriting) : [], end: framesOf(met, endOf(met)) };
}

/** How deep the call is still when it has come back as far as it does behind the rule that rewrites it last. */
const depthOf = ({ rewriting, end }: Turn) => sharedFrames(rewriting, end);

/** The number of a new rule so deep that comes before the end and behind what rewrites the call. */
function numberAt({ rewriting, end }: Turn, depth: number): number {
  const isThere = sharedFrames(rewriting, end) >= depth && end[depth];
  return isThere ? isThere.number : elementAt(rewriting, depth).number + 1;
}

/** Before what refuses the call, in the outermost chain in which it comes there as it goes on then. */
function beforeEnd(packet: Packet, routes: readonly Route[]): Place | Unplaced {
  const turns = routes.filter(({ isRefused }) => isRefused).map(turnOf);
  const { rewriting, end } = elementAt(turns, 0);
  const isOneWay = turns.every(
    (turn) =>
      turn.rewriting.length === rewriting.length &&
      sharedFrames(turn.rewriting, rewriting) === rewriting.length,
  );
  const depth = isOneWay ? Math.max(...turns.map(depthOf)) : rewriting.length - 1;
  const { chain, number } = elementAt(rewriting.length > 0 ? rewriting : end, depth);
  const comes = ({ met }: Route) =>
    met.filter(({ rule }) => calledChain(rule?.target) === chain.name).length;
  if (routes.some((route) => comes(route) > 1))
    return { reason: `they come to chain ${chain.name}, which rewrites them, more than once` };
  return {
    chain: chain.name,
    number: isOneWay ? Math.min(...turns.map((turn) => numberAt(turn, depth))) : number + 1,
    packet,
    isLearned: false,
  };
}

/** Before the DROP at the end of the chain that was learned, if that decides each time. */
function inLearned(packet: Packet, routes: readonly Route[], learned: string): Place | undefined {
  const refused = routes.filter(({ isRefused }) => isRefused);
  const ends = refused.map(({ met }) => met.at(-1));
  const [end] = ends;
  if (end?.rule?.target?.kind !== 'drop' || end.chain.name !== learned) return undefined;
  const isLast = end.rule.matches.length === 0 && end.number === end.chain.rules.length;
  const here = onAll(packet, refused);
  if (!isLast || !here || ends.some((each) => each?.rule !== end.rule)) return undefined;
  return { chain: learned, number: end.number, packet: here, isLearned: true };
}

function reasonOf(packet: Packet, routes: readonly Route[]): string {
  const drawing = routes
    .filter(({ as }) => !rewritten(packet, as))
    .flatMap(({ met }) => met.filter((owner) => !rewritten(packet, rewritingBy(owner))));
  const [draws] = drawing;
  if (draws) return `${ownerName(draws)} gives them one of several destinations`;
  const rewriting = routes.find(({ last }) => last >= 0);
  const owner = rewriting?.met[rewriting.last];
  return owner
    ? `what ${ownerName(owner)} makes of them depends on a clock, a state or chance`
    : 'what they meet depends on too many clocks, states or chances';
}

/** Places of calls in one table. */
export class Placer {
  readonly #table: Table;
  readonly #evaluate: Evaluate;
  readonly #owners: readonly CounterOwner[];
  /** Whether more than a call has a say in what becomes of it. */
  readonly #isFree: boolean;
  #tracer: Tracer | undefined;

  /** @param table a valid one, in which what is only audited refuses */
  constructor(table: Table) {
    this.#table = table;
    this.#evaluate = evaluator(table);
    this.#owners = counterOwners(table);
    this.#isFree = placedTests(table).some(({ test }) => isFree(test));
  }

  #routes(packet: Packet): readonly Route[] {
    if (this.#isFree) return this.#everyRoute(packet);
    const { errno, counted } = this.#evaluate(packet);
    const met = counted.map((counter) => elementAt(this.#owners, counter));
    return met.some((owner) => isDrawn(rewritingBy(owner)))
      ? this.#everyRoute(packet)
      : [routeOf({ errno, counted: met })];
  }

  #everyRoute(packet: Packet): readonly Route[] {
    this.#tracer ??= new Tracer(this.#table);
    return this.#tracer.countedWays(packet).map(({ result }) => routeOf(result));
  }

  /** @param learned the chain that `learn` makes for the call */
  place(packet: Packet, learned?: string): Place | Unplaced {
    const routes = this.#routes(packet);
    if (!routes.some(({ isRefused }) => isRefused)) return { reason: 'nothing refuses them' };
    const rewriting = new Set(routes.map(({ met, last }) => met[last]?.rule));
    const isKnown = routes.length < MOST_WALKS;
    const inside = isKnown && learned !== undefined && inLearned(packet, routes, learned);
    if (inside) return inside;
    const here = isKnown && rewriting.size === 1 && onAll(packet, routes);
    return here ? beforeEnd(here, routes) : { reason: reasonOf(packet, routes) };
  }

  /** The rules that let the call pass as another than it is to become. */
  misleading(packet: Packet, becomes: Packet): readonly Rule[] {
    return this.#routes(packet).flatMap((route) => {
      const here = rewritten(packet, route.as);
      const decider = route.met.at(-1)?.rule;
      const isRight = here && hasSameDestination(here, becomes);
      return decider && !route.isRefused && !isRight ? [decider] : [];
    });
  }
}
