/**
 * What the hooks of packets share. Context: struct __sk_buff, its data from the IP header on; socket: struct
 * bpf_sock (linux/bpf.h).
 */
import {
  addImm,
  callHelper,
  type Item,
  jump,
  jumpIf,
  label,
  load,
  mov,
  movImm,
  R0,
  R1,
  R2,
  R3,
  R4,
  R9,
  R10,
  rshImm,
  store,
  toBig,
} from '@sockfilter/bpf';
import type { Offsets } from '../offsets.js';
import { REFUSED, UNREADABLE } from './generation.js';
import {
  addressOf,
  follow,
  IP_HEADER,
  NEXT_HEADER,
  numberOf,
  OBJECT,
  peek,
  put16,
  put32,
  SCRATCH,
} from './stack.js';

export const SKB_SK = 168;
export const IPV4_HEADER_BYTES = 20;
export const IPV6_HEADER_BYTES = 40;

/** Reads bytes of the packet at offset r2 to the stack; destroys r0 to r5. */
export function loadBytes(to: number, bytes: number): readonly Item[] {
  return [
    mov(R1, R9),
    mov(R3, R10),
    addImm(R3, to),
    movImm(R4, bytes),
    callHelper('skb_load_bytes'),
    jumpIf('ne', R0, 0, UNREADABLE),
  ];
}

export function putPorts(): readonly Item[] {
  return [
    load(2, R1, R10, NEXT_HEADER),
    toBig(R1, 16),
    ...put16('sourcePort', R1),
    load(2, R1, R10, NEXT_HEADER + 2),
    toBig(R1, 16),
    ...put16('destinationPort', R1),
  ];
}

/** Stores `count` words of a header, from network order. */
function putWords(
  field: 'source' | 'destination',
  at: number,
  count: number,
  piece: number,
): readonly Item[] {
  return Array.from({ length: count }, (_, n) => [
    load(4, R1, R10, IP_HEADER + at + 4 * n),
    toBig(R1, 32),
    ...put32(field, R1, piece + 2 * n),
  ]).flat();
}

export function putAddresses(): readonly Item[] {
  return [
    movImm(R2, 0),
    ...loadBytes(IP_HEADER, IPV4_HEADER_BYTES),
    load(1, R1, R10, IP_HEADER),
    rshImm(R1, 4),
    ...put16('family', R1),
    jumpIf('eq', R1, 6, 'ipv6'),
    ...putWords('source', 12, 1, 6),
    ...putWords('destination', 16, 1, 6),
    jump('addressed'),
    label('ipv6'),
    movImm(R2, 0),
    ...loadBytes(IP_HEADER, IPV6_HEADER_BYTES),
    ...putWords('source', 8, 4, 0),
    ...putWords('destination', 24, 4, 0),
    label('addressed'),
  ];
}

/** r3 = the address of the device that the packet comes or goes by. */
export function deviceNumber(offsets: Offsets, failed: string): readonly Item[] {
  return [
    ...addressOf(R9, SCRATCH, failed),
    load(8, R3, R10, SCRATCH),
    ...follow([offsets.skbDevice], failed),
  ];
}

/** The kernel's address of the socket to r3 and to OBJECT. */
export function socketNumber(failed: string): readonly Item[] {
  return [
    load(8, R1, R9, SKB_SK),
    jumpIf('eq', R1, 0, failed),
    ...numberOf(R1),
    store(8, R10, OBJECT, R3),
  ];
}

/**
 * The uid of the socket's maker, from the socket at OBJECT; the helper for it would give it as its own
 * user namespace sees it.
 */
export function putOwner(offsets: Offsets, failed: string): readonly Item[] {
  return [load(8, R3, R10, OBJECT), ...peek(offsets.sockUid, 4, failed), ...put32('uid', R3)];
}

/** r0 = the cgroup that the socket was made in. */
export const SOCKET_CGROUP: readonly Item[] = [mov(R1, R9), callHelper('skb_cgroup_id')];

/** The group of the socket's maker, from the socket at OBJECT; the kernel's own sockets have no file. */
export function putOwnerGroup(offsets: Offsets): readonly Item[] {
  return [
    load(8, R3, R10, OBJECT),
    ...[offsets.sockSocket, offsets.socketFile, offsets.fileCred].flatMap((offset) => [
      ...peek(offset, 8, REFUSED),
      jumpIf('eq', R3, 0, 'ownerless'),
    ]),
    ...peek(offsets.credFsgid, 4, REFUSED),
    ...put32('gid', R3),
    label('ownerless'),
  ];
}
