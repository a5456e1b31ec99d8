/**
 * The programs that keep every control group's network_id at hand: a new one has it before anything
 * can run in it, and one that is gone leaves no entry.
 *
 * The tracepoints cgroup_mkdir and cgroup_release carry the cgroup and its path from the root of its
 * hierarchy (include/trace/events/cgroup.h). They fire for version 1 hierarchies as well; the cgroup2
 * hierarchy is the one with id 0. mkdir fires under cgroup_mutex, before the directory can be seen.
 */
import {
  addImm,
  callHelper,
  exit,
  type Item,
  jumpIf,
  label,
  load,
  loadMap,
  mov,
  movImm,
  type ProgramSpec,
  R0,
  R1,
  R2,
  R3,
  R4,
  R6,
  R7,
  R8,
  R9,
  R10,
  store,
  storeImm,
} from '@sockfilter/bpf';
import { GROUP_VALUE, PATH_BYTES } from '../layout.js';
import { MAPS } from '../maps.js';
import type { Offsets } from '../offsets.js';
import { OBJECT, probe, SCRATCH } from './stack.js';
import { LICENSE } from './walk.js';

const ARG_CGROUP = 0;
const ARG_PATH = 8;
/** Where the new entry is put together. */
const VALUE = -16;
const PARENT_ID = -24;

/** Leaves r3 as `to` says; follows pointers at the offsets from the number in r3. */
function follow(offsets: readonly number[]): readonly Item[] {
  return offsets.flatMap((offset) => [
    addImm(R3, offset),
    ...probe(SCRATCH, 8, 'done'),
    load(8, R3, R10, SCRATCH),
  ]);
}

/** r6 = the cgroup, r9 = the path; leaves unless the cgroup belongs to cgroup2. */
function onlyCgroup2(offsets: Offsets): readonly Item[] {
  return [
    load(8, R6, R1, ARG_CGROUP),
    load(8, R9, R1, ARG_PATH),
    mov(R3, R6),
    ...follow([offsets.cgroupRoot]),
    addImm(R3, offsets.rootHierarchy),
    ...probe(SCRATCH, 4, 'done'),
    load(4, R1, R10, SCRATCH),
    jumpIf('ne', R1, 0, 'done'),
  ];
}

/** The id of the cgroup at the address in r3 to `to`. */
function idOf(to: number, offsets: Offsets): readonly Item[] {
  return [...follow([offsets.cgroupNode, offsets.nodeId]), store(8, R10, to, R3)];
}

function lookUp(map: string, key: number): readonly Item[] {
  return [loadMap(R1, map), mov(R2, R10), addImm(R2, key), callHelper('map_lookup_elem')];
}

/**
 * Gives a new cgroup the ids of its path if that is registered, else its parent's. Without an entry
 * of the parent, and for a path that can't be read, it gets none, and calls from it fail closed.
 */
export function mkdirProgram(offsets: Offsets): ProgramSpec {
  return {
    name: 'sf_mkdir',
    type: 'raw_tracepoint',
    license: LICENSE,
    items: [
      ...onlyCgroup2(offsets),
      mov(R3, R6),
      ...follow([offsets.cgroupParent]),
      ...idOf(PARENT_ID, offsets),
      mov(R3, R6),
      ...idOf(OBJECT, offsets),
      ...lookUp(MAPS.groups, PARENT_ID),
      jumpIf('eq', R0, 0, 'done'),
      load(8, R1, R0, GROUP_VALUE.ids),
      store(8, R10, VALUE + GROUP_VALUE.ids, R1),
      load(8, R1, R10, OBJECT),
      store(8, R10, VALUE + GROUP_VALUE.cgroup, R1),

      storeImm(4, R10, SCRATCH, 0),
      ...lookUp(MAPS.scratch, SCRATCH),
      jumpIf('eq', R0, 0, 'done'),
      mov(R7, R0),
      ...Array.from({ length: PATH_BYTES / 8 }, (_, n) => storeImm(8, R7, 8 * n, 0)),
      mov(R1, R7),
      movImm(R2, PATH_BYTES),
      mov(R3, R9),
      callHelper('probe_read_kernel_str'),
      jumpIf('sle', R0, 0, 'done'),
      loadMap(R1, MAPS.paths),
      mov(R2, R7),
      callHelper('map_lookup_elem'),
      jumpIf('eq', R0, 0, 'known'),
      ...[0, 4].flatMap((half) => [
        load(4, R8, R0, half),
        jumpIf('eq', R8, 0, `inherited${half}`),
        store(4, R10, VALUE + GROUP_VALUE.ids + half, R8),
        label(`inherited${half}`),
      ]),

      label('known'),
      loadMap(R1, MAPS.groups),
      mov(R2, R10),
      addImm(R2, OBJECT),
      mov(R3, R10),
      addImm(R3, VALUE),
      movImm(R4, 0),
      callHelper('map_update_elem'),
      label('done'),
      movImm(R0, 0),
      exit(),
    ],
  };
}

/** Removes the entry of a cgroup when its last socket and its directory are gone. */
export function releaseProgram(offsets: Offsets): ProgramSpec {
  return {
    name: 'sf_release',
    type: 'raw_tracepoint',
    license: LICENSE,
    items: [
      ...onlyCgroup2(offsets),
      mov(R3, R6),
      ...idOf(OBJECT, offsets),
      loadMap(R1, MAPS.groups),
      mov(R2, R10),
      addImm(R2, OBJECT),
      callHelper('map_delete_elem'),
      label('done'),
      movImm(R0, 0),
      exit(),
    ],
  };
}
