/**
 * What readers of events need of an instance. They take no lock of commands and change nothing but their own
 * place, so that any number of commands come and go meanwhile.
 */
import { existsSync, type FSWatcher, readlinkSync, watch } from 'node:fs';
import { dirname } from 'node:path';
import {
  close,
  type Fd,
  lookup,
  mapById,
  mapInfo,
  openCgroup,
  openDirectory,
  startTime,
} from '@sockfilter/bpf';
import { decodeLast, LAST, type RawEvent } from '@sockfilter/events';
import { possibleCpus } from './cpus.js';
import { readEnvironment } from './environment.js';
import { isFolded, readHeader, readText, readTotals } from './generationmap.js';
import type { Header } from './header.js';
import { FORMAT, TABLE_SLOTS } from './layout.js';
import { MAPS } from './mapnames.js';
import { instanceName, Pins, using } from './pins.js';
import { programDigest } from './programs.js';
import { ReaderSlot } from './readerslot.js';
import { slotKey } from './slotkey.js';
import { type SocketHolder, SocketHolders } from './socketholders.js';

/** The table of a generation in the save format, by the generation's sequence number. */
export interface GenerationText {
  readonly sequence: number;
  readonly text: string;
}

/** Counters of a generation, by its sequence number. */
export interface GenerationCounters {
  readonly sequence: number;
  readonly totals: readonly bigint[];
}

/** More commits than that do not come while one table is read. */
const READ_TRIES = 100;

export class EventSource {
  /** For the reader, which closes it. */
  readonly events: Fd;
  readonly cpus = possibleCpus();
  readonly #pins: Pins;
  readonly #table: Fd;
  readonly #readers: Fd;
  readonly #mount: string;
  readonly #holders: SocketHolders;
  readonly #id: number;
  readonly #root: string;
  #slot: ReaderSlot | undefined;
  #isClosed = false;

  private constructor(pins: Pins, mount: string, root: string, fds: readonly [Fd, Fd, Fd]) {
    this.#pins = pins;
    this.#mount = mount;
    this.#holders = new SocketHolders(mount);
    [this.events, this.#readers, this.#table] = fds;
    this.#id = mapInfo(this.events).id;
    this.#root = root;
  }

  /** The reader's number, from when it is first asked for; throws CapacityError if all are taken. */
  get slot(): ReaderSlot {
    this.#slot ??= new ReaderSlot(instanceName(this.#root), this.#readers);
    return this.#slot;
  }

  /**
   * The source of what is installed; undefined where nothing is, or by an older release. Throws UnsupportedError
   * and BpfError.
   */
  static open(root: string): EventSource | undefined {
    const { bpffs, tree } = readEnvironment(root);
    const pins = Pins.of(bpffs, tree.root);
    const fds = [MAPS.events, MAPS.readers, MAPS.table].map((name) => pins.open(name));
    const [events, readers, table] = fds;
    try {
      if (events !== undefined && readers !== undefined && table !== undefined)
        return new EventSource(pins, tree.mount, tree.root, [events, readers, table]);
    } catch (error) {
      for (const fd of fds) if (fd !== undefined) close(fd);
      throw error;
    }
    for (const fd of fds) if (fd !== undefined) close(fd);
    return undefined;
  }

  /** Whether the maps are no longer those that are pinned: a teardown, or another install. */
  get isGone(): boolean {
    const fd = this.#pins.open(MAPS.events);
    return fd === undefined || using(fd, (events) => mapInfo(events).id) !== this.#id;
  }

  /** The last call that was refused, of those that each CPU keeps, and when the machine started; undefined without one. */
  lastRefusal(): { readonly event: RawEvent; readonly start: bigint } | undefined {
    const fd = this.#pins.open(MAPS.last);
    const values = fd && using(fd, (last) => lookup(last, slotKey(0), LAST.bytes * this.cpus));
    if (!values) return undefined;
    const kept = Array.from({ length: this.cpus }, (_, cpu) =>
      decodeLast(values.subarray(LAST.bytes * cpu, LAST.bytes * (cpu + 1))),
    );
    const [event] = kept
      .filter((each) => each !== undefined)
      .sort((a, b) => Number(b.uptime - a.uptime));
    return event && { event, start: startTime() };
  }

  /** Whether programs of another release judge: theirs need not tell what this one's do. */
  get isOfOtherRelease(): boolean {
    const programs = this.#read(TABLE_SLOTS.inForce, (_, header) => header.programs);
    return programs !== undefined && programs !== programDigest();
  }

  #generationIn(slot: number): Fd | undefined {
    if (this.#isClosed) return undefined;
    const id = lookup(this.#table, slotKey(slot), 4);
    return id && mapById(new DataView(id.buffer).getUint32(0, true));
  }

  /**
   * What is read of the generation in the slot; undefined where there is none, and where it is never whole. No lock is held, and two commits on the map may have
   * another one: then that is read again which is there.
   */
  #read<T>(slot: number, read: (generation: Fd, header: Header) => T): T | undefined {
    for (let tries = 0; tries < READ_TRIES; tries++) {
      const fd = this.#generationIn(slot);
      if (fd === undefined) return undefined;
      const found = using(fd, (generation) => {
        const header = readHeader(generation);
        if (header.format === 0) return undefined;
        const result = read(generation, header);
        const { format, sequence } = readHeader(generation);
        return format === header.format && sequence === header.sequence ? { result } : undefined;
      });
      if (found) return found.result;
    }
    return undefined;
  }

  /** The tables that programs may walk now, but for those whose number is known. */
  texts(isKnown: (sequence: number) => boolean): readonly GenerationText[] {
    return [TABLE_SLOTS.inForce, TABLE_SLOTS.fallback].flatMap(
      (slot) =>
        this.#read(slot, (generation, header): readonly GenerationText[] => {
          const { format, sequence } = header;
          if (format !== FORMAT || isKnown(sequence)) return [];
          return [{ sequence, text: readText(generation, header) }];
        }) ?? [],
    );
  }

  /**
   * What each counter of the table in force has come to, in the order of counterOwners(); undefined in the moment of
   * a commit, and for a table of another format.
   */
  counters(): GenerationCounters | undefined {
    return this.#read(TABLE_SLOTS.inForce, (generation, header) => {
      if (header.format !== FORMAT || !isFolded(generation, header)) return undefined;
      return { sequence: header.sequence, totals: [...readTotals(generation, header)] };
    });
  }

  /** Where a control group is, from the root of all; undefined once it was removed. */
  cgroupPath(id: bigint): string | undefined {
    return using(openDirectory(this.#mount), (mount) => {
      const fd = openCgroup(mount, id);
      if (fd === undefined) return undefined;
      const path = using(fd, (cgroup) => readlinkSync(`/proc/self/fd/${cgroup}`));
      return path === this.#mount ? '/' : path.slice(this.#mount.length);
    });
  }

  /** Who holds the socket of an event now; none where it is gone, or there is no time to look. */
  socketHolders(cookie: bigint, cgroup: string | undefined): readonly SocketHolder[] {
    return this.#holders.of(cookie, cgroup);
  }

  /** The reader and its slot, if it was asked for, must be closed already; nothing is in force any more for who asks. */
  close(): void {
    this.#isClosed = true;
    close(this.#readers);
    close(this.#table);
  }
}

/** Looks out for changes of what is pinned of an instance. */
export class PinWatch {
  readonly #folder: string;
  readonly #changed: () => void;
  readonly #watchers = new Map<string, FSWatcher>();

  /** Calls `changed` after each change, until it is closed. */
  constructor(root: string, changed: () => void) {
    const { bpffs, tree } = readEnvironment(root);
    this.#folder = Pins.of(bpffs, tree.root).folder;
    this.#changed = changed;
    this.#look();
  }

  /** Watches the folder of pins and those that it is in, as far as they are there. */
  #look(): void {
    const parent = dirname(this.#folder);
    for (const folder of [dirname(parent), parent, this.#folder]) {
      const known = this.#watchers.get(folder);
      if (!existsSync(folder)) {
        known?.close();
        this.#watchers.delete(folder);
        continue;
      }
      if (known) continue;
      const watcher = watch(folder, () => {
        this.#look();
        this.#changed();
      });
      watcher.on('error', () => this.#watchers.delete(folder));
      this.#watchers.set(folder, watcher);
    }
  }

  close(): void {
    for (const watcher of this.#watchers.values()) watcher.close();
    this.#watchers.clear();
  }
}
