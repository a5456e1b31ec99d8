/** The table in force on one cgroup root: how it is read, replaced and taken down. */
import { join } from 'node:path';
import { close, type Fd } from '@sockfilter/bpf';
import type { Answers } from '@sockfilter/diagram';
import {
  counterOwners,
  type Decision,
  escapePath,
  type NamedSet,
  type Packet,
  placedTests,
  type SetElement,
  type Table,
  unescapePath,
} from '@sockfilter/table';
import { walkBlob } from './blobwalk.js';
import { countProcesses } from './cgrouptree.js';
import { letGo, swap } from './commit.js';
import { type Environment, readEnvironment, requireRoot } from './environment.js';
import {
  readBlob,
  readSlots,
  readStanding,
  readText,
  readTextBytes,
  readTotals,
  type Totals,
} from './generationmap.js';
import { HeldSets, setSlotsOf } from './heldsets.js';
import { fold, type LoadedGeneration, loadPinned, putInForce, unpinOthers } from './inforce.js';
import {
  closeInstance,
  type InForceInstance,
  type Instance,
  inForceOf,
  inspectInstance,
  ownInForce,
} from './instance.js';
import { FORMAT } from './layout.js';
import { takeLock } from './lock.js';
import { MAPS } from './mapnames.js';
import { closeMaps, createMaps, type Maps, openMap, openMaps } from './maps.js';
import { type Draft, draftPart, type PartChange } from './partchange.js';
import { registrationOf } from './pathmap.js';
import { instanceName, Pins, using } from './pins.js';
import { programDigest } from './programs.js';
import { dropGoneReaders } from './readerslot.js';
import { removePins } from './removal.js';
import type { ElementOptions } from './setmap.js';
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
import { beginUpgrade, discardNext, endUpgrade, type Place } from './upgrade.js';
import { type Difference, verify } from './verification.js';
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

  /** How many rules the table in force has; undefined where nothing is installed. */
  get rules(): number | undefined {
    return this.#inForce()?.generation.header.rules;
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
    const wanted = draft.groups && registrationOf(draft.groups, escapePath(tree.root));
    this.#settle();
    this.#endUnfinished();
    const current = this.#inForce();
    const maps = current ? openMaps(this.#pins) : createMaps(this.#pins);
    try {
      dropGoneReaders(this.name, maps.readers);
      const last = current?.generation ?? this.#install(maps);
      const { next, before, setSlots } = swap(this.#place, maps, { draft, wanted, last });
      const result = { before: current && before };
      if (draft.confirmWithin !== undefined) {
        // What it does not need, the one before may: nothing is let go of.
        close(next.fd);
        this.#become(inspectInstance(this.#pins, tree));
        return result;
      }
      // What a trial would have gone back to is let go of with it.
      const gone = [last, ...(current?.trial ? [current.trial.other] : [])].flatMap(setSlotsOf);
      this.#become(ownInForce(next));
      letGo(this.#pins, maps, draft, { gone, kept: setSlots });
      return result;
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
    return generation ? this.#setsOf(generation).fill(table) : table;
  }

  /** The same of the table to go back to while one is on trial. */
  fillFallback(table: Table): Table {
    const trial = this.#inForce()?.trial;
    return trial ? this.#setsOf(trial.other).fill(table) : table;
  }

  /** Whether a set in force, of the table in force, holds the element at the moment. */
  hasElement(table: Table, set: NamedSet, element: SetElement): boolean {
    return this.#ownSets().has(table, set, element);
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
    this.#settledSets().edit(table, set, edit, elements, options);
  }

  /** Empties a set of the table in force, at one moment. */
  emptySet(table: Table, set: NamedSet): void {
    this.#settledSets().empty(table, set);
  }

  #settledSets(): HeldSets {
    if (this.trial) throw new TrialError(this.trial.seconds);
    this.#settle();
    return this.#ownSets();
  }

  #ownSets(): HeldSets {
    const generation = this.#ownInForce()?.generation;
    if (!generation) throw new TypeError('nothing is in force that has sets');
    return this.#setsOf(generation);
  }

  #setsOf(generation: LoadedGeneration): HeldSets {
    // What an upgrade has made so far may have been moved to its place, or not.
    const isBegun = this.#inForce()?.release === 'both';
    return new HeldSets(generation, isBegun ? [this.#pins.next(), this.#pins] : [this.#pins]);
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

  /**
   * What of the table in force is not what the table says that its text was read to; undefined where nothing is installed.
   * Throws LimitError and CapacityError where that can't be compiled any more.
   */
  verify(table: Table): readonly Difference[] | undefined {
    const generation = this.#ownInForce()?.generation;
    if (!generation) return undefined;
    const { tree } = this.#environment;
    return this.#withMaps((maps) => verify({ pins: this.#pins, tree, generation, maps }, table));
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
        const empty = openGeneration(sequence + 1, this.#environment.cpus);
        const open = loadPinned(this.#pins, fd, empty);
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
    return inForceOf(this.#instance);
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
    if (before) this.#setsOf(before).drop(generation, ...(trial ? [trial.other] : []));
    unpinOthers(this.#pins, generation, ...(trial ? [trial.other] : []));
    discardNext(this.#pins);
    if (before) close(before.fd);
    this.#instance = { ...instance, before: undefined };
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
    const table = this.fill(this.#parse(readText(generation.fd, generation.header)));
    if (release === 'older') beginUpgrade(this.#place, generation, table);
    else endUpgrade(this.#place, generation, before, table);
    this.#become(inspectInstance(this.#pins, this.#environment.tree));
    this.#settle();
  }

  /** Puts what lets every call pass in force, for hooks to be attached under it. */
  #install(maps: Maps): LoadedGeneration {
    const empty = openGeneration(0, this.#environment.cpus);
    const generation = loadPinned(this.#pins, maps.table, empty);
    putInForce(maps.table, generation);
    this.#become({ state: 'unfinished', generation });
    return generation;
  }

  get #place(): Place {
    return { pins: this.#pins, environment: this.#environment };
  }
}
