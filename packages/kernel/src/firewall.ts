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
 * and the next command does what is left of 5.
 */
import { join } from 'node:path';
import { close, type Fd } from '@sockfilter/bpf';
import {
  type Decision,
  EMPTY_TABLE,
  escapePath,
  type Packet,
  type Table,
  unescapePath,
} from '@sockfilter/table';
import { type Assignment, assignGroups, nextAssignment } from './assignment.js';
import { attachMissing, detach, inspectHook } from './attachment.js';
import { walkBlob } from './blobwalk.js';
import { adoptCgroups, countProcesses } from './cgrouptree.js';
import { type Environment, readEnvironment, requireRoot } from './environment.js';
import { compileTable, type Generation, type Header, makeGeneration } from './generation.js';
import { readBlob, readText, readTotals } from './generationmap.js';
import { CALL_HOOKS, isNeeded, TRACEPOINTS } from './hooks.js';
import { type LoadedGeneration, loadPinned, putInForce, retire, unpinOthers } from './inforce.js';
import { closeInstance, type Instance, inspectInstance, isPinName } from './instance.js';
import { FIRST_EPOCH, FORMAT } from './layout.js';
import { takeLock } from './lock.js';
import { closeMaps, createMaps, MAPS, type Maps, openMaps } from './maps.js';
import { type Registered, registeredPaths, registrationOf } from './pathmap.js';
import { instanceName, Pins, using } from './pins.js';
import { readStatus, type Status } from './status.js';
import { UnsupportedError } from './unsupported.js';

export interface FirewallOptions {
  /** The control group to police, by its path below the cgroup2 mount; `/` for all. */
  readonly root: string;
  /** Seconds to wait for the lock: 0 not at all, Infinity without end. */
  readonly wait: number;
}

/** What is in force. */
export interface InForce {
  /** The table in the save format. */
  readonly text: string;
  /** What each counter has come to, in the order of counterOwners(table). */
  readonly counters: readonly bigint[];
}

export interface Change {
  readonly table: Table;
  /** The table in the save format, as `read` is to give it back. */
  readonly text: string;
  /** For each counter the one of the table in force that it goes on; undefined: it starts anew. */
  readonly origins: readonly (number | undefined)[];
}

const LOCKS = '/run/sockfilter';

/** One instance, locked against other commands until it is closed. */
export class Firewall {
  readonly #environment: Environment;
  readonly #pins: Pins;
  readonly #lock: Fd;
  #instance: Instance = { state: 'absent' };

  private constructor(environment: Environment, lock: Fd) {
    this.#environment = environment;
    this.#pins = new Pins(environment.bpffs, environment.tree.root);
    this.#lock = lock;
  }

  /** Locks the instance and looks what is there. Throws LockedError, UnsupportedError and BpfError. */
  static open({ root, wait }: FirewallOptions): Firewall {
    const environment = readEnvironment(root);
    const name = instanceName(environment.tree.root);
    const lock = takeLock(join(LOCKS, `${name}.lock`), wait);
    const firewall = new Firewall(environment, lock);
    try {
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
    const current = this.#inForce();
    if (!current) return undefined;
    const { fd, header } = current.generation;
    const before = current.before && readTotals(current.before.fd, current.before.header);
    return { text: readText(fd, header), counters: readTotals(fd, header, before) };
  }

  /**
   * Puts a table in force, all of it at once; gives the final counters of the table before. Throws
   * TableError, LimitError, CapacityError, DamageError and BpfError; nothing has changed then.
   */
  commit(change: Change): { before: readonly bigint[] | undefined } {
    const { tree, cpus } = this.#environment;
    const current = this.#inForce();
    requireRoot(tree);
    // What can fail for the table's sake fails before anything is touched.
    const compiled = compileTable(change.table);
    const wanted = registrationOf(change.table.groups, escapePath(tree.root));
    if (current) this.#settle(current);
    else if (this.#instance.state === 'unfinished') this.teardown();
    const old = current?.generation;
    const maps = old ? openMaps(this.#pins) : createMaps(this.#pins);
    try {
      const last = old ?? this.#install(maps);
      const ids = this.#attach(maps, last.header, wanted, change.table);
      const generation = makeGeneration(compiled, {
        text: change.text,
        sequence: last.header.sequence + 1,
        idSlot: ids.slot,
        idEpoch: ids.epoch,
        cpus,
        origins: change.origins,
        follows: true,
      });
      const next = loadPinned(this.#pins, generation);
      putInForce(maps.table, next);
      const before = retire(this.#pins, last, next);
      this.#become({ state: 'inForce', generation: next, before: undefined });
      for (const hook of CALL_HOOKS) if (!isNeeded(hook, change.table)) detach(this.#pins, hook);
      return { before: old && before };
    } catch (error) {
      if (this.#instance.state === 'unfinished') this.teardown();
      throw error;
    } finally {
      closeMaps(maps);
    }
  }

  /** What is attached where, for the table in force; undefined where nothing is installed. */
  status(table: Table): Status | undefined {
    const current = this.#inForce();
    return current && readStatus(this.#pins, this.#environment.tree, current.generation, table);
  }

  /** How many processes the control groups of each network_id have; undefined where nothing is installed. */
  countProcesses(): ReadonlyMap<number, number> | undefined {
    const current = this.#inForce();
    if (!current) return undefined;
    const maps = openMaps(this.#pins);
    try {
      const { idSlot } = current.generation.header;
      return countProcesses(maps.groups, this.#environment.tree, idSlot);
    } finally {
      closeMaps(maps);
    }
  }

  /** What becomes of a call, by a walk of the blob in force; undefined where nothing is installed. */
  explain(packet: Packet): Decision | undefined {
    const generation = this.#inForce()?.generation;
    return generation && walkBlob(readBlob(generation.fd, generation.header), packet);
  }

  /**
   * Removes hooks, tracepoints, maps and pins; gives the names in the folder of pins that are not
   * ours, which stay. All calls proceed from the first step on: a table that lets everything pass
   * takes the place of the one in force before the hooks go one by one. Throws DamageError for what
   * is pinned elsewhere.
   */
  teardown(): readonly string[] {
    const instance = this.#instance;
    if (instance.state === 'elsewhere') throw instance.error;
    const table = this.#pins.open(MAPS.table);
    if (table !== undefined)
      using(table, (fd) => {
        if (instance.state !== 'inForce') return;
        const { sequence } = instance.generation.header;
        const open = loadPinned(this.#pins, this.#openGeneration(sequence + 1));
        putInForce(fd, open);
        close(open.fd);
      });
    this.#become({ state: 'absent' });
    for (const hook of CALL_HOOKS) detach(this.#pins, hook);
    const isOurs = (name: string) => isPinName(name) && this.#pins.isPin(name);
    const names = this.#pins.list();
    // The table goes last: with any other pin left the next command knows that this one did not end.
    for (const name of names.filter((each) => each !== MAPS.table))
      if (isOurs(name)) this.#pins.unpin(name);
    if (isOurs(MAPS.table)) this.#pins.unpin(MAPS.table);
    this.#pins.removeFolder();
    return names.filter((name) => !isOurs(name) && this.#pins.list().includes(name));
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
  #inForce(): Extract<Instance, { state: 'inForce' }> | undefined {
    const instance = this.#instance;
    switch (instance.state) {
      case 'absent':
      case 'unfinished':
        return undefined;
      case 'inForce':
        return instance;
      case 'damaged':
      case 'elsewhere':
        throw instance.error;
      case 'foreign':
        throw new UnsupportedError(
          `another version of sockfilter made what is in force (format ${instance.generation.header.format}, not ${FORMAT})`,
          'save the rules with that version, run `sockfilter teardown`, and restore them',
        );
    }
  }

  /** Finishes what an interrupted commit has left: its counts, and a generation that was not put in force. */
  #settle({ generation, before }: Extract<Instance, { state: 'inForce' }>): void {
    if (before) {
      retire(this.#pins, before, generation);
      close(before.fd);
    } else unpinOthers(this.#pins, generation);
    this.#instance = { state: 'inForce', generation, before: undefined };
  }

  /** The generation that lets everything pass. Its text is empty: nobody has asked for it. */
  #openGeneration(sequence: number): Generation {
    const { cpus } = this.#environment;
    return makeGeneration(compileTable(EMPTY_TABLE), {
      text: '',
      sequence,
      idSlot: 0,
      idEpoch: FIRST_EPOCH,
      cpus,
      origins: [],
      follows: false,
    });
  }

  #install(maps: Maps): LoadedGeneration {
    const generation = loadPinned(this.#pins, this.#openGeneration(0));
    putInForce(maps.table, generation);
    this.#become({ state: 'unfinished', generation });
    return generation;
  }

  /** Attaches what is missing and sees to it that all cgroups have their ids; returns which hold. */
  #attach(maps: Maps, last: Header, wanted: Registered, table: Table): Assignment {
    const { tree } = this.#environment;
    const ids: Assignment = { slot: last.idSlot, epoch: last.idEpoch };
    const inForce = registeredPaths(maps.paths, ids.slot);
    const isWhole = [
      ...TRACEPOINTS,
      ...CALL_HOOKS.filter(({ needed }) => needed === 'always'),
    ].every((hook) => inspectHook(this.#pins, tree, hook).attached);
    attachMissing(this.#pins, tree, maps, TRACEPOINTS);
    // A root that was made again, and what lies below it, has no ids yet. They come before the hooks:
    // an interruption leaves a hook detached, so that the next commit comes here again.
    if (last.textBytes === 0 || !isWhole) {
      adoptCgroups(maps, tree);
      assignGroups(maps, tree, ids, inForce);
    }
    const needed = CALL_HOOKS.filter((hook) => isNeeded(hook, table));
    attachMissing(this.#pins, tree, maps, needed);
    if (sameEntries(inForce, wanted)) return ids;
    const next = nextAssignment(ids);
    assignGroups(maps, tree, next, wanted);
    return next;
  }
}

function sameEntries(a: Registered, b: Registered): boolean {
  return a.size === b.size && [...a].every(([path, id]) => b.get(path) === id);
}
