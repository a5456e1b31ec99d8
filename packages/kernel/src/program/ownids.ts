/**
 * Which ids a new control group's path gives it. The buffer of the mkdir program, which cgroup_mutex
 * guards:
 *
 *     byte 0       a key: a folder, a path, or a pattern; cleared before each use
 *     byte 1024    the path, to find out how long it is
 */
import {
  add,
  addImm,
  andImm,
  callHelper,
  type Item,
  jump,
  jumpIf,
  label,
  load,
  loadMap,
  lshImm,
  mov,
  movImm,
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
  store,
  storeImm,
  sub,
  subImm,
} from '@sockfilter/bpf';
import { PATH_BYTES, PATTERN_SIGN, SCRATCH_BYTES, SHAPES } from '../layout.js';
import { MAPS } from '../mapnames.js';
import type { Offsets } from '../offsets.js';
import { follow, SCRATCH } from './stack.js';

const PATH = SCRATCH_BYTES / 2;
const NAME_BYTES = 256;
/** The longest key; a path that is longer was never registered. */
const LONGEST = PATH_BYTES - 2;

/** Lengths in bytes, without a NUL: of the path, its folder, its name; of a pattern's two parts. */
const PATH_LENGTH = -120;
const FOLDER_LENGTH = -128;
const NAME_LENGTH = -136;
const HEAD_LENGTH = -144;
const TAIL_LENGTH = -152;

function clearKey(): readonly Item[] {
  return Array.from({ length: PATH_BYTES / 8 }, (_, n) => storeImm(8, R7, 8 * n, 0));
}

/** Copies as many bytes of the path as `length` on the stack says, `LONGEST` at most, to a new key. */
function keyFromPath(length: number, otherwise: string): readonly Item[] {
  return [
    ...clearKey(),
    load(8, R2, R10, length),
    jumpIf('gt', R2, LONGEST, otherwise),
    mov(R1, R7),
    mov(R3, R9),
    callHelper('probe_read_kernel'),
    jumpIf('ne', R0, 0, 'done'),
  ];
}

/** r0 = the entry of the key. */
function lookUpKey(map: string): readonly Item[] {
  return [loadMap(R1, map), mov(R2, R7), callHelper('map_lookup_elem')];
}

/** Takes the ids of the registered path's entry at r0 over, those that are not 0. */
function takeIds(ids: number, name: string): readonly Item[] {
  return [0, 4].flatMap((half) => [
    load(4, R1, R0, half),
    jumpIf('eq', R1, 0, `${name}${half}`),
    store(4, R10, ids + half, R1),
    label(`${name}${half}`),
  ]);
}

/** The lengths of the path and its parts to the stack. */
function measure(offsets: Offsets): readonly Item[] {
  return [
    mov(R1, R7),
    addImm(R1, PATH),
    movImm(R2, SCRATCH_BYTES - PATH),
    mov(R3, R9),
    callHelper('probe_read_kernel_str'),
    jumpIf('sle', R0, 1, 'done'),
    mov(R8, R0),
    subImm(R8, 1),
    store(8, R10, PATH_LENGTH, R8),
    mov(R3, R6),
    ...follow([offsets.cgroupNode, offsets.nodeName], 'done'),
    mov(R1, R7),
    movImm(R2, NAME_BYTES),
    callHelper('probe_read_kernel_str'),
    jumpIf('sle', R0, 1, 'done'),
    subImm(R0, 1),
    store(8, R10, NAME_LENGTH, R0),
    sub(R8, R0),
    subImm(R8, 1),
    store(8, R10, FOLDER_LENGTH, R8),
  ];
}

/** The ids of the patterns that match the path; one in each slot at most does. */
function matchPatterns(ids: number): readonly Item[] {
  return [
    ...keyFromPath(FOLDER_LENGTH, 'exact'),
    ...lookUpKey(MAPS.shapes),
    jumpIf('eq', R0, 0, 'exact'),
    mov(R8, R0),
    movImm(R6, 0),
    label('shape'),
    jumpIf('ge', R6, SHAPES.most, 'exact'),
    load(1, R1, R8, SHAPES.count),
    jumpIf('ge', R6, R1, 'exact'),
    mov(R1, R6),
    lshImm(R1, 1),
    add(R1, R8),
    load(1, R4, R1, SHAPES.first),
    load(1, R5, R1, SHAPES.first + 1),
    addImm(R6, 1),
    mov(R2, R4),
    add(R2, R5),
    load(8, R1, R10, NAME_LENGTH),
    jumpIf('gt', R2, R1, 'shape'),
    load(8, R1, R10, FOLDER_LENGTH),
    add(R4, R1),
    addImm(R4, 1),
    store(8, R10, HEAD_LENGTH, R4),
    store(8, R10, TAIL_LENGTH, R5),
    ...keyFromPath(HEAD_LENGTH, 'shape'),
    load(8, R2, R10, HEAD_LENGTH),
    andImm(R2, PATH_BYTES - 1),
    mov(R1, R7),
    add(R1, R2),
    storeImm(1, R1, 0, PATTERN_SIGN.charCodeAt(0)),
    addImm(R1, 1),
    load(8, R2, R10, TAIL_LENGTH),
    andImm(R2, NAME_BYTES - 1),
    load(8, R3, R10, PATH_LENGTH),
    sub(R3, R2),
    add(R3, R9),
    callHelper('probe_read_kernel'),
    jumpIf('ne', R0, 0, 'done'),
    ...lookUpKey(MAPS.paths),
    jumpIf('eq', R0, 0, 'shape'),
    ...takeIds(ids, 'pattern'),
    jump('shape'),
  ];
}

/**
 * Replaces the ids at `ids` on the stack by those that the path is registered with, else by those of the
 * pattern that matches it, if any, in each slot; leaves by `done` if the path can't be read. r6 is the
 * cgroup, r9 the path; uses all registers.
 */
export function ownIds(ids: number, offsets: Offsets): readonly Item[] {
  return [
    storeImm(4, R10, SCRATCH, 0),
    loadMap(R1, MAPS.scratch),
    mov(R2, R10),
    addImm(R2, SCRATCH),
    callHelper('map_lookup_elem'),
    jumpIf('eq', R0, 0, 'done'),
    mov(R7, R0),
    ...measure(offsets),
    ...matchPatterns(ids),
    label('exact'),
    ...keyFromPath(PATH_LENGTH, 'own'),
    ...lookUpKey(MAPS.paths),
    jumpIf('eq', R0, 0, 'own'),
    ...takeIds(ids, 'exact'),
    label('own'),
  ];
}
