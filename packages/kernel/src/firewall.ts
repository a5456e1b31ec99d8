/**
 * The table in force on one cgroup root: how it is read, replaced and taken down.
 *
 * A commit never leaves a moment without a table. It
 *
 *     1. attaches what is missing, under a generation that lets pass what the hook would judge
 *     2. fills in the ids of control groups for the slot that the new generation will read
 *     3. loads and pins the new generation
 *     4. swaps: one system call, which returns when no program walks the old generation any more
 *     5. folds the old counters into the new generation's base, and unpins the old generation
 *     6. detaches what is not needed any more
 *
 * Whatever is interrupted up to 4 leaves the old table; what is interrupted later leaves the new one,
 * and the next command does what is left of 5. What an older release has put in force is taken over
 * first (upgrade.ts); programs of the same format but another release are replaced between 1 and 2.
 *
 * With a deadline the old generation keeps its pin and stands in the table's other slot: past the
 * deadline programs walk it again, whatever has become of those who set it. Only `confirm` and `undo`
 * change anything until then.
 */
import { join } from 'node:path';
import { clockOffsets, close, type Fd } from '@sockfilter/bpf';
import type { Answers } from '@sockfilter/diagram';
import {
  counterOwners,
  type Decision,
  elementAt,
  escapePath,
  type NamedSet,
  type Packet,
  placedTests,
  type SetElement,
  type Table,
  unescapePath,
} from '@sockfilter/table';
import { detach } from './attachment.js';
import { walkBlob } from './blobwalk.js';
import { clearBuckets } from './bucketmap.js';
import { countProcesses } from './cgrouptree.js';
import { type Environment, readEnvironment, requireRoot } from './environment.js';
import {
  readBlob,
  readSetSlots,
  readSlots,
  readStanding,
  readText,
  readTextBytes,
  readTotals,
  type Totals,
} from './generationmap.js';
import { JUDGING_HOOKS } from './hooks.js';
import {
  clearFallback,
  fold,
  type LoadedGeneration,
  loadPinned,
  putInForce,
  setFallback,
  unpinOthers,
} from './inforce.js';
import { closeInstance, type InForceInstance, type Instance, inspectInstance } from './instance.js';
import { FORMAT } from './layout.js';
import { takeLock } from './lock.js';
import { MAPS } from './mapnames.js';
import { closeMaps, createMaps, type Maps, openMap, openMaps, withSetMaps } from './maps.js';
import { type Draft, draftPart, type PartChange } from './partchange.js';
import { registrationOf } from './pathmap.js';
import { instanceName, Pins, using } from './pins.js';
import { prepareRoot } from './preparation.js';
import { programDigest } from './programs.js';
import { dropGoneReaders } from './readerslot.js';
import { removePins } from './removal.js';
import {
  addToSet,
  deleteFromSet,
  dropSets,
  type ElementOptions,
  emptySet,
  hasElement,
  placeSets,
  readSet,
  type SetMaps,
  type SetSlots,
} from './setmap.js';
import { assignSlots, clearSlots, type Slots, writeClock } from './statemap.js';
import { readStatus, type Status } from './status.js';
import { Surroundings } from './surroundings.js';
import { decodeTraits, traitsOf } from './traits.js';
import {
  abortTrial,
  fallbackText,
  goBack,
  type PendingTrial,
  pendingTrial,
  requirePending,
  TrialError,
} from './trial.js';
import { UnsupportedError } from './unsupported.js';
import { beginUpgrade, discardNext, endUpgrade } from './upgrade.js';
import { type Change, draftWhole, openGeneration } from './wholechange.js';

export interface FirewallOptions {
  /** The control group to police, by its path below the cgroup2 mount; `/` for all. */
  readonly root: string;
  /** Seconds to wait for the lock: 0 not at all, Infinity without end. */
  readonly wait: number;
  /** Whether it is only to be read, which others may do meanwhile: what would change something throws. */
  readonly readOnly?: boolean;
  /** Reads the text of a table in force back: an older release's is laid out anew from it. */
  readonly parse: (text: string) => Table;
}

/** What is in force. */
export interface InForce {
  /** The table in the save format. */
  readonly text: string;
  /** What each counter has come to, in the order of counterOwners(table). */
  readonly counters: readonly bigint[];
}

const LOCKS = '/run/sockfilter';

/** One instance, locked against other commands, or against those that change it, until it is closed. */
export class Firewall {
  readonly #environment: Environment;
  readonly #pins: Pins;
  readonly #lock: Fd;
  readonly #isReadOnly: boolean;
  readonly #parse: (text: string) => Table;
  #instance: Instance = { state: 'absent' };

  private constructor(environment: Environment, lock: Fd, options: FirewallOptions) {
    this.#environment = environment;
    this.#pins = Pins.of(environment.bpffs, environment.tree.root);
    this.#lock = lock;
    this.#isReadOnly = options.readOnly ?? false;
    this.#parse = options.parse;
  }

  /** Locks the instance and looks what is there. Throws LockedError, UnsupportedError, DamageError and BpfError. */
  static open(options: FirewallOptions): Firewall {
    const { root, wait, readOnly: shared = false } = options;
    const environment = readEnvironment(root);
    const name = instanceName(environment.tree.root);
    const lock = takeLock(join(LOCKS, `${name}.lock`), { wait, shared });
    try {
      const firewall = new Firewall(environment, lock, options);
      firewall.#instance = inspectInstance(firewall.#pins, environment.tree);
      // What is installed can be looked at and taken down also when its root is gone.
      if (firewall.#instance.state === 'absent') requireRoot(environment.tree);
      return firewall;
    } catch (error) {
      close(lock);
      throw error;
    }
  }

  /** The table in force, or undefined where nothing is installed. Throws DamageError. */
  read(): InForce | undefined {
    const { text, counters } = this;
    return text === undefined || !counters ? undefined : { text, counters };
  }

  /** What each counter has come to; undefined where nothing is installed. Throws DamageError. */
  get counters(): InForce['counters'] | undefined {
    const current = this.#inForce();
    if (!current) return undefined;
    const before = current.before && readTotals(current.before.fd, current.before.header);
    return [...readTotals(current.generation.fd, current.generation.header, before)];
  }

  /** What a person should know of what was found, whatever the command. */
  get warnings(): readonly string[] {
    const instance = this.#instance;
    if (instance.state !== 'inForce' || !instance.isCountLost) return [];
    return [
      'a commit was interrupted and the pin of the generation before it is gone: what that one had counted is lost',
    ];
  }

  /** The instance's name: that of its folder of pins. */
  get name(): string {
    return instanceName(this.#environment.tree.root);
  }

  /** The text in force in UTF-8; undefined where nothing is installed. Throws DamageError. */
  get textBytes(): Buffer<ArrayBuffer> | undefined {
    const generation = this.#inForce()?.generation;
    return generation && readTextBytes(generation.fd, generation.header);
  }

  /** The text in force; undefined where nothing is installed. Throws DamageError. */
  get text(): string | undefined {
    return this.textBytes?.toString('utf8');
  }

  /**
   * Whether the text in force says all of the table, and says it as this release prints it: so much of it can be told
   * without reading it.
   */
  get isPrinted(): boolean {
    const current = this.#inForce();
    if (current?.release !== 'own') return false;
    const { programs, sets, traits } = current.generation.header;
    const isOwn = programs === programDigest() && sets === 0;
    return isOwn && (decodeTraits(traits)?.isPrinted ?? false);
  }

  /** The text to go back to while a table is on trial; undefined if that is nothing. */
  get fallback(): string | undefined {
    const current = this.#inForce();
    return current && fallbackText(current);
  }

  /** The trial that is pending. */
  get trial(): PendingTrial | undefined {
    const current = this.#inForce();
    return current && pendingTrial(current);
  }

  /**
   * Puts a table in force, all of it at once; gives the final counters of the table before. Throws
   * TableError, LimitError, CapacityError, DamageError, TrialError and BpfError; nothing has changed then.
   */
  commit(change: Change): { before: ArrayLike<bigint> | undefined } {
    if (this.trial) throw new TrialError(this.trial.seconds);
    return this.#commitWhole(change);
  }

  /** Keeps the table that is on trial: it is in force without a deadline from here on. */
  confirm(): void {
    const { generation } = requirePending(this.#inForce());
    const text = readText(generation.fd, generation.header);
    const table = this.#parse(text);
    this.#commitWhole({
      table,
      text,
      isPrinted: decodeTraits(generation.header.traits)?.isPrinted ?? false,
      origins: counterOwners(table).map((_, n) => n),
      testOrigins: placedTests(table).map((_, n) => n),
      setOrigins: table.sets.map((_, n) => n),
    });
  }

  /** Puts the table back in force that the one on trial has taken the place of. */
  abort(): void {
    this.#requireChangeable();
    this.#instance = abortTrial(this.#pins, requirePending(this.#inForce()));
    this.#endUnfinished();
  }

  /** Removes what an interrupted first commit or teardown has left. */
  #endUnfinished(): void {
    if (this.#instance.state === 'unfinished') this.teardown();
  }

  /**
   * Puts a table in force that differs from the one in force in what one group's calls come to, in a policy, in counters
   * or in what stands before its rules. Gives false, and has changed nothing, where only a commit of the whole table can tell what that takes.
   * Throws as commit() does.
   */
  commitPart(change: PartChange): boolean {
    if (this.trial) throw new TrialError(this.trial.seconds);
    const current = this.#inForce();
    if (current?.release !== 'own' || current.trial || !this.isPrinted) return false;
    const { fd, header } = current.generation;
    const draft = draftPart(readStanding(fd, header), readSlots(fd, header), change);
    if (!draft) return false;
    requireRoot(this.#environment.tree);
    this.#commit(draft);
    return true;
  }

  #commitWhole(change: Change): { before: Totals | undefined } {
    this.#inForce();
    const { tree, cpus } = this.#environment;
    requireRoot(tree);
    // A group that can't be is told before all of the table is compiled.
    registrationOf(change.table.groups, escapePath(tree.root));
    return this.#commit(draftWhole(change, cpus));
  }

  #commit(draft: Draft): { before: Totals | undefined } {
    const { tree } = this.#environment;
    const wanted = registrationOf(draft.groups, escapePath(tree.root));
    this.#settle();
    this.#endUnfinished();
    const current = this.#inForce();
    const old = current?.generation;
    const maps = old ? openMaps(this.#pins) : createMaps(this.#pins);
    try {
      dropGoneReaders(this.name, maps.readers);
      const last = old ?? this.#install(maps);
      const { needs } = draft;
      const ids = prepareRoot(this.#pins, tree, maps, { last: last.header, wanted, needs });
      const slots = this.#slots(maps, draft, last);
      const inUse = slotsOf(last);
      const setSlots = placeSets(maps, draft.sets, draft.setOrigins, inUse);
      const laid = draft.lay({
        sequence: last.header.sequence + 1,
        idSlot: ids.slot,
        idEpoch: ids.epoch,
        programs: programDigest(),
        slots,
        setSlots,
      });
      const next = loadPinned(this.#pins, laid);
      const isTrial = draft.confirmWithin !== undefined;
      if (isTrial) setFallback(maps.table, last);
      putInForce(maps.table, next);
      const before = fold(last, next);
      unpinOthers(this.#pins, next, ...(isTrial ? [last] : []));
      if (isTrial) {
        // What it does not need, the one before may: nothing is detached.
        close(next.fd);
        this.#become(inspectInstance(this.#pins, tree));
        return { before: old && before };
      }
      // What a trial would have gone back to is let go of with it.
      const fallback = current?.trial && slotsOf(current.trial.other);
      this.#become(ownInForce(next));
      clearFallback(maps.table);
      dropSets(maps, [...inUse, ...(fallback ?? [])], setSlots);
      for (const hook of JUDGING_HOOKS) if (!needs(hook)) detach(this.#pins, hook);
      return { before: old && before };
    } catch (error) {
      this.#endUnfinished();
      throw error;
    } finally {
      closeMaps(maps);
    }
  }

  /** Whether the table in force has opaque tests. */
  get hasTests(): boolean {
    return (this.#inForce()?.generation.header.tests ?? 0) > 0;
  }

  /**
   * The table in force, whose text it was read from, with what its named sets hold at the moment; that is read when
   * somebody looks at it, while the instance is open.
   */
  fill(table: Table): Table {
    const generation = this.#inForce()?.generation;
    return generation ? this.#filled(table, generation) : table;
  }

  /** The same of the table to go back to while one is on trial. */
  fillFallback(table: Table): Table {
    const trial = this.#inForce()?.trial;
    return trial ? this.#filled(table, trial.other) : table;
  }

  #filled(table: Table, generation: LoadedGeneration): Table {
    if (table.sets.length === 0) return table;
    const slots = slotsOf(generation);
    const read = (set: NamedSet, n: number) =>
      this.#withSetMaps((maps) => readSet(maps, set, elementAt(slots, n)).elements);
    return {
      ...table,
      sets: table.sets.map((set, n) => lazySet(set, () => read(set, n))),
    };
  }

  /** Whether a set in force, of the table in force, holds the element at the moment. */
  hasElement(table: Table, set: NamedSet, element: SetElement): boolean {
    const slot = this.#slotOf(table, set);
    return this.#withSetMaps((maps) => hasElement(maps, set, slot, element));
  }

  /**
   * Adds elements to a set of the table in force, or takes them out, all or none. That is no commit: it holds
   * at once. Throws TableError, TrialError and BpfError; nothing has changed then.
   */
  editSet(
    table: Table,
    set: NamedSet,
    edit: 'add' | 'del',
    elements: readonly SetElement[],
    options: ElementOptions,
  ): void {
    const slot = this.#settledSlot(table, set);
    const run = edit === 'add' ? addToSet : deleteFromSet;
    this.#withSetMaps((maps) => run(maps, set, slot, elements, options));
  }

  /** Empties a set of the table in force, at one moment. */
  emptySet(table: Table, set: NamedSet): void {
    const slot = this.#settledSlot(table, set);
    this.#withSetMaps((maps) => emptySet(maps, set, slot));
  }

  #settledSlot(table: Table, set: NamedSet): number {
    if (this.trial) throw new TrialError(this.trial.seconds);
    this.#settle();
    return this.#slotOf(table, set);
  }

  #slotOf(table: Table, set: NamedSet): number {
    const generation = this.#ownInForce()?.generation;
    if (!generation) throw new TypeError('nothing is in force that has sets');
    return elementAt(slotsOf(generation), table.sets.indexOf(set));
  }

  /** What is attached where, for the table in force; undefined where nothing is installed. */
  status(table: () => Table): Status | undefined {
    const current = this.#inForce();
    if (!current) return undefined;
    const { release, generation } = current;
    const known = release === 'own' ? decodeTraits(generation.header.traits) : undefined;
    const traits = known ?? traitsOf(table());
    return readStatus(this.#pins, this.#environment.tree, current, traits);
  }

  /**
   * How many processes the control groups of each network_id have; undefined where nothing is installed,
   * or by another release.
   */
  countProcesses(): ReadonlyMap<number, number> | undefined {
    const current = this.#inForce();
    if (current?.release !== 'own') return undefined;
    const { idSlot } = current.generation.header;
    return this.#withMaps(({ groups }) => countProcesses(groups, this.#environment.tree, idSlot));
  }

  /**
   * What lies around the root, to be looked at while the instance is open or later; undefined where nothing is
   * installed. The caller closes it. Throws DamageError.
   */
  surroundings(): Surroundings | undefined {
    const current = this.#inForce();
    if (!current) return undefined;
    const { tree } = this.#environment;
    if (current.release !== 'own') return new Surroundings(tree, undefined);
    const slot = current.generation.header.idSlot;
    return new Surroundings(tree, { groups: openMap(this.#pins, 'groups'), slot });
  }

  /** What becomes of a call, by a walk of the blob in force; undefined where nothing is installed. */
  explain(packet: Packet): ((answers: Answers) => Decision) | undefined {
    const generation = this.#ownInForce()?.generation;
    if (!generation) return undefined;
    const blob = readBlob(generation.fd, generation.header);
    return (answers) => walkBlob(blob, packet, answers);
  }

  /**
   * Removes hooks, tracepoints, maps and pins; gives the names in the folder of pins that are not
   * ours, which stay. All calls proceed from the first step on: a table that lets everything pass
   * takes the place of the one in force before the hooks go one by one. Throws DamageError for what
   * is pinned elsewhere. Of another format's release the hooks go one by one
   * under its table.
   */
  teardown(): readonly string[] {
    this.#requireChangeable();
    const instance = this.#instance;
    if (instance.state === 'elsewhere') throw instance.error;
    const table = this.#pins.open(MAPS.table);
    if (table !== undefined)
      using(table, (fd) => {
        if (instance.state !== 'inForce' || instance.release !== 'own') return;
        const { sequence } = instance.generation.header;
        const open = loadPinned(this.#pins, openGeneration(sequence + 1, this.#environment.cpus));
        using(open.fd, () => putInForce(fd, open));
      });
    this.#become({ state: 'absent' });
    return removePins(this.#pins);
  }

  /** The directory of a control group, by its path below the cgroup2 mount. */
  cgroupDirectory(path: string): string {
    return join(this.#environment.tree.mount, unescapePath(path));
  }

  /** Lets the next command in. */
  close(): void {
    this.#become({ state: 'absent' });
    close(this.#lock);
  }

  #become(instance: Instance): void {
    closeInstance(this.#instance);
    this.#instance = instance;
  }

  /** What is in force; undefined where nothing is. Throws where it can't be told, or isn't ours. */
  #inForce(): InForceInstance | undefined {
    const instance = this.#instance;
    switch (instance.state) {
      case 'absent':
      case 'unfinished':
        return undefined;
      case 'inForce':
        return instance;
      case 'damaged':
      case 'elsewhere':
      case 'foreign':
        throw instance.error;
    }
  }

  /** What is in force, by programs of this release. */
  #ownInForce(): InForceInstance | undefined {
    const current = this.#inForce();
    if (!current || current.release === 'own') return current;
    throw new UnsupportedError(
      `an older release of sockfilter made what is in force (format ${current.generation.header.format}, not ${FORMAT})`,
      'the next change of the table takes it over: `sockfilter save > FILE && sockfilter restore FILE`, for example',
    );
  }

  #requireChangeable(): void {
    if (this.#isReadOnly) throw new TypeError('the instance is open to be read, not to be changed');
  }

  /**
   * Finishes what was left undone: an interrupted commit's counts and generation, a trial that was not
   * confirmed, an upgrade.
   */
  #settle(): void {
    this.#requireChangeable();
    const instance = this.#instance;
    if (instance.state !== 'inForce') return;
    const { generation, before, release, trial } = instance;
    if (trial?.state === 'undone') {
      this.#instance = goBack(this.#pins, instance);
      return;
    }
    if (before && release !== 'both') fold(before, generation);
    if (release !== 'own') {
      this.#upgrade(instance);
      return;
    }
    if (before) this.#dropSets(before, generation, ...(trial ? [trial.other] : []));
    unpinOthers(this.#pins, generation, ...(trial ? [trial.other] : []));
    discardNext(this.#pins);
    if (before) close(before.fd);
    this.#instance = { ...instance, before: undefined };
  }

  /** Lets go of the sets of a generation that is not in force any more. */
  #dropSets(gone: LoadedGeneration, ...kept: readonly LoadedGeneration[]): void {
    const slots = slotsOf(gone);
    if (slots.length === 0) return;
    this.#withSetMaps((maps) => dropSets(maps, slots, kept.flatMap(slotsOf)));
  }

  #withSetMaps<T>(use: (maps: SetMaps) => T): T {
    // What an upgrade has made so far may have been moved to its place, or not.
    const isBegun = this.#inForce()?.release === 'both';
    return withSetMaps(isBegun ? [this.#pins.next(), this.#pins] : [this.#pins], use);
  }

  #withMaps<T>(use: (maps: Maps) => T): T {
    const maps = openMaps(this.#pins);
    try {
      return use(maps);
    } finally {
      closeMaps(maps);
    }
  }

  /** Takes over from an older release, or goes on with that. */
  #upgrade({ generation, before, release }: InForceInstance): void {
    const place = { pins: this.#pins, environment: this.#environment };
    const table = this.#filled(this.#parse(readText(generation.fd, generation.header)), generation);
    if (release === 'older') beginUpgrade(place, generation, table);
    else endUpgrade(place, generation, before, table);
    this.#become(inspectInstance(this.#pins, this.#environment.tree));
    this.#settle();
  }

  /** Gives the opaque tests of the table slots: new ones are cleared before anything asks them. */
  #slots(
    { states, buckets }: Maps,
    { stateful, testOrigins }: Draft,
    last: LoadedGeneration,
  ): Slots {
    const inUse = readSlots(last.fd, last.header);
    const slots = assignSlots(stateful, testOrigins, inUse);
    clearSlots(states, slots, inUse);
    clearBuckets(buckets, inUse);
    writeClock(states, clockOffsets());
    return slots;
  }

  #install(maps: Maps): LoadedGeneration {
    const generation = loadPinned(this.#pins, openGeneration(0, this.#environment.cpus));
    putInForce(maps.table, generation);
    this.#become({ state: 'unfinished', generation });
    return generation;
  }
}

/** The set with elements that are read when somebody first looks at them. */
function lazySet(set: NamedSet, read: () => NamedSet['elements']): NamedSet {
  let elements: NamedSet['elements'] | undefined;
  return Object.defineProperty({ ...set }, 'elements', {
    get: () => {
      elements ??= read();
      return elements;
    },
    enumerable: true,
  });
}

function slotsOf({ fd, header }: LoadedGeneration): SetSlots {
  return readSetSlots(fd, header);
}

/** A generation that is all there is. */
function ownInForce(generation: LoadedGeneration): InForceInstance {
  return {
    state: 'inForce',
    generation,
    before: undefined,
    isCountLost: false,
    release: 'own',
    trial: undefined,
  };
}
