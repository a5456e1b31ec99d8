/**
 * The walk of the hooks in a program that can be run without a call: sched_cls has
 * BPF_PROG_TEST_RUN. All from the look-up of the network_id on is the hooks' own code; the packet
 * comes ready from the data. After the walk the program adds what this CPU's counters have come to.
 */
import {
  add,
  addImm,
  addImm32,
  andImm,
  callHelper,
  exit,
  type GlobalFunction,
  type Item,
  jump,
  jumpIf,
  label,
  load,
  loadMapValue,
  lshImm,
  mov,
  movImm,
  movImm32,
  mulImm32,
  type ProgramSpec,
  R0,
  R1,
  R2,
  R3,
  R4,
  R5,
  R6,
  R7,
  R8,
  R9,
  R10,
  rshImm,
  store,
  storeImm,
} from '@sockfilter/bpf';
import { BUILTIN_CHAINS } from '@sockfilter/table';
import { COUNTERS_PER_PAGE, NODE_BITS } from '../../packages/kernel/src/layout.js';
import type { Offsets } from '../../packages/kernel/src/offsets.js';
import { askFunction } from '../../packages/kernel/src/program/ask.js';
import {
  DECIDED,
  enter,
  FAILED,
  findGeneration,
  LICENSE,
  REFUSED,
  refuseIfRefusing,
} from '../../packages/kernel/src/program/generation.js';
import { groupFunction, putGroup } from '../../packages/kernel/src/program/group.js';
import { tell } from '../../packages/kernel/src/program/refusal.js';
import { REPORT } from '../../packages/kernel/src/program/report.js';
import {
  CONTEXT,
  clearPacket,
  KEY,
  PACKET,
  SLOTS,
  STRIPE,
  slot,
} from '../../packages/kernel/src/program/stack.js';
import { walk } from '../../packages/kernel/src/program/walk.js';

/** What the data holds, behind an Ethernet header of zeros. */
const BEHIND_SLOTS = 16 + 2 * SLOTS;
export const DATA = {
  slots: 16,
  cgroup: BEHIND_SLOTS,
  isUnreadable: BEHIND_SLOTS + 8,
  stripe: BEHIND_SLOTS + 12,
  counters: BEHIND_SLOTS + 16,
} as const;
/** Counters that the program adds. */
export const SHOWN_COUNTERS = 128;
export const DATA_BYTES = DATA.counters + 8 * SHOWN_COUNTERS;

/** Results that no verdict gives. */
export const NO_VERDICT = 0x1_0000;
export const BROKEN = 0x2_0000;

const SKB_STORE_BYTES = 9;

/** Where hooks have the IP header, which is read before the group is looked up. */
const IS_UNREADABLE = -192;
const CGROUP = -200;

/** A map of one value: how many events there were since it was cleared, and of each kind, errno and counter. */
export const REPORTS = 'reports';
export const MOST_REPORTS = 255;
export const REPORT_BYTES = 8;

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
export const WORLD = 'world';
export const WORLD_VALUE = { uptime: 0, random: 8, atomicTime: 16, bytes: 24 } as const;

/** How the clocks stand to each other. */
export const TAI = 37;
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

const READ_CGROUP: readonly Item[] = [load(8, R0, R10, CGROUP)];

const programFor = (bound: WalkBound): readonly Item[] => [
  mov(R9, R1),
  store(8, R10, CONTEXT, R1),
  storeImm(4, R10, STRIPE, 0),
  ...findGeneration(),
  ...clearPacket(),
  ...loadData(DATA.slots, PACKET, 2 * SLOTS),
  ...loadData(DATA.cgroup, CGROUP, 8),
  ...loadData(DATA.isUnreadable, IS_UNREADABLE, 4),
  load(2, R8, R10, slot('chain')),
  load(4, R9, R10, IS_UNREADABLE),
  ...BUILTIN_CHAINS.map((chain, n) => jumpIf('eq', R8, n, chain)),
  jump('broken'),
  ...BUILTIN_CHAINS.flatMap((chain) => [
    label(chain),
    jumpIf('ne', R9, 0, `${chain}.unreadable`),
    ...putGroup(chain, READ_CGROUP),
    ...enter(chain),
    jump('walk'),
    label(`${chain}.unreadable`),
    ...refuseIfRefusing(chain),
  ]),
  label('walk'),
  ...walk(bound),

  ...tell(() => READ_CGROUP),

  label(DECIDED),
  mov(R3, R10),
  addImm(R3, PACKET),
  ...storeData(DATA.slots, 2 * SLOTS),
  mov(R3, R10),
  addImm(R3, STRIPE),
  ...storeData(DATA.stripe, 4),
  load(4, R6, R10, STRIPE),
  mov(R1, R6),
  rshImm(R1, NODE_BITS),
  store(4, R10, KEY, R1),
  mov(R1, R7),
  mov(R2, R10),
  addImm(R2, KEY),
  callHelper('map_lookup_elem'),
  jumpIf('eq', R0, 0, 'broken'),
  andImm(R6, COUNTERS_PER_PAGE - 1),
  jumpIf('gt', R6, COUNTERS_PER_PAGE - SHOWN_COUNTERS, 'broken'),
  lshImm(R6, 3),
  mov(R3, R0),
  add(R3, R6),
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

/** How the verifier sees that the walk ends. */
export type WalkBound = Pick<Offsets, 'mayGoto'>;

/** The program as it is loaded. */
export function programOf(bound: WalkBound): ProgramSpec {
  return {
    name: 'sf_test_walk',
    type: 'sched_cls',
    license: LICENSE,
    items: programFor(bound),
    functions: [askFunction(TEST_WORLD), RECORD, groupFunction()],
  };
}
