/** The walk of the hooks, run on packets without a call: maps as an instance has them, and the program of jitprogram.ts. */
import {
  close,
  createMap,
  type Fd,
  hasMayGoto,
  loadProgram,
  lookup,
  testRun,
  update,
} from '@sockfilter/bpf';
import { fieldOf, PIECES, pieceValues } from '@sockfilter/diagram';
import { EVENT_KINDS } from '@sockfilter/events';
import {
  elementAt,
  hasState,
  type NamedSet,
  type Packet,
  type WritableField,
} from '@sockfilter/table';
import { clearBuckets, createBucketMap } from '../../packages/kernel/src/bucketmap.js';
import {
  type CompiledTable,
  type Generation,
  makeGeneration,
} from '../../packages/kernel/src/generation.js';
import {
  generationSpec,
  loadGeneration,
  readSlots,
  readTotals,
} from '../../packages/kernel/src/generationmap.js';
import {
  createGroupMap,
  createRemovedMap,
  encodeEntry,
} from '../../packages/kernel/src/groupmap.js';
import { MAPS } from '../../packages/kernel/src/mapnames.js';
import { SCRATCH_SPEC } from '../../packages/kernel/src/maps.js';
import { SLOTS } from '../../packages/kernel/src/program/stack.js';
import { createSetMaps, placeSets, type SetMaps } from '../../packages/kernel/src/setmap.js';
import {
  assignSlots,
  clearSlots,
  createStateMap,
  type TestOrigins,
  writeClock,
} from '../../packages/kernel/src/statemap.js';
import {
  BROKEN,
  DATA,
  DATA_BYTES,
  MINUTES_WEST,
  MOST_REPORTS,
  NO_VERDICT,
  programOf,
  REPORT_BYTES,
  REPORTS,
  SHOWN_COUNTERS,
  TAI,
  type WalkBound,
  WORLD,
  WORLD_VALUE,
} from './jitprogram.js';

/** The assignment that every network_id is of. */
const EPOCH = 7;

export interface JitDecision {
  /** Undefined when the walk itself refused the call. */
  readonly errno: number | undefined;
  /** What the walk has made of the call; undefined when it refused it itself. */
  readonly written: Pick<Packet, WritableField> | undefined;
  /** The network_id in the packet as it ends; 0 where nothing asks for it and the call passes. */
  readonly group: number;
  /** How much each of the first counters has grown; holds until the next run. */
  readonly counts: Int32Array;
  /** The events in their order, `refused 1 7` for errno and counter, `log 3`. */
  readonly reports: readonly string[];
}

export interface RunOptions {
  /** The cgroup that the call comes from; one that has the packet's network_id if not given. */
  readonly cgroup?: bigint;
  /** As if nobody read events. */
  readonly unread?: boolean;
  /** As if a field of the packet could not be read. */
  readonly unreadable?: boolean;
  /** What opaque tests see. */
  readonly uptime?: bigint;
  /** Seconds since 1970 by UTC. */
  readonly time?: number;
  readonly random?: number;
}

const SLOT_KEY = new Uint8Array(4);
const GROUP_PIECE = PIECES.findIndex(({ field }) => field === 'group');

/** Ids of cgroups here: far from real ones. */
const CGROUPS = 1n << 40n;
const CGROUP_COUNT = 1024;

export class JitWalk {
  readonly #program: Fd;
  readonly #table: Fd;
  readonly #groups: Fd;
  readonly #removed: Fd;
  readonly #states: Fd;
  readonly #buckets: Fd;
  readonly #scratch: Fd;
  readonly #sets: SetMaps;
  readonly #world: Fd;
  readonly #readers: Fd;
  readonly #reports: Fd;
  /** The network_id of each cgroup that has an entry. */
  readonly #ids = new Map<bigint, number>();
  readonly #data = new Uint8Array(DATA_BYTES);
  readonly #view = new DataView(this.#data.buffer);
  readonly #counts = new Int32Array(SHOWN_COUNTERS);
  /** What the counters of each stripe had come to, by the address of its first. */
  #seen = new Map<number, Uint32Array>();
  #current: { readonly fd: Fd; readonly generation: Generation } | undefined;
  #sequence = 0;
  #reading = 0;

  /** By default as programs are loaded here. */
  constructor(bound: WalkBound = { mayGoto: hasMayGoto() }) {
    this.#groups = createGroupMap();
    this.#removed = createRemovedMap();
    this.#states = createStateMap();
    this.#buckets = createBucketMap();
    this.#scratch = createMap(SCRATCH_SPEC);
    this.#sets = {
      sets: createSetMaps('sets'),
      nets: createSetMaps('nets'),
      comments: createSetMaps('comments'),
    };
    this.#world = createMap({
      type: 'array',
      name: 'sf_test_world',
      keySize: 4,
      valueSize: WORLD_VALUE.bytes,
      maxEntries: 1,
    });
    const one = { type: 'array', name: 'sf_test', keySize: 4, maxEntries: 1 } as const;
    this.#readers = createMap({ ...one, valueSize: 8 });
    this.#reports = createMap({ ...one, valueSize: REPORT_BYTES * (1 + MOST_REPORTS) });
    const inner = createMap(generationSpec(1));
    this.#table = createMap({
      type: 'array_of_maps',
      name: 'sf_test_table',
      keySize: 4,
      valueSize: 4,
      maxEntries: 1,
      innerMapFd: inner,
    });
    close(inner);
    this.#program = loadProgram(programOf(bound), {
      [MAPS.table]: this.#table,
      [MAPS.groups]: this.#groups,
      [MAPS.removed]: this.#removed,
      [MAPS.states]: this.#states,
      [MAPS.buckets]: this.#buckets,
      [MAPS.scratch]: this.#scratch,
      [MAPS.sets]: this.#sets.sets,
      [MAPS.nets]: this.#sets.nets,
      [WORLD]: this.#world,
      [MAPS.readers]: this.#readers,
      [REPORTS]: this.#reports,
    });
  }

  /** Puts a generation in force. Which of the two ids of a cgroup holds changes each time. */
  enforce(
    compiled: CompiledTable,
    testOrigins: TestOrigins = [],
    sets: readonly NamedSet[] = [],
  ): void {
    const inUse = this.#current ? readSlots(this.#current.fd, this.#current.generation.header) : [];
    const states = compiled.tests.map(({ test }) => hasState(test));
    const slots = assignSlots(states, testOrigins, inUse);
    clearSlots(this.#states, slots, inUse);
    clearBuckets(this.#buckets, inUse);
    writeClock(this.#states, { tai: TAI, minutesWest: MINUTES_WEST });
    const generation = makeGeneration(compiled, {
      text: '',
      sequence: ++this.#sequence,
      idSlot: this.#sequence & 1,
      idEpoch: EPOCH,
      cpus: 4,
      origins: [],
      slots,
      setSlots: placeSets(this.#sets, sets, [], [], 0n),
      follows: false,
      programs: 0,
      traits: 0,
      deadline: 0n,
    });
    const fd = loadGeneration(generation);
    const value = new Uint8Array(4);
    new DataView(value.buffer).setUint32(0, fd, true);
    update(this.#table, SLOT_KEY, value);
    if (this.#current) close(this.#current.fd);
    this.#current = { fd, generation };
    this.#seen = new Map();
    this.#ids.clear();
  }

  run(packet: Packet, options: RunOptions = {}): JitDecision {
    const values = pieceValues(packet);
    // The program finds the network_id by the cgroup.
    values.fill(0, GROUP_PIECE, GROUP_PIECE + 2);
    this.#data.set(new Uint8Array(values.buffer), DATA.slots);
    const cgroup = options.cgroup ?? this.#cgroupWith(packet.group);
    this.#view.setBigUint64(DATA.cgroup, cgroup, true);
    this.#view.setUint32(DATA.isUnreadable, options.unreadable ? 1 : 0, true);
    this.#setReaders(options.unread ? 0 : 1);
    if (options.uptime !== undefined)
      this.#setWorld(options.uptime, options.time ?? 0, options.random ?? 0);
    const { retval, dataOut } = testRun(this.#program, { dataIn: this.#data });
    if (retval === BROKEN) throw new Error('the test program can not run');
    this.#counts.fill(0);
    const reports = this.#takeReports();
    if (retval === NO_VERDICT)
      return { errno: undefined, written: undefined, group: 0, counts: this.#counts, reports };
    if (!options.unreadable) this.#readCounts(dataOut);
    const slots = new Uint16Array(dataOut.slice(DATA.slots, DATA.slots + 2 * SLOTS).buffer);
    const written = {
      destination: fieldOf(slots, 'destination'),
      destinationPort: Number(fieldOf(slots, 'destinationPort')),
      mark: Number(fieldOf(slots, 'mark')),
    };
    const group = Number(fieldOf(slots, 'group'));
    return { errno: retval, written, group, counts: this.#counts, reports };
  }

  /** What all counters have come to. */
  totals(): readonly bigint[] {
    if (!this.#current) return [];
    return [...readTotals(this.#current.fd, this.#current.generation.header)];
  }

  close(): void {
    if (this.#current) close(this.#current.fd);
    for (const fd of [
      this.#program,
      this.#table,
      this.#groups,
      this.#removed,
      this.#states,
      this.#buckets,
      this.#scratch,
      this.#sets.sets,
      this.#sets.nets,
      this.#world,
      this.#readers,
      this.#reports,
    ])
      close(fd);
  }

  /** A cgroup with this network_id in the slot that holds, and another in the other. */
  #cgroupWith(group: number): bigint {
    const cgroup = CGROUPS + BigInt(group % CGROUP_COUNT);
    if (this.#ids.get(cgroup) === group) return cgroup;
    const key = new Uint8Array(8);
    new DataView(key.buffer).setBigUint64(0, cgroup, true);
    const other = (group + 1) >>> 0;
    const ids = (this.#sequence & 1) === 0 ? ([group, other] as const) : ([other, group] as const);
    update(
      this.#groups,
      key,
      encodeEntry({ cgroup: Number(cgroup), parent: 0, ids, epochs: [EPOCH, EPOCH] }),
    );
    this.#ids.set(cgroup, group);
    return cgroup;
  }

  #setReaders(readers: number): void {
    if (this.#reading === readers) return;
    update(this.#readers, SLOT_KEY, new Uint8Array(8).fill(readers, 0, 1));
    this.#reading = readers;
  }

  #setWorld(uptime: bigint, time: number, random: number): void {
    const value = new Uint8Array(WORLD_VALUE.bytes);
    const view = new DataView(value.buffer);
    view.setBigUint64(WORLD_VALUE.uptime, uptime, true);
    view.setUint32(WORLD_VALUE.random, random, true);
    view.setBigUint64(WORLD_VALUE.atomicTime, BigInt(time + TAI) * 1_000_000_000n, true);
    update(this.#world, SLOT_KEY, value);
  }

  #takeReports(): readonly string[] {
    const value = lookup(this.#reports, SLOT_KEY, REPORT_BYTES * (1 + MOST_REPORTS));
    if (!value) throw new Error('the test map is gone');
    const view = new DataView(value.buffer);
    const count = view.getUint32(0, true);
    if (count === 0) return [];
    update(this.#reports, SLOT_KEY, new Uint8Array(value.length));
    return Array.from({ length: count }, (_, n) => {
      const at = REPORT_BYTES * (n + 1);
      const [what, counter] = [view.getUint32(at, true), view.getUint32(at + 4, true)];
      const kind = Object.entries(EVENT_KINDS).find(([, number]) => number === (what & 0xff))?.[0];
      return kind === 'refused' ? `refused ${what >> 8} ${counter}` : `${kind} ${counter}`;
    });
  }

  #readCounts(dataOut: Uint8Array): void {
    const view = new DataView(dataOut.buffer, dataOut.byteOffset, dataOut.byteLength);
    const stripe = view.getUint32(DATA.stripe, true);
    let seen = this.#seen.get(stripe);
    if (!seen) {
      seen = new Uint32Array(SHOWN_COUNTERS);
      this.#seen.set(stripe, seen);
    }
    // Behind them come those of the next stripe.
    const counters = this.#current?.generation.header.counters ?? 0;
    for (let n = 0; n < Math.min(SHOWN_COUNTERS, counters); n++) {
      const count = view.getUint32(DATA.counters + 8 * n, true);
      this.#counts[n] = count - elementAt(seen, n);
      seen[n] = count;
    }
  }
}
