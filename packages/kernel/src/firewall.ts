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
import {
  close,
  createMap,
  type Fd,
  lookup,
  type MapDescriptors,
  type MapSpec,
  mapById,
  mapInfo,
  update,
} from '@sockfilter/bpf';
import { type Decision, EMPTY_TABLE, type Packet, type Table } from '@sockfilter/table';
import { attachMissing, detach, inspectHook } from './attachment.js';
import { walkBlob } from './blobwalk.js';
import { type Environment, readEnvironment } from './environment.js';
import { compileTable, type Generation, type Header, makeGeneration } from './generation.js';
import {
  fold,
  generationSpec,
  isFolded,
  loadGeneration,
  readBlob,
  readHeader,
  readText,
  readTotals,
} from './generationmap.js';
import {
  assignGroups,
  countCgroups,
  createGroupMap,
  createPathMap,
  groupsWithPath,
  registeredPaths,
} from './groupmaps.js';
import { CALL_HOOKS, isNeeded, TRACEPOINTS } from './hooks.js';
import { FORMAT, PAGE_BYTES, PATH_BYTES } from './layout.js';
import { takeLock } from './lock.js';
import { instanceName, Pins, using } from './pins.js';
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

export interface HookStatus {
  readonly name: string;
  readonly chains: readonly string[];
  /** Attached only while one of its chains can refuse or count. */
  readonly onDemand: boolean;
  readonly attached: boolean;
  readonly programId: number | undefined;
}

export interface Status {
  readonly root: string;
  /** The folder of pins. */
  readonly pins: string;
  /** Number of commits so far. */
  readonly sequence: number;
  readonly rules: number;
  readonly nodes: number;
  /** Bytes of kernel memory that the generation takes. */
  readonly bytes: number;
  /** Registered paths, and control groups that have an entry. */
  readonly paths: number;
  readonly cgroups: number;
  readonly hooks: readonly HookStatus[];
}

const LOCKS = '/run/sockfilter';
const PIN = { table: 'table', groups: 'groups', paths: 'paths', scratch: 'scratch' } as const;

const SCRATCH_SPEC: MapSpec = {
  type: 'array',
  name: 'sf_scratch',
  keySize: 4,
  valueSize: PATH_BYTES,
  maxEntries: 1,
};

const TABLE_SPEC: MapSpec = {
  type: 'array_of_maps',
  name: 'sf_table',
  keySize: 4,
  valueSize: 4,
  maxEntries: 1,
};

const SLOT_KEY = new Uint8Array(4);
const pinOf = (sequence: number) => `generation-${sequence}`;
const GENERATION_PIN = /^generation-(\d+)$/;

interface Current {
  readonly fd: Fd;
  readonly header: Header;
}

interface Maps extends MapDescriptors {
  readonly table: Fd;
  readonly groups: Fd;
  readonly paths: Fd;
  readonly scratch: Fd;
}

/** One instance, locked against other commands until it is closed. */
export class Firewall {
  readonly #environment: Environment;
  readonly #pins: Pins;
  readonly #lock: Fd;
  #current: Current | undefined;

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
      firewall.#current = firewall.#recover();
      const header = firewall.#current?.header;
      // Nothing, or a table that nobody has asked for: a first commit or a teardown was interrupted.
      if (!header || (header.format === FORMAT && header.textBytes === 0)) firewall.teardown();
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
    // What can fail for the table's sake fails before anything is touched.
    const compiled = compileTable(change.table);
    const wanted = groupsWithPath(change.table.groups, tree.root);
    const maps = this.#openMaps();
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
      const next = this.#load(generation);
      this.#swap(maps, next);
      const before = this.#fold(next, last);
      for (const hook of CALL_HOOKS) if (!isNeeded(hook, change.table)) detach(this.#pins, hook);
      return { before: old && before };
    } catch (error) {
      if (!old && this.#current?.header.textBytes === 0) this.teardown();
      throw error;
    } finally {
      for (const fd of Object.values(maps)) close(fd);
    }
  }

  /** What is attached where; undefined where nothing is installed. */
  status(): Status | undefined {
    const current = this.#ours();
    if (!current) return undefined;
    const { header, fd } = current;
    const { tree } = this.#environment;
    const open = (name: string) => this.#pins.open(name);
    const groups = open(PIN.groups);
    const paths = open(PIN.paths);
    return {
      root: tree.root,
      pins: this.#pins.folder,
      sequence: header.sequence,
      rules: header.rules,
      nodes: header.nodes,
      bytes: mapInfo(fd).maxEntries * PAGE_BYTES,
      paths:
        paths === undefined ? 0 : using(paths, (map) => registeredPaths(map, header.idSlot).size),
      cgroups: groups === undefined ? 0 : using(groups, countCgroups),
      hooks: [...TRACEPOINTS, ...CALL_HOOKS].map((hook) => ({
        name: hook.name,
        chains: hook.chains,
        onDemand: hook.onDemand,
        ...inspectHook(this.#pins, tree, hook),
      })),
    };
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
    const table = this.#pins.open(PIN.table);
    if (table !== undefined && this.#current?.header.format === FORMAT) {
      const open = this.#load(this.#openGeneration(this.#current.header.sequence + 1));
      using(table, (fd) => update(fd, SLOT_KEY, fdValue(open.fd)));
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
  #ours(): Current | undefined {
    const format = this.#current?.header.format ?? FORMAT;
    if (format !== FORMAT)
      throw new UnsupportedError(
        `another version of sockfilter made what is in force (format ${format}, not ${FORMAT})`,
        'save the rules with that version, run `sockfilter teardown`, and restore them',
      );
    return this.#current;
  }

  /** Finds the generation in force, and finishes or undoes the commit that was under way. */
  #recover(): Current | undefined {
    const table = this.#pins.open(PIN.table);
    if (table === undefined) return undefined;
    const id = using(table, (fd) => lookup(fd, SLOT_KEY, 4));
    const fd = id && mapById(new DataView(id.buffer).getUint32(0, true));
    if (fd === undefined) return undefined;
    const current = { fd, header: readHeader(fd) };
    if (current.header.format !== FORMAT) return current;
    for (const name of this.#pins.list()) {
      const sequence = Number(GENERATION_PIN.exec(name)?.[1] ?? current.header.sequence);
      if (sequence === current.header.sequence) continue;
      const other = this.#pins.open(name);
      if (other !== undefined && sequence < current.header.sequence)
        using(other, (old) => {
          if (!isFolded(fd, current.header))
            fold(fd, current.header, readTotals(old, readHeader(old)));
        });
      else if (other !== undefined) close(other);
      this.#pins.unpin(name);
    }
    return current;
  }

  #openMaps(): Maps {
    const pins = this.#pins;
    pins.create();
    return {
      groups: pins.openOr(PIN.groups, createGroupMap),
      paths: pins.openOr(PIN.paths, createPathMap),
      scratch: pins.openOr(PIN.scratch, () => createMap(SCRATCH_SPEC)),
      table: pins.openOr(PIN.table, () =>
        using(createMap(generationSpec(1)), (innerMapFd) =>
          createMap({ ...TABLE_SPEC, innerMapFd }),
        ),
      ),
    };
  }

  /** The generation that lets everything pass. Its text is empty: nobody has asked for it. */
  #openGeneration(sequence: number): Generation {
    const { cpus } = this.#environment;
    const input = { text: '', sequence, idSlot: 0, cpus, origins: [], follows: false };
    return makeGeneration(compileTable(EMPTY_TABLE), input);
  }

  #install(maps: Maps): Current {
    const first = this.#load(this.#openGeneration(0));
    this.#swap(maps, first);
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

  #load(generation: Generation): Current {
    const fd = loadGeneration(generation);
    this.#pins.unpin(pinOf(generation.header.sequence));
    this.#pins.pin(pinOf(generation.header.sequence), fd);
    return { fd, header: generation.header };
  }

  #swap(maps: Maps, next: Current): void {
    update(maps.table, SLOT_KEY, fdValue(next.fd));
    this.#current = next;
  }

  #fold(next: Current, last: Current): readonly bigint[] {
    const before = readTotals(last.fd, last.header);
    fold(next.fd, next.header, before);
    this.#pins.unpin(pinOf(last.header.sequence));
    close(last.fd);
    return before;
  }
}

function fdValue(fd: Fd): Uint8Array {
  const value = new Uint8Array(4);
  new DataView(value.buffer).setUint32(0, fd, true);
  return value;
}

function sameEntries(a: ReadonlyMap<string, number>, b: ReadonlyMap<string, number>): boolean {
  return a.size === b.size && [...a].every(([path, id]) => b.get(path) === id);
}
