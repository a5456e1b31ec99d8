/**
 * Whether the packet is in a named set: one look-up in the map of the set, with the key that setmap.ts has. Of
 * networks in each other the longest is found; where its time is over, the next shorter one is asked.
 */
import {
  addImm,
  andImm,
  atomicAdd,
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
  R3,
  R6,
  R8,
  R9,
  R10,
  store,
  storeImm,
  subImm,
  toBig,
} from '@sockfilter/bpf';
import {
  addressBits,
  type Field,
  hasPart,
  PROTOCOL,
  type QuestionOf,
  sidesOf,
} from '@sockfilter/table';
import { COUNTED_ONE, NODE, NOMATCH, SET_KEY, SET_VALUE } from '../layout.js';
import { MAPS } from '../mapnames.js';
import { PACKET, slot } from '../program/stack.js';
import type { QuestionRow } from '../questionrow.js';

/** What of the packet makes the key. */
const FLAG = {
  networks: 1,
  address: 2,
  addressOfDestination: 4,
  port: 8,
  portOfDestination: 16,
  protocol: 32,
  /** Exceptions are asked for. */
  exceptions: 64,
  counts: 128,
} as const;

const SLOT = -4;
const KEY = -40;
const EXPIRES = -48;
const LEFT = -56;
const ENTRY = -64;

const KEY_BITS = 8 * (SET_KEY.bytes - SET_KEY.port);
/** Prefixes that can lie in each other. */
const NESTED = addressBits(6) + 1;

/** Where a field lies in the packet at r8. */
const at = (field: Field) => slot(field) - PACKET;

/** r2 = where the field of the side lies. */
function pick(name: string, flag: number, source: Field, destination: Field): readonly Item[] {
  return [
    mov(R2, R8),
    jumpIf('set', R1, flag, `${name}.destination`),
    addImm(R2, at(source)),
    jump(`${name}.picked`),
    label(`${name}.destination`),
    addImm(R2, at(destination)),
    label(`${name}.picked`),
  ];
}

/** The key at KEY; r1 has the flags, and keeps them. */
function putKey(name: string, fails: string): readonly Item[] {
  return [
    ...[0, 8, 16].map((n) => storeImm(8, R10, KEY + n, 0)),
    storeImm(4, R10, KEY + SET_KEY.prefix, KEY_BITS),
    load(2, R3, R8, at('protocol')),
    jumpIf('set', R1, FLAG.protocol, `${name}.service`),
    jumpIf('set', R1, FLAG.address, `${name}.address`),
    // A set of ports alone has those of all protocols that have ports.
    jumpIf('eq', R3, PROTOCOL.icmp, fails),
    jumpIf('eq', R3, PROTOCOL.icmpv6, fails),
    jump(`${name}.port`),
    label(`${name}.service`),
    store(1, R10, KEY + SET_KEY.protocol, R3),
    label(`${name}.address`),
    ...pick(`${name}.addresses`, FLAG.addressOfDestination, 'source', 'destination'),
    ...Array.from({ length: 8 }, (_, n) => [
      load(2, R3, R2, 2 * n),
      toBig(R3, 16),
      store(2, R10, KEY + SET_KEY.address + 2 * n, R3),
    ]).flat(),
    label(`${name}.port`),
    jumpIf('set', R1, FLAG.port, `${name}.withPort`),
    jump(`${name}.keyed`),
    label(`${name}.withPort`),
    ...pick(`${name}.ports`, FLAG.portOfDestination, 'sourcePort', 'destinationPort'),
    load(2, R3, R2, 0),
    store(2, R10, KEY + SET_KEY.port, R3),
    label(`${name}.keyed`),
  ];
}

/** r9 = the map of the set, of those in the map of all. */
function findSet(all: string, fails: string): readonly Item[] {
  return [
    loadMap(R1, all),
    mov(R2, R10),
    addImm(R2, SLOT),
    callHelper('map_lookup_elem'),
    jumpIf('eq', R0, 0, fails),
    mov(R9, R0),
  ];
}

/** r0 = the entry at the key, from its byte `start` on. */
function findEntry(start: number, fails: string): readonly Item[] {
  return [
    mov(R1, R9),
    mov(R2, R10),
    addImm(R2, KEY + start),
    callHelper('map_lookup_elem'),
    jumpIf('eq', R0, 0, fails),
  ];
}

/** The entry at r0 decides: it counts, and has the call or is an exception. */
function decide(name: string, holds: string, fails: string): readonly Item[] {
  return [
    load(8, R1, R6, NODE.parameters),
    load(2, R2, R0, SET_VALUE.word),
    jumpIf('set', R1, FLAG.counts, `${name}.count`),
    label(`${name}.counted`),
    jumpIf('set', R1, FLAG.exceptions, `${name}.exceptions`),
    jumpIf('set', R2, NOMATCH, fails),
    jump(holds),
    label(`${name}.exceptions`),
    jumpIf('set', R2, NOMATCH, holds),
    jump(fails),
    label(`${name}.count`),
    movImm(R3, COUNTED_ONE),
    atomicAdd(8, R0, SET_VALUE.word, R3),
    jump(`${name}.counted`),
  ];
}

export const member: QuestionRow<QuestionOf<'member'>> = {
  parameters: ({ type, sides, exceptions, counts }) => {
    const { address, port } = sidesOf(type, sides);
    const flags =
      (hasPart(type, 'network') ? FLAG.networks : 0) |
      (address ? FLAG.address : 0) |
      (address === 'dst' ? FLAG.addressOfDestination : 0) |
      (port ? FLAG.port : 0) |
      (port === 'dst' ? FLAG.portOfDestination : 0) |
      (hasPart(type, 'service') ? FLAG.protocol : 0) |
      (exceptions ? FLAG.exceptions : 0) |
      (counts ? FLAG.counts : 0);
    return [BigInt(flags)];
  },
  answer: ({ name, holds, fails, uptime }) => [
    load(8, R1, R6, NODE.parameters),
    ...putKey(name, fails),
    load(4, R2, R6, NODE.state),
    store(4, R10, SLOT, R2),
    jumpIf('set', R1, FLAG.networks, `${name}.networks`),

    ...findSet(MAPS.sets, fails),
    ...findEntry(SET_KEY.port, fails),
    load(8, R1, R0, SET_VALUE.expires),
    jumpIf('eq', R1, 0, `${name}.found`),
    store(8, R10, EXPIRES, R1),
    mov(R9, R0),
    ...uptime,
    load(8, R1, R10, EXPIRES),
    jumpIf('ge', R0, R1, fails),
    mov(R0, R9),
    jump(`${name}.found`),

    label(`${name}.networks`),
    ...findSet(MAPS.nets, fails),
    storeImm(8, R10, LEFT, NESTED),
    label(`${name}.next`),
    load(8, R1, R10, LEFT),
    jumpIf('eq', R1, 0, fails),
    subImm(R1, 1),
    store(8, R10, LEFT, R1),
    ...findEntry(0, fails),
    load(8, R1, R0, SET_VALUE.expires),
    jumpIf('eq', R1, 0, `${name}.found`),
    store(8, R10, EXPIRES, R1),
    store(8, R10, ENTRY, R0),
    load(2, R1, R0, SET_VALUE.word),
    andImm(R1, NOMATCH - 1),
    subImm(R1, 1),
    store(4, R10, KEY + SET_KEY.prefix, R1),
    ...uptime,
    load(8, R1, R10, EXPIRES),
    jumpIf('ge', R0, R1, `${name}.next`),
    load(8, R0, R10, ENTRY),

    label(`${name}.found`),
    ...decide(name, holds, fails),
  ],
};
