/**
 * A bucket for each value of a key (BUCKETS_KEY). The entry that a call's bucket may lie in is searched under its lock:
 * for the bucket itself, else for one that is full again, which is as good as none. Where all are in use by other
 * calls, or the map has no place for another entry, there is no token: the call is above the rate.
 *
 * The state is a secret number that goes into the hash, so that nobody can know beforehand which calls share an entry.
 */
import {
  add,
  addImm,
  and,
  atomicCompareExchange,
  BPF_NOEXIST,
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
  mulImm,
  or,
  orImm,
  R0,
  R1,
  R2,
  R3,
  R4,
  R5,
  R6,
  R9,
  R10,
  rshImm,
  store,
  storeImm,
  sub,
  xor,
} from '@sockfilter/bpf';
import { droppedBits, type QuestionOf } from '@sockfilter/table';
import { entriesFor } from '../bucketmap.js';
import {
  BUCKET,
  BUCKETS_KEY,
  BUCKETS_TOGETHER,
  BUCKETS_VALUE,
  NODE,
  SCRATCH_ENTRIES,
} from '../layout.js';
import { MAPS } from '../mapnames.js';
import type { QuestionRow } from '../questionrow.js';
import { DROPPED, FLAG, HASH_AT, putBucketKey, putGroup, WORDS } from './bucketkey.js';

const AT = {
  cost: NODE.parameters,
  full: NODE.parameters + 8,
  flags: NODE.parameters + 16,
} as const;

/** On the stack: the entry's key, an index, the time, the secret, and what calls of one bucket agree in. */
const ENTRY = -16;
const INDEX = -24;
const NOW = -32;
const SECRET = -40;
const KEY = -40 - 8 * BUCKET.words;

const PLACES = Array.from(
  { length: BUCKETS_TOGETHER },
  (_, n) => BUCKETS_VALUE.first + n * BUCKET.bytes,
);

/** An odd number of 31 bits. */
const FACTOR = 0x2545_f491;

/** SECRET = the state at r9, which whoever comes first makes up. */
function findSecret(name: string): readonly Item[] {
  return [
    load(8, R1, R9, 0),
    jumpIf('ne', R1, 0, `${name}.secret`),
    callHelper('get_prandom_u32'),
    store(8, R10, SECRET, R0),
    callHelper('get_prandom_u32'),
    load(8, R1, R10, SECRET),
    lshImm(R1, 32),
    or(R1, R0),
    orImm(R1, 1),
    movImm(R0, 0),
    atomicCompareExchange(8, R9, 0, R1),
    jumpIf('eq', R0, 0, `${name}.secret`),
    mov(R1, R0),
    label(`${name}.secret`),
    store(8, R10, SECRET, R1),
  ];
}

/** What is asked for of the call at KEY, and the key of the entry that its bucket may lie in at ENTRY. */
function putKeys(name: string): readonly Item[] {
  return [
    load(8, R1, R6, AT.flags),
    load(4, R2, R6, NODE.state),
    store(4, R10, ENTRY + BUCKETS_KEY.slot, R2),
    ...putGroup(name, ENTRY + BUCKETS_KEY.group),
    ...putBucketKey(name, KEY),
    load(8, R0, R10, SECRET),
    ...WORDS.flatMap((word) => [
      load(8, R2, R10, KEY + word),
      xor(R0, R2),
      mulImm(R0, FACTOR),
      mov(R2, R0),
      rshImm(R2, 32),
      xor(R0, R2),
    ]),
    rshImm(R1, HASH_AT),
    and(R0, R1),
    store(4, R10, ENTRY + BUCKETS_KEY.hash, R0),
  ];
}

function lookUp(map: string, key: number): readonly Item[] {
  return [loadMap(R1, map), mov(R2, R10), addImm(R2, key), callHelper('map_lookup_elem')];
}

/** r9 = the entry, which is made where there is none. */
function findEntry(name: string, fails: string): readonly Item[] {
  return [
    ...lookUp(MAPS.buckets, ENTRY),
    jumpIf('ne', R0, 0, `${name}.found`),
    storeImm(4, R10, INDEX, SCRATCH_ENTRIES.blank),
    ...lookUp(MAPS.scratch, INDEX),
    jumpIf('eq', R0, 0, fails),
    mov(R3, R0),
    loadMap(R1, MAPS.buckets),
    mov(R2, R10),
    addImm(R2, ENTRY),
    movImm(R4, BPF_NOEXIST),
    // Another CPU may be first: then its entry is found.
    callHelper('map_update_elem'),
    ...lookUp(MAPS.buckets, ENTRY),
    jumpIf('eq', R0, 0, fails),
    label(`${name}.found`),
    mov(R9, R0),
  ];
}

/** r5 = the bucket in the entry at r9, r2 = the time; jumps to `none` if there is no place. */
function findBucket(name: string, none: string): readonly Item[] {
  return [
    load(8, R2, R10, NOW),
    ...PLACES.flatMap((place, n) => [
      ...WORDS.flatMap((word) => [
        load(8, R1, R9, place + BUCKET.key + word),
        load(8, R3, R10, KEY + word),
        jumpIf('ne', R1, R3, `${name}.unlike${n}`),
      ]),
      movImm(R5, place),
      jump(`${name}.bucket`),
      label(`${name}.unlike${n}`),
    ]),
    ...PLACES.flatMap((place, n) => [
      load(8, R1, R9, place + BUCKET.full),
      jumpIf('gt', R1, R2, `${name}.used${n}`),
      ...WORDS.flatMap((word) => [
        load(8, R3, R10, KEY + word),
        store(8, R9, place + BUCKET.key + word, R3),
      ]),
      movImm(R5, place),
      jump(`${name}.bucket`),
      label(`${name}.used${n}`),
    ]),
    jump(none),
    label(`${name}.bucket`),
    add(R5, R9),
  ];
}

export const buckets: QuestionRow<QuestionOf<'buckets'>> = {
  parameters: ({ cost, burst, fields, sourceBits, destinationBits, room }) => {
    const part = (value: number, from: number) => BigInt(value) << BigInt(from);
    const flags = fields.reduce((set, field) => set | FLAG[field], 0);
    return [
      cost,
      cost * BigInt(burst),
      part(flags, 0) |
        part(droppedBits(6, sourceBits), DROPPED.source6) |
        part(droppedBits(4, sourceBits), DROPPED.source4) |
        part(droppedBits(6, destinationBits), DROPPED.destination6) |
        part(droppedBits(4, destinationBits), DROPPED.destination4) |
        part(entriesFor(room) - 1, HASH_AT),
    ];
  },
  answer: ({ name, holds, fails, uptime }) => [
    ...findSecret(name),
    ...uptime,
    store(8, R10, NOW, R0),
    ...putKeys(name),
    ...findEntry(name, fails),
    mov(R1, R9),
    callHelper('spin_lock'),
    ...findBucket(name, `${name}.empty`),
    load(8, R1, R5, BUCKET.full),
    jumpIf('ge', R1, R2, `${name}.filling`),
    mov(R1, R2),
    label(`${name}.filling`),
    load(8, R4, R6, AT.cost),
    add(R1, R4),
    mov(R4, R1),
    sub(R4, R2),
    load(8, R3, R6, AT.full),
    jumpIf('gt', R4, R3, `${name}.empty`),
    store(8, R5, BUCKET.full, R1),
    mov(R1, R9),
    callHelper('spin_unlock'),
    jump(holds),
    label(`${name}.empty`),
    mov(R1, R9),
    callHelper('spin_unlock'),
    jump(fails),
  ],
};
