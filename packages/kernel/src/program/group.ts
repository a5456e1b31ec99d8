/**
 * The part that calls share: the network_id of a control group. The function that looks it up is global: the verifier
 * looks at it once.
 */
import {
  add,
  addImm,
  andImm,
  callHelper,
  callLabel,
  exit,
  type GlobalFunction,
  type Item,
  jump,
  jumpIf,
  label,
  load,
  loadMap,
  loadMapValue,
  lshImm,
  mov,
  movImm,
  or,
  R0,
  R1,
  R2,
  R3,
  R6,
  R7,
  R8,
  R9,
  R10,
  store,
  subImm,
} from '@sockfilter/bpf';
import type { BuiltinChain } from '@sockfilter/table';
import { GROUP_VALUE, HEADER, MAX_REMOVED_LEVELS, REMOVED_VALUE } from '../layout.js';
import { MAPS } from '../mapnames.js';
import { chainBit, REFUSED } from './generation.js';
import { put32, READERS } from './stack.js';

/** Its label. It takes the id of a control group, and of the generation which ids hold: HEADER.idSlot and idEpoch. */
const GROUP = 'group';

/** What it gives if there is no id that holds; a network_id has 32 bits. */
export const NO_GROUP = -1;

/** In the function's own stack: the id that is looked for. */
const CGROUP = -8;

const LOOK_UP: readonly Item[] = [mov(R2, R10), addImm(R2, CGROUP), callHelper('map_lookup_elem')];

/**
 * r2 = the network_id in the entry of the cgroup at CGROUP. On to `missing` if there is no entry, to `changed` if it has
 * become another's, to 'group.none' if its id is of another assignment.
 */
function readGroup(missing: string, changed: string): readonly Item[] {
  return [
    loadMap(R1, MAPS.groups),
    ...LOOK_UP,
    jumpIf('eq', R0, 0, missing),
    mov(R1, R0),
    add(R1, R6),
    load(4, R2, R1, GROUP_VALUE.ids),
    load(4, R3, R1, GROUP_VALUE.epochs),
    load(8, R1, R0, GROUP_VALUE.cgroup),
    jumpIf('ne', R1, R8, changed),
    jumpIf('ne', R3, R7, 'group.none'),
  ];
}

/**
 * The function that gives the network_id of a cgroup, or of its nearest ancestor that is there if it was removed.
 * There is none if the entry was another's by the time its id was read, twice in a row, and if its id is of another
 * assignment than the generation's.
 *
 *     r6 offset of the slot   r7 the assignment   r8 the cgroup   r9 levels that are left
 */
export function groupFunction(): GlobalFunction {
  return {
    name: GROUP,
    parameters: ['number', 'number', 'number'],
    items: [
      mov(R8, R1),
      mov(R6, R2),
      andImm(R6, 1),
      lshImm(R6, 2),
      mov(R7, R3),
      movImm(R9, 1 + MAX_REMOVED_LEVELS),
      label('group.look'),
      store(8, R10, CGROUP, R8),
      ...readGroup('group.removed', 'group.again'),
      jump('group.known'),
      label('group.again'),
      ...readGroup('group.removed', 'group.none'),
      label('group.known'),
      mov(R0, R2),
      exit(),
      label('group.removed'),
      subImm(R9, 1),
      jumpIf('eq', R9, 0, 'group.none'),
      loadMap(R1, MAPS.removed),
      ...LOOK_UP,
      jumpIf('eq', R0, 0, 'group.none'),
      load(8, R2, R0, REMOVED_VALUE.parent),
      load(8, R1, R0, REMOVED_VALUE.cgroup),
      jumpIf('ne', R1, R8, 'group.none'),
      mov(R8, R2),
      jump('group.look'),
      label('group.none'),
      movImm(R0, NO_GROUP),
      exit(),
    ],
  };
}

/** r0 = the network_id of the cgroup whose id is in r0, or NO_GROUP; r6 is the header. Destroys r1 to r5. */
export function callGroup(): readonly Item[] {
  return [
    mov(R1, R0),
    load(4, R2, R6, HEADER.idSlot),
    load(4, R3, R6, HEADER.idEpoch),
    callLabel(GROUP),
  ];
}

/**
 * Stores the network_id of the cgroup whose id `cgroup` leaves in r0, if a rule of the chain asks for it or somebody
 * reads events: whoever comes later is not told of this call, and a refusal is told with it, see `putRefusedGroup`.
 * Without one a chain that asks fails closed. Destroys r0 to r5; r6 is the header.
 */
export function putGroup(chain: BuiltinChain, cgroup: readonly Item[]): readonly Item[] {
  const [found, known] = [`${chain}.groupFound`, `${chain}.groupKnown`];
  return [
    loadMapValue(R1, MAPS.readers, 0),
    load(8, R1, R1, 0),
    store(8, R10, READERS, R1),
    load(4, R2, R6, HEADER.groupChains),
    andImm(R2, chainBit(chain)),
    or(R1, R2),
    jumpIf('eq', R1, 0, known),
    ...cgroup,
    ...callGroup(),
    jumpIf('ne', R0, NO_GROUP, found),
    load(4, R1, R6, HEADER.groupChains),
    andImm(R1, chainBit(chain)),
    jumpIf('ne', R1, 0, REFUSED),
    movImm(R0, 0),
    label(found),
    ...put32('group', R0),
    label(known),
  ];
}
