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
import { type Decision, EMPTY_TABLE, type Packet, type Table } from '@sockfilter/table';
import { attachMissing, detach, inspectHook } from './attachment.js';
import { walkBlob } from './blobwalk.js';
import { type Environment, readEnvironment, requireRoot } from './environment.js';
import { compileTable, type Generation, type Header, makeGeneration } from './generation.js';
import { readBlob, readText, readTotals } from './generationmap.js';
import { assignGroups, groupsWithPath, registeredPaths } from './groupmaps.js';
import { CALL_HOOKS, isNeeded, TRACEPOINTS } from './hooks.js';
import {
  type LoadedGeneration,
  loadPinned,
  putInForce,
  recoverInForce,
  retire,
} from './inforce.js';
import { FORMAT } from './layout.js';
import { takeLock } from './lock.js';
import { closeMaps, createMaps, MAPS, type Maps, openMaps } from './maps.js';
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
  #current: LoadedGeneration | undefined;

  private constructor(environment: Environment, lock: Fd) {
    this.#environment = environment;
    this.#pins = new Pins(environment.bpffs, environment.tree.root);
    this.#lock = lock;
  }

  /**
   * Locks the instance and finishes what an interrupted command has left. Throws LockedError,
   * UnsupportedError and BpfError.
   */
  static open({ root, wait }: FirewallOptions): Firewall {
    const environment = readEnvironment(root);
    const lock = takeLock(join(LOCKS, `${instanceName(root)}.lock`), wait);
    const firewall = new Firewall(environment, lock);
    try {
      firewall.#current = recoverInForce(firewall.#pins);
      const header = firewall.#current?.header;
      // Nothing, or a table that nobody has asked for: a first commit or a teardown was interrupted.
      if (!header || (header.format === FORMAT && header.textBytes === 0)) firewall.teardown();
      // What is installed can be looked at and taken down also when its root is gone.
      if (!firewall.#current) requireRoot(environment.tree);
      return firewall;
    } catch (error) {
      close(lock);
      throw error;
    }
  }

  /** The table in force, or undefined where nothing is installed. */
  read(): InForce | undefined {
    const current = this.#ours();
    if (!current) return undefined;
    const { fd, header } = current;
    return { text: readText(fd, header), counters: readTotals(fd, header) };
  }

  /**
   * Puts a table in force, all of it at once; gives the final counters of the table before. Throws
   * TableError, LimitError, CapacityError and BpfError; nothing has changed then.
   */
  commit(change: Change): { before: readonly bigint[] | undefined } {
    const { tree, cpus } = this.#environment;
    const old = this.#ours();
    requireRoot(tree);
    // What can fail for the table's sake fails before anything is touched.
    const compiled = compileTable(change.table);
    const wanted = groupsWithPath(change.table.groups, tree.root);
    const maps = old ? openMaps(this.#pins) : createMaps(this.#pins);
    try {
      const last = old ?? this.#install(maps);
      const idSlot = this.#attach(maps, last.header, wanted, change.table);
      const generation = makeGeneration(compiled, {
        text: change.text,
        sequence: last.header.sequence + 1,
        idSlot,
        cpus,
        origins: change.origins,
        follows: true,
      });
      const next = loadPinned(this.#pins, generation);
      putInForce(maps.table, next);
      this.#current = next;
      const before = retire(this.#pins, last, next);
      for (const hook of CALL_HOOKS) if (!isNeeded(hook, change.table)) detach(this.#pins, hook);
      return { before: old && before };
    } catch (error) {
      if (!old && this.#current?.header.textBytes === 0) this.teardown();
      throw error;
    } finally {
      closeMaps(maps);
    }
  }

  /** What is attached where; undefined where nothing is installed. */
  status(): Status | undefined {
    const current = this.#ours();
    return current && readStatus(this.#pins, this.#environment.tree, current);
  }

  /** What becomes of a call, by a walk of the blob in force; undefined where nothing is installed. */
  explain(packet: Packet): Decision | undefined {
    const current = this.#ours();
    return current && walkBlob(readBlob(current.fd, current.header), packet);
  }

  /**
   * Removes hooks, tracepoints, maps and pins. All calls proceed from the first step on: a table that
   * lets everything pass takes the place of the one in force before the hooks go one by one.
   */
  teardown(): void {
    const table = this.#pins.open(MAPS.table);
    if (table !== undefined && this.#current?.header.format === FORMAT) {
      const open = loadPinned(this.#pins, this.#openGeneration(this.#current.header.sequence + 1));
      using(table, (fd) => putInForce(fd, open));
      close(open.fd);
    }
    this.#forget();
    for (const hook of CALL_HOOKS) detach(this.#pins, hook);
    const names = this.#pins.list();
    for (const name of names) this.#pins.unpin(name);
    this.#pins.removeFolder();
  }

  /** The directory of a control group, by its path below the cgroup2 mount. */
  cgroupDirectory(path: string): string {
    return join(this.#environment.tree.mount, path);
  }

  /** Lets the next command in. */
  close(): void {
    this.#forget();
    close(this.#lock);
  }

  #forget(): void {
    if (this.#current) close(this.#current.fd);
    this.#current = undefined;
  }

  /** The generation in force; throws if another version of the tool made it. */
  #ours(): LoadedGeneration | undefined {
    const format = this.#current?.header.format ?? FORMAT;
    if (format !== FORMAT)
      throw new UnsupportedError(
        `another version of sockfilter made what is in force (format ${format}, not ${FORMAT})`,
        'save the rules with that version, run `sockfilter teardown`, and restore them',
      );
    return this.#current;
  }

  /** The generation that lets everything pass. Its text is empty: nobody has asked for it. */
  #openGeneration(sequence: number): Generation {
    const { cpus } = this.#environment;
    const input = { text: '', sequence, idSlot: 0, cpus, origins: [], follows: false };
    return makeGeneration(compileTable(EMPTY_TABLE), input);
  }

  #install(maps: Maps): LoadedGeneration {
    const first = loadPinned(this.#pins, this.#openGeneration(0));
    putInForce(maps.table, first);
    this.#current = first;
    return first;
  }

  /** Attaches what is missing and sees to it that all cgroups have their ids; returns their slot. */
  #attach(maps: Maps, last: Header, wanted: ReadonlyMap<string, number>, table: Table): number {
    const { tree } = this.#environment;
    const inForce = registeredPaths(maps.paths, last.idSlot);
    const isWhole = [...TRACEPOINTS, ...CALL_HOOKS.filter(({ onDemand }) => !onDemand)].every(
      (hook) => inspectHook(this.#pins, tree, hook).attached,
    );
    attachMissing(this.#pins, tree, maps, TRACEPOINTS);
    // A root that was made again, and what lies below it, has no ids yet. They come before the hooks:
    // an interruption leaves a hook detached, so that the next commit comes here again.
    if (last.textBytes === 0 || !isWhole) assignGroups(maps, tree, last.idSlot, inForce);
    const needed = CALL_HOOKS.filter((hook) => isNeeded(hook, table));
    attachMissing(this.#pins, tree, maps, needed);
    if (sameEntries(inForce, wanted)) return last.idSlot;
    const slot = 1 - last.idSlot;
    assignGroups(maps, tree, slot, wanted);
    return slot;
  }
}

function sameEntries(a: ReadonlyMap<string, number>, b: ReadonlyMap<string, number>): boolean {
  return a.size === b.size && [...a].every(([path, id]) => b.get(path) === id);
}
