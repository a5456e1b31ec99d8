/** The part that calls share: the network_id of a control group. */
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
  loadMapValue,
  lshImm,
  mov,
  movImm,
  or,
  R0,
  R1,
  R2,
  R3,
  R4,
  R6,
  R8,
  R10,
  store,
  subImm,
} from '@sockfilter/bpf';
import type { BuiltinChain } from '@sockfilter/table';
import { GROUP_VALUE, HEADER, MAX_REMOVED_LEVELS, REMOVED_VALUE } from '../layout.js';
import { MAPS } from '../mapnames.js';
import { put32, READERS, SCRATCH } from './stack.js';
import { chainBit, REFUSED } from './walk.js';

/**
 * On to `unasked` if nothing wants to know the group: no rule of the chain, and no event. What refuses tells whose the call
 * was, and so may the chain where somebody reads: whoever comes later is not told of this call.
 */
function unlessAsked(chain: BuiltinChain, asked: string, unasked: string): readonly Item[] {
  return [
    loadMapValue(R1, MAPS.readers, 0),
    load(8, R1, R1, 0),
    store(8, R10, READERS, R1),
    jumpIf('ne', R1, 0, asked),
    load(4, R1, R6, HEADER.groupChains),
    load(4, R2, R6, HEADER.refusingChains),
    or(R1, R2),
    andImm(R1, chainBit(chain)),
    jumpIf('eq', R1, 0, unasked),
    label(asked),
  ];
}

/**
 * Stores the network_id of the cgroup whose id is at SCRATCH, or of its nearest ancestor that is there
 * if it was removed, where it is asked for; destroys r8 and SCRATCH. Without an entry the chain fails closed. So it does if the
 * entry was another's by the time its id was read, twice in a row, and if its id is of another
 * assignment than the generation's.
 */
export function putGroup(chain: BuiltinChain): readonly Item[] {
  const place = (name: string) => `${chain}.${name}`;
  const [look, again, removed] = [place('look'), place('again'), place('removed')];
  const [none, known] = [place('noGroup'), place('group')];
  const unasked = place('anyGroup');
  return [
    ...unlessAsked(chain, place('asked'), unasked),
    movImm(R8, 1 + MAX_REMOVED_LEVELS),
    label(look),
    ...readGroup({ missing: removed, changed: again, outdated: none }),
    jump(known),
    label(again),
    ...readGroup({ missing: removed, changed: none, outdated: none }),
    jump(known),
    label(removed),
    subImm(R8, 1),
    jumpIf('eq', R8, 0, none),
    loadMap(R1, MAPS.removed),
    mov(R2, R10),
    addImm(R2, SCRATCH),
    callHelper('map_lookup_elem'),
    jumpIf('eq', R0, 0, none),
    load(8, R2, R0, REMOVED_VALUE.parent),
    load(8, R1, R0, REMOVED_VALUE.cgroup),
    load(8, R3, R10, SCRATCH),
    jumpIf('ne', R1, R3, none),
    store(8, R10, SCRATCH, R2),
    jump(look),
    label(none),
    load(4, R1, R6, HEADER.groupChains),
    andImm(R1, chainBit(chain)),
    jumpIf('ne', R1, 0, REFUSED),
    movImm(R2, 0),
    label(known),
    ...put32('group', R2),
    label(unasked),
  ];
}

/** Where to go on if there is no entry, if it has become another's, and if its id does not hold. */
interface Otherwise {
  readonly missing: string;
  readonly changed: string;
  readonly outdated: string;
}

/** r2 = the network_id in the entry of the cgroup whose id is at SCRATCH. */
function readGroup({ missing, changed, outdated }: Otherwise): readonly Item[] {
  return [
    loadMap(R1, MAPS.groups),
    mov(R2, R10),
    addImm(R2, SCRATCH),
    callHelper('map_lookup_elem'),
    jumpIf('eq', R0, 0, missing),
    load(4, R1, R6, HEADER.idSlot),
    andImm(R1, 1),
    lshImm(R1, 2),
    add(R1, R0),
    load(4, R2, R1, GROUP_VALUE.ids),
    load(4, R4, R1, GROUP_VALUE.epochs),
    load(8, R1, R0, GROUP_VALUE.cgroup),
    load(8, R3, R10, SCRATCH),
    jumpIf('ne', R1, R3, changed),
    load(4, R1, R6, HEADER.idEpoch),
    jumpIf('ne', R1, R4, outdated),
  ];
}
