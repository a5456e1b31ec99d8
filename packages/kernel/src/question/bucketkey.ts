/** Instructions that gather what calls of one bucket agree in; the packet is at r8, the flags are in r1, which they keep. */
import {
  andImm,
  type Item,
  jump,
  jumpIf,
  label,
  load,
  lsh,
  lshImm,
  mov,
  movImm,
  or,
  R1,
  R2,
  R3,
  R4,
  R5,
  R8,
  R10,
  type Register,
  rsh,
  rshImm,
  store,
  storeImm,
  subImm,
} from '@sockfilter/bpf';
import type { Field, KeyField } from '@sockfilter/table';
import { BUCKET } from '../layout.js';
import { PACKET, slot } from '../program/stack.js';

/** The lowest byte of the flags. */
export const FLAG: Readonly<Record<KeyField, number>> = {
  srcip: 1,
  srcport: 2,
  dstip: 4,
  dstport: 8,
  group: 16,
};
/** Where in the flags it stands how many bits of an address do not count, a byte each. */
export const DROPPED = { source6: 8, source4: 16, destination6: 24, destination4: 32 } as const;
/** Where in the flags it stands which bits of a hash count. */
export const HASH_AT = 48;

/** In the key: the family where there is an address, then the ports, then the addresses. */
const KEY_AT = {
  family: 0,
  sourcePort: 2,
  destinationPort: 4,
  source: 8,
  destination: 24,
} as const;

/** Where the words of the key lie in it. */
export const WORDS = Array.from({ length: BUCKET.words }, (_, n) => 8 * n);

/** Where a field lies in the packet. */
const at = (field: Field) => slot(field) - PACKET;

/** The items if a flag is set. */
function where(flag: number, name: string, items: readonly Item[]): readonly Item[] {
  return [
    jumpIf('set', R1, flag, name),
    jump(`${name}.passed`),
    label(name),
    ...items,
    label(`${name}.passed`),
  ];
}

/** The register = four pieces of the packet, the first the highest. */
function gather(to: Register, from: number): readonly Item[] {
  return [
    movImm(to, 0),
    ...[0, 2, 4, 6].flatMap((n) => [lshImm(to, 16), load(2, R2, R8, from + n), or(to, R2)]),
  ];
}

/** Puts the bits of an address that count. */
function putAddress(name: string, key: number, field: 'source' | 'destination'): readonly Item[] {
  return [
    ...gather(R3, at(field)),
    ...gather(R4, at(field) + 8),
    mov(R5, R1),
    rshImm(R5, DROPPED[`${field}6`]),
    load(2, R2, R8, at('family')),
    store(2, R10, key + KEY_AT.family, R2),
    jumpIf('ne', R2, 4, `${name}.family`),
    mov(R5, R1),
    rshImm(R5, DROPPED[`${field}4`]),
    label(`${name}.family`),
    andImm(R5, 0xff),
    jumpIf('lt', R5, 64, `${name}.low`),
    movImm(R4, 0),
    subImm(R5, 64),
    jumpIf('lt', R5, 64, `${name}.high`),
    movImm(R3, 0),
    jump(`${name}.cut`),
    label(`${name}.high`),
    rsh(R3, R5),
    lsh(R3, R5),
    jump(`${name}.cut`),
    label(`${name}.low`),
    rsh(R4, R5),
    lsh(R4, R5),
    label(`${name}.cut`),
    store(8, R10, key + KEY_AT[field], R3),
    store(8, R10, key + KEY_AT[field] + 8, R4),
  ];
}

function putPort(key: number, field: 'sourcePort' | 'destinationPort'): readonly Item[] {
  return [load(2, R2, R8, at(field)), store(2, R10, key + KEY_AT[field], R2)];
}

/** The network_id at so many bytes of the stack, 0 where it is not asked for. */
export function putGroup(name: string, to: number): readonly Item[] {
  return [
    storeImm(4, R10, to, 0),
    ...where(FLAG.group, `${name}.group`, [
      load(2, R2, R8, at('group')),
      lshImm(R2, 16),
      load(2, R3, R8, at('group') + 2),
      or(R2, R3),
      store(4, R10, to, R2),
    ]),
  ];
}

/** All but the network_id at so many bytes of the stack, 0 where it is not asked for. */
export function putBucketKey(name: string, to: number): readonly Item[] {
  return [
    ...WORDS.map((word) => storeImm(8, R10, to + word, 0)),
    ...where(FLAG.srcport, `${name}.srcport`, putPort(to, 'sourcePort')),
    ...where(FLAG.dstport, `${name}.dstport`, putPort(to, 'destinationPort')),
    ...where(FLAG.srcip, `${name}.srcip`, putAddress(`${name}.source`, to, 'source')),
    ...where(FLAG.dstip, `${name}.dstip`, putAddress(`${name}.destination`, to, 'destination')),
  ];
}
