/** A table decided for all possible packets at once, and what can be asked of it. */
import {
  type Assume,
  type Chain,
  type CounterOwner,
  counterOwners,
  type Errno,
  elementAt,
  isFree,
  ownErrno,
  type Packet,
  type Rewriting,
  ruleTests,
  stepOf,
  type Table,
  UNCHANGED,
} from '@sockfilter/table';
import { build } from '../built.js';
import type { Limits } from '../limit.js';
import type { Verdict } from '../outcome.js';
import { leavesEarly } from '../placedrule.js';
import { withinLimits } from '../recorded.js';
import { singleLimits } from '../singlelimits.js';
import type { Ref } from '../store.js';
import { rewrites } from '../walk.js';
import { explainLimit } from '../wayout.js';
import { FreeTests } from './freetests.js';
import { intersect, type PacketSet, packetSet } from './packetset.js';
import { type Reached, reachChains } from './reach.js';
import { neededRules } from './removal.js';
import { reachRewritten } from './rewrittenreach.js';
import { IN, markOf, markRef, OUT, type SetStore } from './setstore.js';
import { SlicedTable } from './slices.js';
import { rulesThatMatter } from './variantcompiler.js';
import { witness, witnessWithin } from './witness.js';

/** What rules send out of their chain, and the packets that they do not. */
export interface Left {
  readonly leavers: readonly number[];
  readonly rest: PacketSet;
}

/** Which rules and policies decide packets: of a whole table, or of a slice. */
interface Deciders {
  /** The packets that can happen of which it tells. */
  readonly open: Ref;
  /**
   * Marked with the counter that decides each of them, and others: with as many marks as rules, which they are would
   * be said behind each of them once more.
   */
  readonly diagram: Ref;
  /** The counters that decide some of them. */
  readonly marks: ReadonlySet<number>;
}

/** Counters are numbered as counterOwners() orders them. Sets are of the universe that loaded the table. */
export class LoadedTable {
  readonly table: Table;
  readonly owners: readonly CounterOwner[];
  readonly store: SetStore;
  /** Marked with the errno of each possible packet; what opaque tests say is asked as well. */
  readonly errnos: Ref;
  /** The table in slices, if its deciders are too much for one diagram. */
  readonly #sliced: SlicedTable | undefined;
  /** Whether some rule of it rewrites calls. */
  readonly rewrites: boolean;
  readonly #leaving = new Map<Chain, Ref>();
  readonly #tests: FreeTests;
  #reached: Reached | undefined;
  #dead: readonly number[] | undefined;
  #redundant: readonly number[] | undefined;
  #deciders: readonly Deciders[] | undefined;
  #rewritings: Ref | undefined;

  /** @param assume what opaque tests are taken to say */
  constructor(store: SetStore, table: Table, assume?: Assume) {
    this.table = table;
    this.store = store;
    this.owners = counterOwners(table);
    this.rewrites = rewrites(table);
    this.#tests = new FreeTests(store, table, assume);
    const errnos = this.owners.map(ownErrno);
    const errnoOf = (counter: number) => errnos[counter] ?? missing(counter);
    const possible = (diagram: Ref) => store.guard(store.possible, diagram);
    const single = singleLimits(store.limits, this.owners.length);
    const recording = { verdicts: true, counts: () => false, asksSets: false };
    const tryWhole = (limits: Limits) => build(table, recording, limits, store.prepared);
    const first = withinLimits(() => tryWhole(single));
    this.#sliced = first ? undefined : withinLimits(() => this.#slice(errnoOf, single));
    if (this.#sliced) {
      this.errnos = this.#sliced.errnos;
      return;
    }
    const { compiler, root } = first ?? tryWhole(store.limits);
    const marked = (mark: (verdict: Verdict) => Ref) => {
      const known = new Map<Ref, Ref>();
      return store.diagrams.copyOne(compiler.store, root, (terminal) =>
        this.#tests.verdicts(compiler.outcomes, terminal, mark, known),
      );
    };
    const deciders = marked(({ decider }) => markRef(decider));
    this.#deciders = [this.#decidersIn(IN, deciders)];
    this.errnos = possible(
      store.replace(deciders, (terminal) => {
        const errno = errnos[markOf(terminal)];
        return errno === undefined ? OUT : markRef(errno);
      }),
    );
    if (this.rewrites)
      this.#rewritings = possible(
        marked(({ errno, rewriting }) =>
          errno === 0 ? markRef(store.rewritings.numberOf(rewriting)) : OUT,
        ),
      );
  }

  /** Whether its rules cross too much for one diagram to say which of them decides. */
  get isSliced(): boolean {
    return this.#sliced !== undefined;
  }

  /** The rule or policy whose counter it is. */
  ownerOf(counter: number): CounterOwner {
    return elementAt(this.owners, counter);
  }

  /** Marked with the number of how each possible packet is rewritten that may be accepted. */
  get rewritings(): Ref {
    const { store } = this;
    const unchanged = markRef(store.rewritings.numberOf(UNCHANGED));
    this.#rewritings ??= store.replace(this.errnos, (terminal) =>
      terminal === markRef(0) ? unchanged : OUT,
    );
    return this.#rewritings;
  }

  /** The packets whose call proceeds, or may do so: opaque tests have a say. */
  get mayAccept(): PacketSet {
    return this.#select((errno) => errno === 0);
  }

  /** The packets whose call fails or may fail, with whatever errno. */
  get mayRefuse(): PacketSet {
    return this.#select((errno) => errno > 0);
  }

  /** The packets that may go on rewritten, by how. */
  rewritten(): readonly { readonly rewriting: Rewriting; readonly set: PacketSet }[] {
    const { store } = this;
    if (!this.rewrites) return [];
    return ascending(store.marks(this.rewritings)).flatMap((mark) => {
      const rewriting = store.rewritings.at(mark);
      if (rewriting === UNCHANGED) return [];
      const found = store.select(this.rewritings, (terminal) => terminal === markRef(mark));
      return [{ rewriting, set: this.#set(found) }];
    });
  }

  /** The packets whose verdict the rule or policy gives, or may give. */
  decidedBy(counter: number): PacketSet {
    const { store } = this;
    const parts = this.#decidersOf(counter).map(({ open, diagram }) => {
      // Others than it describes come to it rewritten.
      const decided = this.rewrites ? diagram : store.guard(this.#condition(counter), diagram);
      return store.intersect(
        open,
        store.select(decided, (terminal) => terminal === markRef(counter)),
      );
    });
    return this.#set(store.overlayAll(parts, store.union));
  }

  /** The packets that the rule or policy counts, or may count. */
  countedBy(counter: number): PacketSet {
    const counted = this.#reach().counted.get(counter);
    return counted === undefined ? this.decidedBy(counter) : this.#set(counted);
  }

  /** A packet that the rule or policy counts, or may count: the witness of them all. */
  exampleOf(counter: number): Packet | undefined {
    const [only, another] = this.#decidersOf(counter);
    if (another || this.rewrites || this.#reach().counted.has(counter))
      return witness(this.countedBy(counter));
    if (!only) return undefined;
    const own = intersect(this.conditionOf(counter), packetSet(this.store, only.open));
    return witnessWithin(own, only.diagram, markRef(counter));
  }

  /** The packets that arrive at the chain: of a user chain, those that some call sends there. */
  arrivingAt(chain: string): PacketSet {
    return this.#set(this.#reach().arriving.get(chain) ?? OUT);
  }

  /** The packets that the rule's own matches describe, wherever it stands; a policy's are all of its chain. */
  conditionOf(counter: number): PacketSet {
    return packetSet(
      this.store,
      this.store.intersect(this.store.possible, this.#condition(counter)),
    );
  }

  /** The rules and policies that decide packets of the set, ascending. */
  deciders(set: PacketSet): readonly number[] {
    const { store } = this;
    if (set.store !== store) throw new TypeError('the set belongs to another universe');
    const found = this.#decidersAll().map(({ open, diagram }) =>
      store.marksWithin(store.intersect(open, set.ref), diagram),
    );
    return ascending(new Set(found.flatMap((marks) => [...marks])));
  }

  /**
   * The rules before this one that send packets of the set out of the chain without a verdict, as far
   * as their own matches tell; ascending. And what they leave of the set.
   */
  leaversBefore(counter: number, set: PacketSet): Left {
    const { store } = this;
    const { chain } = this.ownerOf(counter);
    const before = (mark: number) => mark >= 0 && mark < counter;
    const left = store.guard(set.ref, this.#leavingOf(chain));
    const gone = store.select(left, (terminal) => before(markOf(terminal)));
    return {
      leavers: ascending(store.marks(left)).filter(before),
      rest: packetSet(store, store.subtract(set.ref, gone)),
    };
  }

  /** The rules and policies that count no possible packet, ascending. */
  deadCounters(): readonly number[] {
    this.#dead ??= this.#findDead();
    return this.#dead;
  }

  #findDead(): readonly number[] {
    const counting = this.#reach().counted;
    const deciders = this.#decidersAll();
    const dead: number[] = [];
    for (let counter = 0; counter < this.owners.length; counter++) {
      const counted = counting.get(counter);
      const isAlive =
        counted === undefined ? deciders.some(({ marks }) => marks.has(counter)) : counted !== OUT;
      if (!isAlive) dead.push(counter);
    }
    return dead;
  }

  /**
   * The rules that count packets and yet could each be removed, one alone, without changing a verdict,
   * errno included; ascending. A rule without a target stands for its counter, and so does a call of a
   * chain that leads to one: they are never among these.
   */
  redundantCounters(): readonly number[] {
    this.#redundant ??= this.#findRedundant();
    return this.#redundant;
  }

  /** Whether every packet of the set gets this errno, and may get no other; 0 where its call proceeds. */
  isAlways(set: PacketSet, errno: Errno): boolean {
    return !this.store.marksOthers(set.ref, this.errnos, errno);
  }

  /** Those of the rules, by counter, that would change a verdict if their chain asked them first as well. */
  changingInFront(counters: ReadonlySet<number>): ReadonlySet<number> {
    if (counters.size === 0) return counters;
    const promotes = (counter: number) => counters.has(counter);
    return explainLimit(this.table, () => rulesThatMatter(this.store, this.table, { promotes }));
  }

  #slice(errnoOf: (counter: number) => Errno, limits: Limits): SlicedTable | undefined {
    if (this.rewrites) return undefined;
    const { store, table } = this;
    return new SlicedTable(store, table, {
      tests: this.#tests,
      limits,
      errnoOf,
      policies: this.#policies(),
    });
  }

  /** Marked with the counter of each built-in chain's policy. */
  #policies(): Ref {
    const parts = this.owners.flatMap(({ rule, chain }, counter) =>
      rule ? [] : [this.store.guard(this.store.chain(chain.name), markRef(counter))],
    );
    return this.store.overlayAll(parts);
  }

  #decidersIn(all: Ref, diagram: Ref): Deciders {
    const { store } = this;
    const open = store.intersect(store.possible, all);
    return { open, diagram, marks: store.marksWithin(open, diagram) };
  }

  #decidersAll(): readonly Deciders[] {
    this.#deciders ??= explainLimit(this.table, () =>
      (this.#sliced?.slices ?? []).map(({ open, deciders }) => this.#decidersIn(open, deciders)),
    );
    return this.#deciders;
  }

  #decidersOf(counter: number): readonly Deciders[] {
    return this.#decidersAll().filter(({ marks }) => marks.has(counter));
  }

  #findRedundant(): readonly number[] {
    const { candidates, needed } = explainLimit(this.table, () =>
      neededRules(this.store, this.table, this.#sliced?.slices),
    );
    const dead = new Set(this.deadCounters());
    return candidates.filter((counter) => !dead.has(counter) && !needed.has(counter));
  }

  /** Marked with the counter of the first rule of the chain that sends each packet out of it. */
  #leavingOf(chain: Chain): Ref {
    const known = this.#leaving.get(chain);
    if (known !== undefined) return known;
    const { store, table } = this;
    const leavers = this.owners.flatMap((owner, counter): readonly Ref[] => {
      const { rule } = owner;
      if (!rule || owner.chain !== chain || !leavesEarly({ step: stepOf(rule.target) })) return [];
      // One that asks a test as well may let any packet stay.
      if (ruleTests(rule, table).some(isFree)) return [];
      return [store.guard(this.#condition(counter), markRef(counter))];
    });
    const leaving = store.overlayAll(leavers);
    this.#leaving.set(chain, leaving);
    return leaving;
  }

  #reach(): Reached {
    this.#reached ??= explainLimit(this.table, () =>
      this.rewrites
        ? reachRewritten(this.store, this.table, this.#tests)
        : reachChains(this.store, this.table, this.#sliced?.slices),
    );
    return this.#reached;
  }

  #condition(counter: number): Ref {
    const { rule, chain } = this.ownerOf(counter);
    return rule
      ? this.store.conditions.compileRule({ rule }, this.table, IN)
      : this.store.chain(chain.name);
  }

  #select(wanted: (errno: Errno) => boolean): PacketSet {
    const { store, errnos } = this;
    return this.#set(
      store.select(errnos, (terminal) => terminal !== OUT && wanted(markOf(terminal))),
    );
  }

  /** The packets of which some answers of the opaque tests are in the set. */
  #set(ref: Ref): PacketSet {
    return packetSet(this.store, this.#tests.possible(ref));
  }
}

function missing(counter: number): never {
  throw new TypeError(`counter ${counter} gives no verdict`);
}

function ascending(counters: ReadonlySet<number>): readonly number[] {
  return [...counters].sort((a, b) => a - b);
}
