/** What every program begins with: the generation in force, and what its header says of a chain. */
import {
  addImm,
  andImm,
  callHelper,
  type Item,
  jump,
  jumpIf,
  label,
  load,
  loadMap,
  mov,
  movImm,
  R0,
  R1,
  R2,
  R6,
  R7,
  R8,
  R10,
  store,
  storeImm,
} from '@sockfilter/bpf';
import { BUILTIN_CHAINS, type BuiltinChain } from '@sockfilter/table';
import { HEADER, TABLE_SLOTS } from '../layout.js';
import { MAPS } from '../mapnames.js';
import { KEY, SCRATCH } from './stack.js';

/** Some helpers are for programs that declare themselves compatible with the kernel's licence. */
export const LICENSE = 'Dual MIT/GPL';

/** Labels that a program must define. The errno is in r8. */
export const DECIDED = 'decided';
/** The call fails with EPERM. */
export const REFUSED = 'refused';
/** The call fails with the errno in r8, and the counter of what refuses it is at SPILL with its generation. */
export const TOLD = 'told';
/** A field of the packet can't be read; see `refuseIfRefusing`. */
export const UNREADABLE = 'unreadable';

export const chainBit = (chain: BuiltinChain) => 1 << BUILTIN_CHAINS.indexOf(chain);

/** Of a call without a generation, before there is a packet that could be told of. */
export const FAILED = 'failed';

/** r0 = the page whose number is at KEY; r7 is the generation. */
export function lookUpPage(missing: string = REFUSED): readonly Item[] {
  return [
    mov(R1, R7),
    mov(R2, R10),
    addImm(R2, KEY),
    callHelper('map_lookup_elem'),
    jumpIf('eq', R0, 0, missing),
  ];
}

/** r6 = the header of the generation in r7. */
export function findHeader(missing: string = REFUSED): readonly Item[] {
  return [storeImm(4, R10, KEY, 0), ...lookUpPage(missing), mov(R6, R0)];
}

/** r7 = the generation in the table's slot, r6 = its header; without one on to `missing`. */
function findInSlot(slot: number, missing: string): readonly Item[] {
  return [
    storeImm(4, R10, KEY, slot),
    loadMap(R1, MAPS.table),
    mov(R2, R10),
    addImm(R2, KEY),
    callHelper('map_lookup_elem'),
    jumpIf('eq', R0, 0, missing),
    mov(R7, R0),
    ...findHeader(missing),
  ];
}

/**
 * r7 = the generation in force, r6 = its header: past the deadline of one that is on trial, the one that it
 * took the place of. No clock is read without a deadline. `name` begins its labels; it jumps to FAILED if there is
 * none.
 */
export function findGeneration(name = 'find'): readonly Item[] {
  const found = `${name}.found`;
  return [
    ...findInSlot(TABLE_SLOTS.inForce, FAILED),
    load(8, R1, R6, HEADER.deadline),
    jumpIf('eq', R1, 0, found),
    store(8, R10, SCRATCH, R1),
    callHelper('ktime_get_boot_ns'),
    load(8, R1, R10, SCRATCH),
    jumpIf('lt', R0, R1, found),
    ...findInSlot(TABLE_SLOTS.fallback, FAILED),
    label(found),
  ];
}

/** Jumps to `target` unless the chain can refuse. */
export function unlessRefusing(chain: BuiltinChain, target: string): readonly Item[] {
  return [
    load(4, R1, R6, HEADER.refusingChains),
    andImm(R1, chainBit(chain)),
    jumpIf('eq', R1, 0, target),
  ];
}

/** Decides for a call of which a field can't be read: it is refused if the chain can refuse at all. */
export function refuseIfRefusing(chain: BuiltinChain): readonly Item[] {
  return [
    load(4, R1, R6, HEADER.refusingChains),
    andImm(R1, chainBit(chain)),
    jumpIf('ne', R1, 0, REFUSED),
    movImm(R8, 0),
    jump(DECIDED),
  ];
}

/** r8 = the address of the chain's first node. */
export function enter(chain: BuiltinChain): readonly Item[] {
  return [load(4, R8, R6, HEADER.entries + 4 * BUILTIN_CHAINS.indexOf(chain))];
}
