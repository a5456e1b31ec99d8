/**
 * The walk of the hooks in a program that can be run without a call: sched_cls has
 * BPF_PROG_TEST_RUN. All from the look-up of the network_id on is the hooks' own code; the packet
 * comes ready from the data. After the walk the program adds what this CPU's counters have come to.
 */
import {
  add,
  addImm,
  addImm32,
  callHelper,
  close,
  createMap,
  exit,
  type Fd,
  type GlobalFunction,
  hasMayGoto,
  type Item,
  jump,
  jumpIf,
  label,
  load,
  loadMapValue,
  loadProgram,
  lookup,
  lshImm,
  mov,
  movImm,
  movImm32,
  mulImm32,
  R0,
  R1,
  R2,
  R3,
  R4,
  R5,
  R7,
  R8,
  R9,
  R10,
  store,
  storeImm,
  testRun,
  update,
} from '@sockfilter/bpf';
import { fieldOf, PIECES, pieceValues } from '@sockfilter/diagram';
import { EVENT_KINDS } from '@sockfilter/events';
import {
  BUILTIN_CHAINS,
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
import type { Offsets } from '../../packages/kernel/src/offsets.js';
import { askFunction } from '../../packages/kernel/src/program/ask.js';
import { putGroup } from '../../packages/kernel/src/program/group.js';
import { REPORT } from '../../packages/kernel/src/program/report.js';
import {
  CONTEXT,
  clearPacket,
  PACKET,
  SCRATCH,
  SLOTS,
  STRIPE_PAGE,
  slot,
} from '../../packages/kernel/src/program/stack.js';
import {
  DECIDED,
  enter,
  FAILED,
  findGeneration,
  LICENSE,
  REFUSED,
  refuseIfRefusing,
  walk,
} from '../../packages/kernel/src/program/walk.js';
import { createSetMaps, placeSets, type SetMaps } from '../../packages/kernel/src/setmap.js';
import {
  assignSlots,
  clearSlots,
  createStateMap,
  type TestOrigins,
  writeClock,
} from '../../packages/kernel/src/statemap.js';

/** The assignment that every network_id is of. */
const EPOCH = 7;

/** What the data holds, behind an Ethernet header of zeros. */
const BEHIND_SLOTS = 16 + 2 * SLOTS;
const DATA = {
  slots: 16,
  cgroup: BEHIND_SLOTS,
  isUnreadable: BEHIND_SLOTS + 8,
  stripe: BEHIND_SLOTS + 12,
  counters: BEHIND_SLOTS + 16,
} as const;
/** Counters that the program adds. */
export const SHOWN_COUNTERS = 128;
const DATA_BYTES = DATA.counters + 8 * SHOWN_COUNTERS;

/** Results that no verdict gives. */
const NO_VERDICT = 0x1_0000;
const BROKEN = 0x2_0000;

const SKB_STORE_BYTES = 9;

/** Below what the hooks use of the stack. */
const IS_UNREADABLE = -192;

/** A map of one value: how many events there were since it was cleared, and of each kind, errno and counter. */
const REPORTS = 'reports';
const MOST_REPORTS = 255;
const REPORT_BYTES = 8;

/** In the place of the function that writes events to readers. */
const RECORD: GlobalFunction = {
  name: REPORT,
  parameters: [{ context: '__sk_buff' }, 'number', 'number', 'number'],
  items: [
    loadMapValue(R1, REPORTS, 0),
    load(8, R2, R1, 0),
    addImm(R2, 1),
    jumpIf('gt', R2, MOST_REPORTS, 'recorded'),
    store(8, R1, 0, R2),
    lshImm(R2, 3),
    add(R1, R2),
    store(4, R1, 0, R3),
    store(4, R1, 4, R4),
    label('recorded'),
    movImm(R0, 0),
    exit(),
  ],
};

/** A source of random numbers that evaluate() can follow: Numerical Recipes' congruence. */
const [FACTOR, SUMMAND] = [1_664_525, 1_013_904_223];
export const nextRandom = (last: number) => (Math.imul(last, FACTOR) + SUMMAND) >>> 0;
/** FACTOR times this is 1, in 32 bits. */
const INVERSE = 4_276_115_653;
/** What comes before a number. */
export const lastRandom = (next: number) => Math.imul(next - SUMMAND, INVERSE) >>> 0;

/** A map of one value: where opaque tests find the world. */
const WORLD = 'world';
const WORLD_VALUE = { uptime: 0, random: 8, atomicTime: 16, bytes: 24 } as const;

/** How the clocks stand to each other. */
const TAI = 37;
export const MINUTES_WEST = -330;

const TEST_WORLD = {
  uptime: [loadMapValue(R1, WORLD, WORLD_VALUE.uptime), load(8, R0, R1, 0)],
  atomicTime: [loadMapValue(R1, WORLD, WORLD_VALUE.atomicTime), load(8, R0, R1, 0)],
  random: [
    loadMapValue(R1, WORLD, WORLD_VALUE.random),
    load(4, R0, R1, 0),
    mulImm32(R0, FACTOR),
    addImm32(R0, SUMMAND),
    store(4, R1, 0, R0),
  ],
};

function loadData(from: number, to: number, bytes: number): readonly Item[] {
  return [
    load(8, R1, R10, CONTEXT),
    movImm(R2, from),
    mov(R3, R10),
    addImm(R3, to),
    movImm(R4, bytes),
    callHelper('skb_load_bytes'),
    jumpIf('ne', R0, 0, 'broken'),
  ];
}

/** Stores what r3 points to. */
function storeData(to: number, bytes: number): readonly Item[] {
  return [
    load(8, R1, R10, CONTEXT),
    movImm(R2, to),
    movImm(R4, bytes),
    movImm(R5, 0),
    callHelper(SKB_STORE_BYTES),
    jumpIf('ne', R0, 0, 'broken'),
  ];
}

const programFor = (bound: WalkBound): readonly Item[] => [
  mov(R9, R1),
  store(8, R10, CONTEXT, R1),
  storeImm(4, R10, STRIPE_PAGE, 0),
  ...findGeneration(),
  ...clearPacket(),
  ...loadData(DATA.slots, PACKET, 2 * SLOTS),
  ...loadData(DATA.cgroup, SCRATCH, 8),
  ...loadData(DATA.isUnreadable, IS_UNREADABLE, 4),
  load(2, R8, R10, slot('chain')),
  load(4, R9, R10, IS_UNREADABLE),
  ...BUILTIN_CHAINS.map((chain, n) => jumpIf('eq', R8, n, chain)),
  jump('broken'),
  ...BUILTIN_CHAINS.flatMap((chain) => [
    label(chain),
    jumpIf('ne', R9, 0, `${chain}.unreadable`),
    ...putGroup(chain),
    ...enter(chain),
    jump('walk'),
    label(`${chain}.unreadable`),
    ...refuseIfRefusing(chain),
  ]),
  label('walk'),
  ...walk(bound),

  label(DECIDED),
  mov(R3, R10),
  addImm(R3, PACKET),
  ...storeData(DATA.slots, 2 * SLOTS),
  mov(R3, R10),
  addImm(R3, STRIPE_PAGE),
  ...storeData(DATA.stripe, 4),
  mov(R1, R7),
  mov(R2, R10),
  addImm(R2, STRIPE_PAGE),
  callHelper('map_lookup_elem'),
  jumpIf('eq', R0, 0, 'broken'),
  mov(R3, R0),
  ...storeData(DATA.counters, 8 * SHOWN_COUNTERS),
  mov(R0, R8),
  exit(),
  label(REFUSED),
  label(FAILED),
  movImm32(R0, NO_VERDICT),
  exit(),
  label('broken'),
  movImm32(R0, BROKEN),
  exit(),
];

export interface JitDecision {
  /** Undefined when the walk itself refused the call. */
  readonly errno: number | undefined;
  /** What the walk has made of the call; undefined when it refused it itself. */
  readonly written: Pick<Packet, WritableField> | undefined;
  /** How much each of the first counters has grown; holds until the next run. */
  readonly counts: Int32Array;
  /** The events in their order, `refused 1 7` for errno and counter, `log 3`. */
  readonly reports: readonly string[];
}

export interface RunOptions {
  /** The cgroup that the call comes from; one that has the packet's network_id if not given. */
  readonly cgroup?: bigint;
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

/** How the verifier sees that the walk ends. */
export type WalkBound = Pick<Offsets, 'mayGoto'>;

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
  /** What the counters of each stripe had come to, by its first page. */
  #seen = new Map<number, Uint32Array>();
  #current: { readonly fd: Fd; readonly generation: Generation } | undefined;
  #sequence = 0;

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
    // Somebody reads.
    update(this.#readers, SLOT_KEY, new Uint8Array(8).fill(1, 0, 1));
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
    this.#program = loadProgram(
      {
        name: 'sf_test_walk',
        type: 'sched_cls',
        license: LICENSE,
        items: programFor(bound),
        functions: [askFunction(TEST_WORLD), RECORD],
      },
      {
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
      },
    );
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
    if (options.uptime !== undefined)
      this.#setWorld(options.uptime, options.time ?? 0, options.random ?? 0);
    const { retval, dataOut } = testRun(this.#program, { dataIn: this.#data });
    if (retval === BROKEN) throw new Error('the test program can not run');
    this.#counts.fill(0);
    const reports = this.#takeReports();
    if (retval === NO_VERDICT)
      return { errno: undefined, written: undefined, counts: this.#counts, reports };
    if (!options.unreadable) this.#readCounts(dataOut);
    const slots = new Uint16Array(dataOut.slice(DATA.slots, DATA.slots + 2 * SLOTS).buffer);
    const written = {
      destination: fieldOf(slots, 'destination'),
      destinationPort: Number(fieldOf(slots, 'destinationPort')),
      mark: Number(fieldOf(slots, 'mark')),
    };
    return { errno: retval, written, counts: this.#counts, reports };
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
    for (let n = 0; n < SHOWN_COUNTERS; n++) {
      const count = view.getUint32(DATA.counters + 8 * n, true);
      this.#counts[n] = count - elementAt(seen, n);
      seen[n] = count;
    }
  }
}
