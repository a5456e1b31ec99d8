/**
 * The programs that keep every control group's network_id at hand: a new one has it before anything
 * can run in it, one that was removed leads to its parent, and one that is gone leaves no entry.
 *
 * The tracepoints cgroup_mkdir, cgroup_rmdir and cgroup_release carry the cgroup and its path from the
 * root of its hierarchy (include/trace/events/cgroup.h). They fire for version 1 hierarchies as well; the
 * cgroup2 hierarchy is the one with id 0. mkdir and rmdir fire under cgroup_mutex: mkdir before the
 * directory can be seen, rmdir when it no longer can. release fires when the last socket is gone, for
 * children before their parent.
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
  R9,
  R10,
  store,
} from '@sockfilter/bpf';
import { GROUP_VALUE, REMOVED_VALUE } from '../layout.js';
import { MAPS } from '../mapnames.js';
import type { Offsets } from '../offsets.js';
import { LICENSE } from './generation.js';
import { ownIds } from './ownids.js';
import { follow, OBJECT, probe, SCRATCH } from './stack.js';

const ARG_CGROUP = 0;
const ARG_PATH = 8;
/** Where the new entry is put together. */
const VALUE = -GROUP_VALUE.bytes;
const PARENT_ID = VALUE + GROUP_VALUE.parent;

/** How often the parent's entry is read if it becomes another's meanwhile. */
const READS = 4;

/** r6 = the cgroup, r9 = the path; leaves unless the cgroup belongs to cgroup2. */
function onlyCgroup2(offsets: Offsets): readonly Item[] {
  return [
    load(8, R6, R1, ARG_CGROUP),
    load(8, R9, R1, ARG_PATH),
    mov(R3, R6),
    ...follow([offsets.cgroupRoot], 'done'),
    addImm(R3, offsets.rootHierarchy),
    ...probe(SCRATCH, 4, 'done'),
    load(4, R1, R10, SCRATCH),
    jumpIf('ne', R1, 0, 'done'),
  ];
}

/** The id of the cgroup at the address in r3 to `to`. */
function idOf(to: number, offsets: Offsets): readonly Item[] {
  return [...follow([offsets.cgroupNode, offsets.nodeId], 'done'), store(8, R10, to, R3)];
}

function lookUp(map: string, key: number): readonly Item[] {
  return [loadMap(R1, map), mov(R2, R10), addImm(R2, key), callHelper('map_lookup_elem')];
}

function update(map: string, key: number, value: number): readonly Item[] {
  return [
    loadMap(R1, map),
    mov(R2, R10),
    addImm(R2, key),
    mov(R3, R10),
    addImm(R3, value),
    movImm(R4, 0),
    callHelper('map_update_elem'),
  ];
}

function remove(map: string, key: number): readonly Item[] {
  return [loadMap(R1, map), mov(R2, R10), addImm(R2, key), callHelper('map_delete_elem')];
}

const END: readonly Item[] = [label('done'), movImm(R0, 0), exit()];

/** The parent's ids, with the assignments that they are of, to VALUE. */
function inherit(): readonly Item[] {
  const read = Array.from({ length: READS }, (_, n) => [
    ...lookUp(MAPS.groups, PARENT_ID),
    jumpIf('eq', R0, 0, 'done'),
    load(8, R1, R0, GROUP_VALUE.ids),
    load(8, R2, R0, GROUP_VALUE.epochs),
    load(8, R3, R0, GROUP_VALUE.cgroup),
    load(8, R4, R10, PARENT_ID),
    ...(n < READS - 1 ? [jumpIf('eq', R3, R4, 'inherited')] : [jumpIf('ne', R3, R4, 'done')]),
  ]);
  return [
    ...read.flat(),
    label('inherited'),
    store(8, R10, VALUE + GROUP_VALUE.ids, R1),
    store(8, R10, VALUE + GROUP_VALUE.epochs, R2),
  ];
}

/**
 * Gives a new cgroup the ids of its path, or of the pattern that matches it, if they are registered,
 * else its parent's; of the assignments that its parent's are of. Without an entry of the parent, and
 * when there is no room, it gets none, and calls from it fail closed.
 */
export function mkdirProgram(offsets: Offsets): ProgramSpec {
  return {
    name: 'sf_mkdir',
    type: 'raw_tracepoint',
    license: LICENSE,
    items: [
      ...onlyCgroup2(offsets),
      mov(R3, R6),
      ...follow([offsets.cgroupParent], 'done'),
      ...idOf(PARENT_ID, offsets),
      mov(R3, R6),
      ...idOf(OBJECT, offsets),
      load(8, R1, R10, OBJECT),
      store(8, R10, VALUE + GROUP_VALUE.cgroup, R1),
      ...inherit(),
      ...ownIds(VALUE + GROUP_VALUE.ids, offsets),
      ...update(MAPS.groups, OBJECT, VALUE),
      ...END,
    ],
  };
}

/**
 * Makes the entry of a cgroup whose directory is gone lead to its parent. It is there before the old
 * one goes; without room for it, sockets of the cgroup fail closed.
 */
export function rmdirProgram(offsets: Offsets): ProgramSpec {
  return {
    name: 'sf_rmdir',
    type: 'raw_tracepoint',
    license: LICENSE,
    items: [
      ...onlyCgroup2(offsets),
      mov(R3, R6),
      ...idOf(OBJECT, offsets),
      ...lookUp(MAPS.groups, OBJECT),
      jumpIf('eq', R0, 0, 'done'),
      mov(R3, R6),
      ...follow([offsets.cgroupParent], 'done'),
      ...idOf(VALUE + REMOVED_VALUE.parent, offsets),
      load(8, R1, R10, OBJECT),
      store(8, R10, VALUE + REMOVED_VALUE.cgroup, R1),
      ...update(MAPS.removed, OBJECT, VALUE),
      ...remove(MAPS.groups, OBJECT),
      ...END,
    ],
  };
}

/** Removes the entries of a cgroup when its last socket and its directory are gone. */
export function releaseProgram(offsets: Offsets): ProgramSpec {
  return {
    name: 'sf_release',
    type: 'raw_tracepoint',
    license: LICENSE,
    items: [
      ...onlyCgroup2(offsets),
      mov(R3, R6),
      ...idOf(OBJECT, offsets),
      ...remove(MAPS.groups, OBJECT),
      ...remove(MAPS.removed, OBJECT),
      ...END,
    ],
  };
}
